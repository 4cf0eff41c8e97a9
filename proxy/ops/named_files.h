#pragma once

// What the files of a built site name: tags of HTML, url() of CSS, imports of JavaScript modules.

#include <string>
#include <string_view>
#include <vector>

namespace gatescope::ops {

/// A reference as it is written.
struct Reference {
  std::string text;
  bool from_root = false;  // relative to the site, not to the file that names it (Vite's preloads)
};

/// Of scripts, style sheets, images and the like; not of `<a>`, which may lead anywhere.
std::vector<Reference> named_in_html(std::string_view text);
std::vector<Reference> named_in_css(std::string_view text);
/// import "./x.js", import("./x.js"), ... from "./x.js", new URL("x.png", import.meta.url), and the
/// list that Vite preloads from (__vite__mapDeps). It is not a parser of the language: of imports
/// only those count that look like a file of the build (a relative or absolute path with one of
/// these extensions: js, mjs, css, json, wasm), since they may stand in a text or a comment, too.
std::vector<Reference> named_in_script(std::string_view text);

}  // namespace gatescope::ops
