#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatescope::test {

/// What a client of HTTP/2 saw of one request.
struct Http2Answer {
  int status = 0;
  std::vector<int> informational;
  std::vector<std::pair<std::string, std::string>> fields, trailers;
  std::string body;
  std::vector<std::size_t> frames;  // DATA, by length
  bool ended = false;               // END_STREAM came
  int reset = -1;                   // RST_STREAM's code, also behind an end; -1: none

  std::string field(std::string_view name) const;
  bool done() const { return ended || reset >= 0; }
  /// As HTTP/1 would have written it, for tests that are run with both.
  std::string as_text() const;
};

/// nghttp2's client, or raw frames, over bytes that the test carries. What it reads it judges: a
/// server's violation of the protocol ends in error().
class Http2Peer {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;
  Http2Peer();
  ~Http2Peer();
  Http2Peer(const Http2Peer&) = delete;
  Http2Peer& operator=(const Http2Peer&) = delete;

  /// The stream's number. `more`: a body follows, by send().
  std::int32_t request(const Fields& fields, bool more = false);
  std::int32_t get(const std::string& path, const std::string& host = "a");
  void send(std::int32_t stream, std::string_view body, bool last = true);
  void send_trailers(std::int32_t stream, const Fields& trailers);
  void reset(std::int32_t stream);
  /// Windows are opened as data comes, unless held shut.
  void hold_windows() { hold_ = true; }
  void open_window(std::int32_t stream, std::int32_t bytes);

  std::string outgoing();  // bytes for the server
  void receive(std::string_view bytes);

  Http2Answer& answer(std::int32_t stream) { return answers_[stream]; }
  const std::vector<std::pair<std::int32_t, std::uint32_t>>& goaways() const { return goaways_; }
  const std::string& error() const { return error_; }  // empty: none
  std::size_t window_updates() const { return window_updates_; }
  std::size_t pings() const { return pings_; }

 private:
  friend struct Http2PeerCallbacks;
  struct Body {
    std::string bytes;
    bool last = false;
    Fields trailers;
  };
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, Http2Answer> answers_;
  std::map<std::int32_t, Body> bodies_;
  std::vector<std::pair<std::int32_t, std::uint32_t>> goaways_;
  std::string error_;
  std::size_t window_updates_ = 0, pings_ = 0;
  bool hold_ = false;
};

}  // namespace gatescope::test
