#include "static/mime.h"

#include <fstream>
#include <sstream>

#include "proxy/base/text.h"

namespace gatescope::files {
namespace {

constexpr std::string_view kBuiltin = R"(
text/html                       html htm shtml
text/css                        css
text/javascript                 js mjs cjs
text/plain                      txt ts mts cts tsx log conf
text/csv                        csv
text/markdown                   md markdown
text/calendar                   ics
text/xml                        xml
text/vtt                        vtt
application/json                json map
application/ld+json             jsonld
application/manifest+json       webmanifest
application/wasm                wasm
application/pdf                 pdf
application/atom+xml            atom
application/rss+xml             rss
application/xhtml+xml           xhtml
application/zip                 zip
application/gzip                gz tgz
application/zstd                zst
application/x-tar               tar
application/octet-stream        bin exe dll deb iso img dmg
image/svg+xml                   svg
image/png                       png
image/jpeg                      jpg jpeg
image/gif                       gif
image/webp                      webp
image/avif                      avif
image/vnd.microsoft.icon        ico
image/bmp                       bmp
image/tiff                      tif tiff
font/woff                       woff
font/woff2                      woff2
font/ttf                        ttf
font/otf                        otf
audio/mpeg                      mp3
audio/ogg                       ogg oga opus
audio/wav                       wav
audio/mp4                       m4a
video/mp4                       mp4 m4v
video/webm                      webm
video/ogg                       ogv
video/quicktime                 mov
)";

std::string_view next_word(std::string_view& line) {
  const auto begin = line.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return line = {};
  line.remove_prefix(begin);
  const auto word = line.substr(0, line.find_first_of(" \t\r"));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace

http::MimeTypes parse_mime_types(std::string_view text) {
  http::MimeTypes types;
  for (auto line : split(text, '\n')) {
    line = line.substr(0, line.find('#'));
    const auto type = next_word(line);
    for (auto word = next_word(line); !word.empty(); word = next_word(line))
      types.insert_or_assign(lower(word), std::string(type));
  }
  return types;
}

http::MimeTypes builtin_mime_types() {
  return parse_mime_types(kBuiltin);
}

std::shared_ptr<const http::MimeTypes> system_mime_types(const char* path) {
  auto types = builtin_mime_types();
  std::ostringstream text;
  if (std::ifstream file(path); file) text << file.rdbuf();
  types.merge(parse_mime_types(text.str()));  // keeps what is there already
  return std::make_shared<const http::MimeTypes>(std::move(types));
}

std::string_view extension_of(std::string_view path) {
  const auto name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0: a bare name
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  return name.substr(dot + 1);
}

std::string_view type_of(const http::MimeTypes& types, std::string_view path,
                         std::string_view fallback) {
  const auto extension = extension_of(path);
  if (extension.empty()) return fallback;
  auto found = types.find(extension);  // as nearly all are written
  if (found == types.end()) found = types.find(lower(extension));
  return found == types.end() ? fallback : std::string_view(found->second);
}

}  // namespace gatescope::files
