#include "proxy/http/http1_writer.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <iterator>

#include "proxy/base/text.h"
#include "proxy/http/field_line.h"
#include "proxy/http/prebuilt_head.h"

namespace gatescope::http {
namespace {

void add_number(std::string& out, std::uint64_t number, int base = 10) {
  char text[24];
  out.append(text, std::to_chars(std::begin(text), std::end(text), number, base).ptr);
}

void add_value(std::string& out, std::string_view value) {
  if (is_value(value)) {
    out.append(value);
    return;
  }
  for (const char c : value)
    out += is_value_char(c) ? c : ' ';
}

/// `name`: one of ours.
void add_known(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  add_value(out, value);
  out.append("\r\n");
}

void add_field(std::string& out, std::string_view name, std::string_view value) {
  if (all_of<is_token_char>(name)) add_known(out, name, value);
}

void add_status_line(std::string& out, int status, std::string_view reason) {
  out.append("HTTP/1.1 ");
  add_number(out, static_cast<std::uint64_t>(status));
  out += ' ';
  add_value(out, reason.empty() ? reason_of(status) : reason);
  out.append("\r\n");
}

// Fields whose writing is the session's alone.
bool is_framing_field(std::string_view name) {
  switch (name.size()) {
    case 10:
      return equals_ignoring_case(name, "Connection") || equals_ignoring_case(name, "Keep-Alive");
    case 14:
      return equals_ignoring_case(name, "Content-Length");
    case 17:
      return equals_ignoring_case(name, "Transfer-Encoding");
    default:
      return false;
  }
}

/// Without the status line; `first`: so many of the other fields are written already.
void add_fields(std::string& out, const ResponseHead& head, std::size_t first) {
  std::size_t at = 0;
  for (const HeaderField& f : head.headers)
    if (at++ >= first && !is_framing_field(f.name)) add_field(out, f.name, f.value);
}

void add_named_fields(std::string& out, const ResponseHead& head) {
  if (!head.content_type.empty()) add_known(out, "Content-Type", head.content_type);
  const bool informational = head.status < 200;
  if (head.content_length && !informational && head.status != 204) {
    out.append("Content-Length: ");
    add_number(out, *head.content_length);
    out.append("\r\n");
  }
  if (head.last_modified) add_known(out, "Last-Modified", HttpDate(*head.last_modified).text());
  if (!head.location.empty()) add_known(out, "Location", head.location);
}

void add_connection(std::string& out, const ResponseHead& head, const ResponseFraming& framing) {
  if (framing.chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (head.status == 101) {
    out.append("Connection: upgrade\r\n");
    return;
  }
  // RFC 9110, 7.8: who sends Upgrade names it here too.
  const std::string_view end = head.headers.has("Upgrade") ? ", upgrade\r\n" : "\r\n";
  if (framing.keep_alive) {
    out.append("Connection: keep-alive").append(end);
    if (framing.keepalive_header != 0) {
      out.append("Keep-Alive: timeout=");
      add_number(out, framing.keepalive_header);
      out.append("\r\n");
    }
  } else {
    out.append("Connection: close").append(end);
  }
}

void add_server_and_date(std::string& out, const ResponseHead& head,
                         const ResponseFraming& framing) {
  bool has_server = false, has_date = false;
  for (const HeaderField& f : head.headers) {
    if (f.name.size() == 6 && equals_ignoring_case(f.name, "Server")) has_server = true;
    if (f.name.size() == 4 && equals_ignoring_case(f.name, "Date")) has_date = true;
  }
  if (!framing.server.empty() && !has_server) add_known(out, "Server", framing.server);
  if (!has_date) out.append("Date: ").append(framing.date).append("\r\n");
}

}  // namespace

void write_description(std::string& out, const ResponseHead& head) {
  add_status_line(out, head.status, head.reason);
  add_named_fields(out, head);
  if (!head.etag.empty()) add_known(out, "ETag", head.etag);
  add_fields(out, head, 0);
}

// The order of the fields is nginx's, unless the head was prepared as text.
void write_head(std::string& out, const ResponseHead& head, const ResponseFraming& framing) {
  if (head.prebuilt && head.prebuilt->describes(head)) {
    out.append(head.prebuilt->text());
    add_server_and_date(out, head, framing);
    add_connection(out, head, framing);
    add_fields(out, head, head.prebuilt->head().headers.size());
    out.append("\r\n");
    return;
  }
  add_status_line(out, head.status, head.reason);
  add_server_and_date(out, head, framing);
  add_named_fields(out, head);
  add_connection(out, head, framing);
  if (!head.etag.empty()) add_known(out, "ETag", head.etag);
  add_fields(out, head, 0);
  out.append("\r\n");
}

void write_informational(std::string& out, int status, const HeaderList& headers) {
  add_status_line(out, status, {});
  for (const HeaderField& f : headers)
    if (!is_framing_field(f.name)) add_field(out, f.name, f.value);
  out.append("\r\n");
}

void write_chunk_size(std::string& out, std::size_t size) {
  add_number(out, size, 16);
  out.append("\r\n");
}

void write_last_chunk(std::string& out, const HeaderList& trailers) {
  out.append("0\r\n");
  for (const HeaderField& f : trailers)
    if (!is_framing_field(f.name)) add_field(out, f.name, f.value);
  out.append("\r\n");
}

}  // namespace gatescope::http
