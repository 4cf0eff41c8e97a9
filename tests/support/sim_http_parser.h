#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatescope::test {

/// What a client saw of one response.
struct SimResponse {
  int status = 0;
  std::string version;
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::pair<std::string, std::string>> trailers;
  std::string body;
  std::vector<int> informational;  // the 1xx before it
  bool head_complete = false;
  bool complete = false;
  bool until_close = false;  // the body had no length: complete only as far as one can tell
  /// The first value, or "".
  std::string header(std::string_view name) const;
  bool has_token(std::string_view name, std::string_view token) const;
};

/// Reads HTTP/1.1 responses from bytes as they come, without any code of the program under test.
/// Strict: whatever RFC 9112 does not allow a server to send is an error. A member of SimClient.
///   Line -> Fields -> (Body | ChunkSize -> ChunkData -> ChunkEnd -> ... Trailers | UntilClose)
///   -> Line, any -> Broken
class SimHttpParser {
 public:
  /// The method of the next request whose answer is awaited, in order.
  void expect(std::string method) { methods_.push_back(std::move(method)); }
  void feed(std::string_view bytes);
  /// The server's FIN came (or the connection broke: `in_order` false).
  void end(bool in_order);
  /// Answers so far; the last may be incomplete.
  const std::vector<SimResponse>& responses() const { return responses_; }
  std::size_t complete() const { return complete_; }
  /// What the server did wrong; empty: nothing.
  const std::string& error() const { return error_; }
  bool idle() const { return state_ == State::Line && buffer_.empty(); }
  /// After a 101: the bytes of the other protocol.
  bool upgraded() const { return state_ == State::Upgraded; }

 private:
  enum class State {
    Line,
    Fields,
    Body,
    ChunkSize,
    ChunkData,
    ChunkEnd,
    Trailers,
    UntilClose,
    Upgraded,
    Broken
  };
  bool advance();
  bool on_line(const std::string& line);
  void on_field(const std::string& line, bool trailer);
  void on_head();
  void on_complete();
  void broken(const std::string& why);
  SimResponse& current() { return responses_.back(); }

  std::vector<std::string> methods_;
  std::vector<SimResponse> responses_;
  std::size_t complete_ = 0;
  std::string buffer_;
  std::string error_;
  State state_ = State::Line;
  std::vector<int> informational_;  // before the next final answer
  std::uint64_t left_ = 0;          // of the body or chunk
};

}  // namespace gatescope::test
