#include "proxy/http/http2_response.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/http/field_line.h"
#include "proxy/http/prebuilt_head.h"

namespace gatescope::http {
namespace {

constexpr auto kKept =
    static_cast<std::uint8_t>(NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE);

std::uint8_t* pointer(std::string_view text) {
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

void add(Http2Fields& fields, std::string_view name, std::string_view value,
         std::uint8_t flags = kKept) {
  fields.push_back({pointer(name), pointer(value), name.size(), value.size(), flags});
}

std::string_view number(std::uint64_t value, Arena& arena) {
  char text[24];
  const auto end = std::to_chars(std::begin(text), std::end(text), value).ptr;
  return arena.copy({text, static_cast<std::size_t>(end - text)});
}

/// Blanks at its ends would make the message malformed (RFC 9113 8.2.1).
std::string_view clean(std::string_view value, Arena& arena) {
  value = trim(value);
  if (is_value(value)) return value;
  char* const text = arena.text(value.size());
  std::transform(value.begin(), value.end(), text,
                 [](char c) { return is_value_char(c) ? c : ' '; });
  return trim({text, value.size()});
}

bool is_lower(std::string_view name) {
  return std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::string_view lower_name(std::string_view name, Arena& arena) {
  if (is_lower(name)) return name;
  char* const text = arena.text(name.size());
  std::transform(name.begin(), name.end(), text, to_lower);
  return {text, name.size()};
}

/// Of HTTP/1's connection, or the session's to write.
bool is_dropped(std::string_view name) {
  const auto is = [&](std::string_view other) { return equals_ignoring_case(name, other); };
  switch (name.size()) {
    case 7:
      return is("Upgrade");
    case 10:
      return is("Connection") || is("Keep-Alive");
    case 14:
      return is("Content-Length");
    case 16:
      return is("Proxy-Connection");
    case 17:
      return is("Transfer-Encoding");
    default:
      return false;
  }
}

// What is added to answers most often; such a name needs no look at its characters.
constexpr std::pair<std::string_view, std::string_view> kUsual[] = {
    {"Accept-Ranges", "accept-ranges"},
    {"Cache-Control", "cache-control"},
    {"Expires", "expires"},
    {"Vary", "vary"}};

std::string_view usual_name(std::string_view name) {
  for (const auto& [usual, lower] : kUsual)
    if (name == usual) return lower;
  return {};
}

void add_others(Http2Fields& fields, const HeaderList& headers, Arena& arena,
                std::size_t from = 0) {
  for (auto at = headers.begin() + static_cast<std::ptrdiff_t>(from); at != headers.end(); ++at) {
    const auto& field = *at;
    if (const auto usual = usual_name(field.name); !usual.empty()) {
      add(fields, usual, clean(field.value, arena));
      continue;
    }
    if (is_dropped(field.name) || !all_of<is_token_char>(field.name)) continue;
    add(fields, lower_name(field.name, arena), clean(field.value, arena));
  }
}

std::string_view status_text(int status, Arena& arena) {
  if (status == 200) return "200";
  return number(static_cast<std::uint64_t>(status), arena);
}

}  // namespace

void fill_response(Http2Fields& fields, const ResponseHead& head, std::string_view server,
                   std::string_view date, Arena& arena) {
  fields.clear();
  add(fields, ":status", status_text(head.status, arena));
  bool has_server = false, has_date = false;
  for (const auto& f : head.headers) {
    if (f.name.size() == 6 && equals_ignoring_case(f.name, "Server")) has_server = true;
    if (f.name.size() == 4 && equals_ignoring_case(f.name, "Date")) has_date = true;
  }
  if (!server.empty() && !has_server) add(fields, "server", server);
  if (!has_date) add(fields, "date", date, NGHTTP2_NV_FLAG_NO_COPY_NAME);
  if (head.prebuilt && head.prebuilt->describes(head)) {
    const auto& made = head.prebuilt->http2_fields();
    fields.insert(fields.end(), made.begin(), made.end());
    return add_others(fields, head.headers, arena, head.prebuilt->head().headers.size());
  }
  fill_description(fields, head, arena);
}

void fill_description(Http2Fields& fields, const ResponseHead& head, Arena& arena) {
  if (!head.content_type.empty()) add(fields, "content-type", clean(head.content_type, arena));
  if (head.content_length && head.status >= 200 && head.status != 204)
    add(fields, "content-length", number(*head.content_length, arena));
  if (head.last_modified)
    add(fields, "last-modified", arena.copy(HttpDate(*head.last_modified).text()));
  if (!head.location.empty()) add(fields, "location", clean(head.location, arena));
  if (!head.etag.empty()) add(fields, "etag", clean(head.etag, arena));
  add_others(fields, head.headers, arena);
}

void fill_informational(Http2Fields& fields, int status, const HeaderList& headers, Arena& arena) {
  fields.clear();
  add(fields, ":status", status_text(status, arena));
  add_others(fields, headers, arena);
}

void fill_trailers(Http2Fields& fields, const HeaderList& trailers, Arena& arena) {
  fields.clear();
  add_others(fields, trailers, arena);
}

}  // namespace gatescope::http
