#pragma once

// The fields of an HTTP/2 request, as the header block is decoded, become a RequestHead.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/arena.h"
#include "proxy/base/log.h"
#include "proxy/http/message.h"
#include "proxy/http/session.h"

namespace gatescope::http {

/// Judges by HTTP/1's rules and limits, and by RFC 9113 8.2 and 8.3, where HTTP/2 has its own. The
/// first fault decides the answer; what came before it is still told to the log. Owned by a
/// session, used again for each header block: begin(), add() for each field, then one of the ends.
class Http2RequestReader {
 public:
  Http2RequestReader(const SessionSettings& settings, Log& log) : settings_(settings), log_(log) {}

  /// Texts are copied into `arena`, which outlives the block.
  void begin(Arena& arena);
  /// Trailers: no pseudo-header, and no field that may not come late.
  void begin_trailers(Arena& arena);
  /// False: so much that the block cannot be an honest mistake any more (an HPACK bomb).
  bool add(std::string_view name, std::string_view value);
  /// `ended`: no body follows. The connection has sent `bytes` for the block.
  RequestHead end(bool ended, std::size_t bytes);
  const HeaderList& trailers() const { return fields_; }
  /// RFC 9113 8.1.1: a stream error, beside what is answered.
  bool malformed() const { return malformed_; }
  int refused() const { return status_; }
  const std::string& because() const { return because_; }
  bool expects_continue() const { return expects_continue_; }
  /// The value of "priority"; empty: none.
  std::string_view priority() const { return priority_; }
  /// Bytes that an honest head is made of, at most.
  std::size_t limit() const {
    return std::max(settings_.large_buffers * settings_.large_buffer, settings_.large_buffer);
  }
  void release();  // an idle session keeps nothing

 private:
  void refuse(int status, std::string because);
  void refuse_malformed(std::string because);
  void add_pseudo(std::string_view name, std::string_view value);
  void add_field(std::string_view name, std::string_view value);
  bool take_special(std::string_view name, std::string_view value);
  void add_content_length(std::string_view value);
  void settle(bool ended);
  void join_cookies();
  void add_host();

  // Constant after construction
  const SessionSettings& settings_;
  Log& log_;

  // The block
  Arena* arena_ = nullptr;
  bool trailing_ = false;
  std::size_t size_ = 0, text_ = 0;  // of all fields, with what each costs; of their texts
  std::size_t count_ = 0;            // of those that are none of HTTP/2's own
  bool regular_seen_ = false;
  std::optional<std::string_view> method_, path_, scheme_, authority_, host_;
  HeaderList fields_;
  std::vector<std::string_view> cookies_;
  std::size_t cookie_at_ = 0;  // where the joined field belongs
  std::optional<std::uint64_t> content_length_;
  bool expects_continue_ = false, expects_other_ = false, authorized_ = false;
  std::string_view priority_;
  int status_ = 0;
  bool malformed_ = false;
  std::string because_;
};

}  // namespace gatescope::http
