#pragma once

// A session over memory with a host that records what it is offered, for the tests of both
// versions.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/text.h"
#include "proxy/http/session.h"
#include "tests/support/catch.h"
#include "tests/support/memory_stream.h"

namespace gatescope::http {

struct RecordingLog final : Log {
  bool enabled(LogLevel) const override { return true; }
  void write(LogLevel level, std::string_view message) override {
    lines.push_back(std::string(name_of(level)) + " " + std::string(message));
  }
  bool has(std::string_view part) const {
    for (const std::string& line : lines)
      if (line.find(part) != std::string::npos) return true;
    return false;
  }
  std::vector<std::string> lines;
};

/// What became of one exchange; outlives it. `link` while it runs.
struct Record {
  std::string method, target, line, because, headers, body, trailers;
  Version version = Version::Http11;
  int refused = 0;
  bool has_body = false, keeps = false;
  bool body_ended = false, gone = false, over = false;
  int body_failed = 0;
  int writable = 0, data_calls = 0;
  std::uint64_t sent = 0, received = 0;
  ExchangeLink* link = nullptr;

  /// "GET / {Host=a} body", "400".
  std::string summary() const {
    if (refused != 0) return std::to_string(refused);
    std::string text = method + " " + target + " {" + headers + "}";
    if (body_ended || !body.empty()) text += " " + body;
    if (!trailers.empty()) text += " {" + trailers + "}";
    if (body_failed != 0) text += " failed " + std::to_string(body_failed);
    return text;
  }
};

inline std::string dump(const HeaderList& headers) {
  std::string text;
  for (const auto& [name, value] : headers)
    text += (text.empty() ? "" : ", ") + std::string(name) + "=" + std::string(value);
  return text;
}

inline void answer(ExchangeLink& link, int status, std::string_view body) {
  ResponseHead head;
  head.status = status;
  head.content_length = body.size();
  link.send_head(head);
  link.send_body(SharedBytes::copy_of(body));
  link.send_end({});
}

/// What an exchange of the tests does at each event; by default it reads the body and answers 200
/// with the target.
struct Behaviour {
  ExchangePolicy policy;
  std::function<void(Record&)> start = [](Record& r) {
    if (r.refused != 0) return answer(*r.link, r.refused, "");
    if (r.has_body) return r.link->want_body(true);
    answer(*r.link, 200, r.target);
  };
  std::function<void(Record&)> body = [](Record&) {};
  std::function<void(Record&)> body_end = [](Record& r) { answer(*r.link, 200, r.target); };
  std::function<void(Record&)> body_failed = [](Record& r) { answer(*r.link, r.body_failed, ""); };
  std::function<void(Record&)> writable = [](Record&) {};
  std::function<void(Record&)> gone = [](Record&) {};
};

class RecordingExchange final : public SessionExchange {
 public:
  RecordingExchange(const Behaviour& behaviour, Record& record) : do_(behaviour), r_(record) {}
  void start() override {
    r_.link->set_policy(do_.policy);
    do_.start(r_);
  }
  void on_body(std::span<const std::byte> data) override {
    ++r_.data_calls;
    r_.body += as_text(data);
    do_.body(r_);
  }
  void on_body_end(const HeaderList& trailers) override {
    r_.body_ended = true;
    r_.trailers = dump(trailers);
    do_.body_end(r_);
  }
  void on_body_failed(int status, const Error& error) override {
    r_.body_failed = status;
    r_.because = error.detail;
    do_.body_failed(r_);
  }
  void on_writable() override {
    ++r_.writable;
    do_.writable(r_);
  }
  void on_client_gone(const Error& error) override {
    r_.gone = true;
    r_.because = error.detail;
    do_.gone(r_);
  }
  void on_over() override {
    REQUIRE_FALSE(r_.over);
    r_.over = true;
    r_.sent = r_.link->bytes_sent();
    r_.received = r_.link->bytes_received();
    r_.link = nullptr;
  }

 private:
  const Behaviour& do_;
  Record& r_;
};

struct Fixture : SessionHost {
  using Maker = decltype(make_http1_session);
  explicit Fixture(const SessionSettings& settings = {}, Maker* make = make_http1_session) {
    info_.client_address = "192.0.2.1";
    session = make(stream, loop, *this, settings);
    session->start();
    settle();
  }
  std::unique_ptr<SessionExchange> make_exchange(ExchangeLink& link, RequestHead head) override {
    Record& r = records.emplace_back();
    r.method = head.method;
    r.target = head.target;
    r.line = head.line;
    r.because = head.refused_because;
    r.headers = dump(head.headers);
    r.version = head.version;
    r.refused = head.refused;
    r.has_body = head.has_body;
    r.keeps = head.wants_keep_alive;
    r.link = &link;
    return std::make_unique<RecordingExchange>(behaviour, r);
  }
  const ConnectionInfo& info() const override { return info_; }
  Log& log() override { return log_lines; }
  std::string_view date() override { return date_text.at(loop.clock().wall()); }
  void on_idle(bool now) override { idle = now; }
  void on_session_over() override {
    ++overs;
    loop.discard(std::move(session));
  }

  /// Until neither the loop nor the stream has anything to do now.
  void settle() {
    for (int i = 0; i < 4; ++i) {
      loop.turn();
      stream.deliver();
    }
    loop.turn();
  }
  void feed(std::string_view bytes) {
    stream.feed(bytes);
    settle();
  }
  void feed_bytewise(std::string_view bytes) {
    for (const char c : bytes)
      feed({&c, 1});
  }
  void end() {
    stream.end();
    settle();
  }
  void pass(Duration time) {
    loop.advance(time);
    settle();
  }
  /// All that was received since the last take(), the Date lines taken out.
  std::string take() {
    std::string text = stream.take();
    for (std::size_t at; (at = text.find("Date: ")) != std::string::npos;)
      text.erase(at, text.find('\n', at) + 1 - at);
    return text;
  }
  bool over() const { return overs != 0; }
  Record& last() { return records.back(); }
  std::string summary() const {
    std::string text;
    for (const Record& r : records)
      text += (text.empty() ? "" : " | ") + r.summary();
    return text;
  }

  test::FakeLoop loop;
  test::MemoryStream stream;
  RecordingLog log_lines;
  SecondText date_text{date_field};
  Behaviour behaviour;
  std::deque<Record> records;
  bool idle = false;
  int overs = 0;
  ConnectionInfo info_;
  std::unique_ptr<Session> session;
};

// Requests and answers that many tests use.
inline const std::string kGet = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
inline const std::string kLast = "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

inline std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}
inline std::string post(std::string_view fields, std::string_view body) {
  return "POST /p HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" + std::string(body);
}
inline std::string ok(std::string_view body, std::string_view connection = "keep-alive") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: " + std::string(connection) + "\r\n\r\n" + std::string(body);
}
inline void begin_manually(Fixture& f) {
  f.behaviour.start = [](Record&) {};
  f.behaviour.body_end = [](Record&) {};
}

}  // namespace gatescope::http
