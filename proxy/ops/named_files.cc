#include "proxy/ops/named_files.h"

#include <algorithm>
#include <array>
#include <utility>

#include "proxy/base/text.h"

namespace gatescope::ops {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}
bool is_word(char c) {
  return is_alpha(c) || is_digit(c) || c == '_' || c == '$';
}

std::size_t past_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at]))
    ++at;
  return at;
}

/// The content of a quoted text that begins at `at`, which then is past it; nothing when it is not
/// one, or a template with something in it.
std::string_view quoted(std::string_view text, std::size_t& at) {
  if (at >= text.size()) return {};
  const char quote = text[at];
  if (quote != '"' && quote != '\'' && quote != '`') return {};
  const auto end = text.find(quote, at + 1);
  if (end == std::string_view::npos) return {};
  const auto content = text.substr(at + 1, end - at - 1);
  at = end + 1;
  if (content.find_first_of("\n\\") != std::string_view::npos || content.find("${") != content.npos)
    return {};
  return content;
}

// --- HTML

std::string without_entities(std::string_view text) {
  std::string plain(text);
  for (std::size_t at = 0; (at = plain.find("&amp;", at)) != std::string::npos; ++at)
    plain.erase(at + 1, 4);
  return plain;
}

struct Tag {
  std::string name;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string attribute(std::string_view wanted) const {
    for (const auto& [key, value] : attributes)
      if (key == wanted) return value;
    return {};
  }
};

/// The tag whose name begins at `at`; `at` is then past its ">".
Tag read_tag(std::string_view text, std::size_t& at) {
  Tag tag;
  while (at < text.size() && (is_word(text[at]) || text[at] == '-'))
    tag.name += to_lower(text[at++]);
  while (true) {
    at = past_blanks(text, at);
    if (at >= text.size() || text[at] == '>') break;
    std::string key, value;
    while (at < text.size() && !is_blank(text[at]) && text[at] != '=' && text[at] != '>')
      key += to_lower(text[at++]);
    const auto sign = past_blanks(text, at);
    if (sign < text.size() && text[sign] == '=') {
      at = past_blanks(text, sign + 1);
      if (at < text.size() && (text[at] == '"' || text[at] == '\'')) {
        const auto end = std::min(text.find(text[at], at + 1), text.size());
        value = text.substr(at + 1, end - at - 1);
        at = std::min(end + 1, text.size());
      } else {
        while (at < text.size() && !is_blank(text[at]) && text[at] != '>')
          value += text[at++];
      }
    } else if (key.empty()) {
      ++at;
    }
    if (!key.empty()) tag.attributes.emplace_back(key, without_entities(value));
  }
  if (at < text.size()) ++at;
  return tag;
}

/// Of links that lead to pages or to nothing that is fetched.
bool names_no_file(const std::string& relation) {
  constexpr std::array kOthers{"canonical", "alternate", "preconnect", "dns-prefetch",
                               "author",    "license",   "next",       "prev",
                               "search",    "me",        "help",       "shortlink"};
  const auto words = lower(relation);
  return std::ranges::any_of(split(words, ' '), [&](std::string_view word) {
    return std::ranges::find(kOthers, word) != kOthers.end();
  });
}

void add_source_set(const std::string& set, std::vector<Reference>& found) {
  for (auto part : split(set, ',')) {
    part = trim(part);
    if (part.starts_with("data:")) return;  // with commas of its own
    found.push_back({std::string(part.substr(0, part.find(' ')))});
  }
}

void add_named_by(const Tag& tag, std::vector<Reference>& found) {
  const auto add = [&](std::string_view attribute) {
    if (auto value = tag.attribute(attribute); !value.empty()) found.push_back({std::move(value)});
  };
  if (tag.name == "link") {
    if (!names_no_file(tag.attribute("rel"))) add("href");
  } else if (tag.name == "script" || tag.name == "audio" || tag.name == "track" ||
             tag.name == "embed") {
    add("src");
  } else if (tag.name == "img" || tag.name == "source" || tag.name == "video") {
    add("src");
    add("poster");
    add_source_set(tag.attribute("srcset"), found);
  }
}

// --- JavaScript

bool has_known_extension(std::string_view path) {
  path = path.substr(0, path.find_first_of("?#"));
  const auto dot = path.rfind('.');
  if (dot == std::string_view::npos || path.find('/', dot) != std::string_view::npos) return false;
  constexpr std::array<std::string_view, 5> kKnown{"js", "mjs", "css", "json", "wasm"};
  return std::ranges::find(kKnown, path.substr(dot + 1)) != kKnown.end();
}

bool looks_like_file(std::string_view text) {
  return (text.starts_with("./") || text.starts_with("../") || text.starts_with('/')) &&
         has_known_extension(text);
}

bool is_word_at(std::string_view text, std::size_t at, std::size_t size) {
  const bool begins = at == 0 || (!is_word(text[at - 1]) && text[at - 1] != '.');
  return begins && (at + size >= text.size() || !is_word(text[at + size]));
}

