#include "tests/integration/support/client.h"

#include <strings.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "tests/integration/support/http2_conversation.h"
#include "tests/integration/support/wire.h"
#include "tests/support/http_version.h"

namespace gatescope::integration {

namespace {

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string Answer::field(std::string_view name) const {
  for (const auto& [key, value] : fields)
    if (same_name(key, name)) return value;
  return "";
}

std::size_t Answer::count(std::string_view name) const {
  std::size_t number = 0;
  for (const auto& [key, value] : fields)
    number += same_name(key, name) ? 1 : 0;
  return number;
}

Client::Client(std::unique_ptr<Wire> wire, Http http) : wire_(std::move(wire)) {
  if (http != Http::Tested || !test::speaks_http2()) return;
  if (wire_->ssl() && wire_->alpn() != "h2")
    throw std::runtime_error("the server does not choose HTTP/2");
  http2_ = std::make_unique<Http2Conversation>(*wire_, wire_->ssl() ? "https" : "http");
}
Client::Client(Client&&) noexcept = default;
Client::~Client() = default;

Client Client::tcp(std::uint16_t port, std::string_view first, Http http) {
  auto wire = std::make_unique<Wire>(Wire::to_port(port));
  wire->write(first);
  return {std::move(wire), http};
}

Client Client::unix_socket(const std::string& path) {
  return {std::make_unique<Wire>(Wire::to_unix_socket(path)), Http::Tested};
}

Client Client::tls(std::uint16_t port, const std::string& ca_file, const std::string& name,
                   const std::string& own, std::string_view first, std::string_view alpn) {
  const Http http = alpn.empty() ? Http::Tested : Http::One;
  if (alpn.empty() && test::speaks_http2()) alpn = {"\x02h2\x08http/1.1", 12};
  auto wire = std::make_unique<Wire>(Wire::to_port(port));
  wire->write(first);
  wire->shake_hands(ca_file, name, own, alpn);
  return {std::move(wire), http};
}

void Client::send(std::string_view bytes) {
  http2_ ? http2_->send(bytes) : wire_->write(bytes);
}

bool Client::more() {
  char piece[16384];
  const auto got = wire_->read(piece, sizeof piece);
  buffer_.append(piece, got);
  return got > 0;
}

std::string Client::line() {
  std::size_t end;
  while ((end = buffer_.find("\r\n")) == std::string::npos)
    if (!more()) throw std::runtime_error("closed within a line: \"" + buffer_ + "\"");
  std::string text = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return text;
}

std::string Client::take(std::size_t size) {
  if (http2_) return http2_->take(size);
  while (buffer_.size() < size)
    if (!more())
      throw std::runtime_error("closed after " + std::to_string(buffer_.size()) + " bytes of " +
                               std::to_string(size));
  std::string bytes = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return bytes;
}

std::string Client::some() {
  if (http2_) return http2_->some();
  if (buffer_.empty()) more();
  return std::exchange(buffer_, {});
}

std::string Client::rest() {
  if (http2_) return http2_->rest();
  while (more()) {
  }
  return std::exchange(buffer_, {});
}

bool Client::closed() {
  if (http2_) return http2_->closed();
  return buffer_.empty() && !more();
}

Answer Client::answer_head() {
  if (http2_) return http2_->answer_head();
  Answer answer;
  std::string text = line();
  answer.head = text;
  if (text.size() < 12 || !text.starts_with("HTTP/1."))
    throw std::runtime_error("no status line: \"" + text + "\"");
  answer.status = std::stoi(text.substr(9, 3));
  while (!(text = line()).empty()) {
    answer.head += "\r\n" + text;
    const auto colon = text.find(": ");
    if (colon == std::string::npos) throw std::runtime_error("no field: \"" + text + "\"");
    answer.fields.emplace_back(text.substr(0, colon), text.substr(colon + 2));
  }
  return answer;
}

void Client::read_chunked(Answer& answer) {
  for (;;) {
    const auto size = std::stoul(line(), nullptr, 16);
    if (size == 0) break;
    answer.body += take(size);
    take(2);
  }
  while (!line().empty()) {
  }
}

Answer Client::answer(bool to_head) {
  if (http2_) return http2_->answer();
  Answer answer = answer_head();
  const bool bodiless =
      to_head || answer.status == 204 || answer.status == 304 || answer.status < 200;
  if (bodiless) return answer;
  if (answer.field("Transfer-Encoding") == "chunked") {
    read_chunked(answer);
  } else if (answer.count("Content-Length")) {
    answer.body = take(std::stoul(answer.field("Content-Length")));
  } else {
    answer.body = rest();
  }
  return answer;
}

Answer Client::get(std::string_view path, std::string_view host, std::string_view more_fields) {
  std::string request = "GET ";
  request.append(path).append(" HTTP/1.1\r\nHost: ").append(host).append("\r\n");
  request.append(more_fields).append("\r\n");
  send(request);
  return answer();
}

bool Client::is_going(const Answer& answer) const {
  return http2_ ? http2_->is_going() : answer.field("Connection") == "close";
}

bool Client::was_last(const Answer& answer) {
  return http2_ ? http2_->is_told_to_end() : answer.field("Connection") == "close";
}

std::string Client::alpn() const {
  return wire_->alpn();
}

std::string Client::tls_version() const {
  return wire_->ssl() ? SSL_get_version(wire_->ssl()) : "";
}

Answer get(std::uint16_t port, std::string_view path, std::string_view host, Http http) {
  return Client::tcp(port, {}, http).get(path, host, "Connection: close\r\n");
}

std::string protocol_name() {
  return test::speaks_http2() ? "HTTP/2.0" : "HTTP/1.1";
}

bool can_connect(std::uint16_t port) {
  try {
    Client::tcp(port);
    return true;
  } catch (const std::runtime_error& error) {
    // Reset: the socket was closed while the connection waited in its queue.
    for (const int refusal : {ECONNREFUSED, ECONNRESET})
      if (std::string_view(error.what()).find(std::strerror(refusal)) != std::string_view::npos)
        return false;
    throw;
  }
}

}  // namespace gatescope::integration
