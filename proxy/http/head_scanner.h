#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/arena.h"
#include "proxy/base/log.h"
#include "proxy/http/field_line.h"
#include "proxy/http/message.h"

namespace gatescope::http {

struct HeadRules {
  std::size_t line_limit = 8192;   // longest line, its end included: nginx's one large buffer
  std::size_t head_limit = 32768;  // whole head, empty lines before it included
  std::size_t max_fields = 1000;   // field lines, ignored ones included
  bool lenient_line_endings = false;
  bool ignore_invalid_headers = true;
  bool underscores_in_headers = false;
};

/// Finds the end of a request head in bytes that come in any pieces, and decides its framing,
/// strictly, in one pass: what it lets through, two readers cannot read in two ways (facts.md 10
/// lists what llhttp would accept). It knows every token as a method. llhttp never sees a head,
/// only the body behind it (http1_parser.h), so versions 8.1 and 9.2 behave alike. Owned by a
/// session, used again for each head: reset() between them. More -> ... -> Complete | Refused.
class HeadScanner : public Spare::Object {
 public:
  enum class Verdict { More, Complete, Refused };
  HeadScanner(const HeadRules& rules, Log& log) : rules_(rules), log_(log) {}

  /// `input`: everything since the head's first byte, each time; what has been looked at is not
  /// looked at again.
  Verdict scan(std::string_view input);
  /// Refuses from outside: a timeout, or the client's end.
  void refuse(int status, std::string because);
  /// Bytes of the head, when Complete.
  std::size_t size() const { return next_line_; }
  /// The head, copied once into the arena. `input` as for the last scan(). When refused: what was
  /// read of it.
  RequestHead take(std::string_view input, Arena& arena) const;
  bool chunked() const { return encodings_ == 1; }
  bool expects_continue() const { return expects_continue_; }
  /// Whether any byte of a request line (not just empty lines) has been seen.
  bool begun() const { return begun_; }
  void reset();

 private:
  struct Piece {
    std::uint32_t at = 0, size = 0;
  };
  struct Field {
    Piece name, value;
  };
  bool on_line(std::string_view input, std::size_t begin, std::size_t end);
  bool on_request_line(std::string_view line);
  bool on_version(std::string_view word);
  bool on_field(std::string_view line);
  bool on_framing_field(const FieldLine& field);
  bool settle();
  bool too_long(std::size_t line);
  bool fail(int status, std::string because);

  // Constant after construction
  const HeadRules rules_;
  Log& log_;

  // Where we are
  std::size_t seen_ = 0;       // looked at up to here
  std::size_t next_line_ = 0;  // where the current line begins
  std::size_t head_at_ = 0;    // where the request line begins
  bool begun_ = false, has_line_ = false, complete_ = false;

  // What was found; pieces are relative to head_at_
  bool names_port_ = false;  // of CONNECT's target
  Piece method_, target_, line_;
  Spare::Vector<Field> fields_;
  std::size_t field_lines_ = 0;
  Version version_ = Version::Http11;
  std::optional<std::uint64_t> content_length_;
  unsigned hosts_ = 0, encodings_ = 0, authorizations_ = 0;
  bool encoding_known_ = true;
  std::string_view verb_;  // CONNECT or TRACE: a literal; empty for all others
  bool close_ = false, keep_alive_ = false;
  bool expects_continue_ = false, expects_other_ = false;
  int status_ = 0;
  std::string because_;
};

}  // namespace gatescope::http
