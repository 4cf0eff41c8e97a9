#include "api/postgres_probe.h"

#include <cstdint>
#include <utility>

#include "proxy/base/bytes.h"

namespace gatescope::api {

namespace {

constexpr Duration kPatience{1000};

void append_int32(std::string& out, std::uint32_t n) {
  for (const int shift : {24, 16, 8, 0})
    out += static_cast<char>(n >> shift & 0xFF);
}

std::uint32_t int32_at(std::string_view bytes) {
  std::uint32_t n = 0;
  for (std::size_t i = 0; i < 4; ++i)
    n = n << 8 | static_cast<unsigned char>(bytes[i]);
  return n;
}

std::string startup_message(const std::string& user, const std::string& database) {
  constexpr std::uint32_t kProtocol3 = 3 << 16;
  std::string body;
  append_int32(body, kProtocol3);
  for (const std::string& word : {std::string("user"), user, std::string("database"), database})
    body.append(word.c_str(), word.size() + 1);
  body += '\0';
  std::string message;
  append_int32(message, static_cast<std::uint32_t>(body.size() + 4));
  return message + body;
}

/// A field of an ErrorResponse: letter, text, NUL, repeated.
std::string error_field(std::string_view body, char letter) {
  while (!body.empty() && body[0] != '\0') {
    const auto end = std::min(body.find('\0'), body.size());
    if (body[0] == letter) return std::string(body.substr(1, end - 1));
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return {};
}

}  // namespace

PostgresProbe::PostgresProbe(net::Loop& loop, const net::Endpoint& server, std::string user,
                             std::string database, PostgresProbeEvents& events)
    : user_(std::move(user)),
      database_(std::move(database)),
      events_(events),
      deadline_(loop.make_timer(*this)) {
  deadline_->start(kPatience);
  connecting_ = loop.connect(server, kPatience, *this);
}

void PostgresProbe::on_connected(std::unique_ptr<net::Stream> stream) {
  state_ = State::Asking;
  stream_ = std::move(stream);
  stream_->set_events(this);
  stream_->start_reading();
  ByteQueue out;
  out.append_copy(startup_message(user_, database_));
  stream_->write(out);
}

void PostgresProbe::on_connect_failed(const Error& error) {
  finish(Verdict::NotYet, error.detail);
}

void PostgresProbe::on_data(std::span<const std::byte> data) {
  constexpr std::size_t kHead = 5;  // type and length
  constexpr std::size_t kEnough = 16 * 1024;
  if (state_ != State::Asking) return;
  received_ += as_text(data);
  if (received_.size() < kHead) return;
  const std::size_t length = int32_at(std::string_view(received_).substr(1)) + 1;
  if (received_.size() < length && received_.size() < kEnough) return;
  const std::string_view body = std::string_view(received_).substr(kHead);
  if (received_[0] == 'R' && body.size() >= 4 && int32_at(body) == 0) {
    ByteQueue out;
    out.append_copy(std::string_view("X\0\0\0\4", 5));  // Terminate, so that it logs nothing
    stream_->write(out);
    return finish(Verdict::Ready, {});
  }
  if (received_[0] != 'E')
    return finish(Verdict::Refused, "PostgreSQL wants a password from \"" + user_ + "\"");
  const std::string code = error_field(body, 'C');
  const std::string why = error_field(body, 'M') + " (" + code + ")";
  // 57P03: starting up, in recovery, shutting down. 53300: too many connections.
  finish(code == "57P03" || code == "53300" ? Verdict::NotYet : Verdict::Refused, why);
}

void PostgresProbe::on_end() {
  finish(Verdict::NotYet, "it hung up");
}

void PostgresProbe::on_failed(const Error& error) {
  finish(Verdict::NotYet, error.detail);
}

void PostgresProbe::on_timer(net::Timer&) {
  finish(Verdict::NotYet, "it is silent");
}

void PostgresProbe::finish(Verdict verdict, const std::string& why) {
  if (state_ == State::Done) return;
  state_ = State::Done;
  deadline_->stop();
  if (stream_) stream_->stop_reading();
  events_.on_probed(verdict, why);
}

}  // namespace gatescope::api