void add_imports(std::string_view text, std::string_view word, std::vector<Reference>& found) {
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string_view::npos;) {
    const bool whole = is_word_at(text, at, word.size());
    at += word.size();
    if (!whole) continue;
    auto next = past_blanks(text, at);
    if (next < text.size() && text[next] == '(') next = past_blanks(text, next + 1);
    while (text.substr(next).starts_with("/*")) {  // /* @vite-ignore */
      const auto end = text.find("*/", next);
      if (end == std::string_view::npos) return;
      next = past_blanks(text, end + 2);
    }
    if (const auto path = quoted(text, next); looks_like_file(path))
      found.push_back({std::string(path)});
  }
}

void add_urls_of_module(std::string_view text, std::vector<Reference>& found) {
  constexpr std::string_view kBegin = "new URL(", kEnd = "import.meta.url";
  for (std::size_t at = 0; (at = text.find(kBegin, at)) != std::string_view::npos;) {
    at += kBegin.size();
    auto next = past_blanks(text, at);
    const auto path = quoted(text, next);
    next = past_blanks(text, next);
    if (path.empty() || next >= text.size() || text[next] != ',') continue;
    next = past_blanks(text, next + 1);
    // A folder, or a name without an extension, may be a base that paths are made from.
    if (text.substr(next).starts_with(kEnd) &&
        path.substr(path.rfind('/') + 1).find('.') != std::string_view::npos)
      found.push_back({std::string(path)});
  }
}

void add_preloads(std::string_view text, std::vector<Reference>& found) {
  auto at = text.find("__vite__mapDeps");
  if (at == std::string_view::npos) return;
  // Of Vite from 5.1 on; and before.
  auto list = text.find("m.f=[", at);
  if (list == std::string_view::npos) list = text.find("viteFileDeps=[", at);
  if (list == std::string_view::npos) list = text.find("viteFileDeps = [", at);
  if (list == std::string_view::npos) return;
  at = text.find('[', list) + 1;
  while (true) {
    at = past_blanks(text, at);
    const auto path = quoted(text, at);
    if (path.empty()) return;
    const bool relative = path.starts_with("./") || path.starts_with("../");
    found.push_back({std::string(path), !relative});
    at = past_blanks(text, at);
    if (at >= text.size() || text[at] != ',') return;
    ++at;
  }
}

}  // namespace

std::vector<Reference> named_in_html(std::string_view text) {
  std::vector<Reference> found;
  for (std::size_t at = 0; (at = text.find('<', at)) != std::string_view::npos;) {
    ++at;
    if (text.substr(at).starts_with("!--")) {
      at = text.find("-->", at);
      if (at == std::string_view::npos) break;
      continue;
    }
    if (at >= text.size() || !is_alpha(text[at])) continue;
    const Tag tag = read_tag(text, at);
    add_named_by(tag, found);
    if (tag.name != "script" && tag.name != "style") continue;
    // What is between is no HTML, and ends at the first such end whatever it says.
    auto end = at;
    while (end < text.size() && !starts_with_ignoring_case(text.substr(end), "</" + tag.name))
      ++end;
    const auto inside = text.substr(at, end - at);
    const auto inner = tag.name == "style"                 ? named_in_css(inside)
                       : tag.attribute("type") == "module" ? named_in_script(inside)
                                                           : std::vector<Reference>();
    found.insert(found.end(), inner.begin(), inner.end());
    at = end;
  }
  return found;
}

std::vector<Reference> named_in_css(std::string_view text) {
  std::vector<Reference> found;
  std::string plain;  // without comments
  for (std::size_t at = 0; at < text.size();) {
    const auto begin = std::min(text.find("/*", at), text.size());
    plain += text.substr(at, begin - at);
    const auto end = text.find("*/", begin + 2);
    at = end == std::string_view::npos ? text.size() : end + 2;
  }
  const std::string_view rest = plain;
  for (std::size_t at = 0; (at = rest.find("url(", at)) != std::string_view::npos;) {
    auto next = past_blanks(rest, at += 4);
    if (next >= rest.size()) break;
    if (rest[next] == '"' || rest[next] == '\'') {
      found.push_back({std::string(quoted(rest, next))});
    } else {
      const auto end = std::min(rest.find(')', next), rest.size());
      found.push_back({std::string(trim(rest.substr(next, end - next)))});
    }
  }
  for (std::size_t at = 0; (at = rest.find("@import", at)) != std::string_view::npos;) {
    auto next = past_blanks(rest, at += 7);
    if (const auto path = quoted(rest, next); !path.empty()) found.push_back({std::string(path)});
  }
  return found;
}

std::vector<Reference> named_in_script(std::string_view text) {
  std::vector<Reference> found;
  add_imports(text, "import", found);
  add_imports(text, "from", found);
  add_urls_of_module(text, found);
  add_preloads(text, found);
  return found;
}

}  // namespace gatescope::ops
