#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/http/header.h"

namespace gatescope::http {

struct BodyRules {
  std::size_t line_limit = 8192;       // one chunk-size or trailer line
  std::size_t overhead_limit = 32768;  // all chunk extensions and trailers of a body together
  std::size_t max_trailers = 100;
  bool lenient_line_endings = false;
  bool underscores_in_headers = false;
};

/// Reads the body of an HTTP/1.x message, of known length or chunked. llhttp reads the chunks; what
/// stands on the lines between them is checked and simplified here first (no bare line ends,
/// extensions dropped, trailers by the rules of fields), because llhttp's versions differ there. A
/// length has only to be counted. Pulled, not pushed: next() hands out one piece at a time, so
/// whoever gets it may stop. Good for requests and responses. Owned by a session; begin_length() or
/// begin_chunked() for each body. Allocates on the first chunked one.
class Http1BodyParser {
 public:
  Http1BodyParser();
  ~Http1BodyParser();

  enum class Event { More, Data, End, Failed };
  struct Step {
    Event event = Event::More;
    std::size_t consumed = 0;  // of the input
    std::string_view data;     // within the input
  };
  void begin_length(std::uint64_t length);
  /// Trailers are kept in `arena`.
  void begin_chunked(const BodyRules& rules, Arena& arena);
  /// Takes one step: More has consumed all. After End or Failed: no more calls. Failed: error()
  /// says why.
  Step next(std::string_view input);
  const HeaderList& trailers() const;
  std::string_view error() const;
  /// Gives back storage, for a connection that falls idle.
  void shrink();

 private:
  struct ChunkReader;
  std::uint64_t left_ = 0;  // of a known length
  bool chunked_ = false;
  std::unique_ptr<ChunkReader> chunks_;  // null: none of them was chunked
};

}  // namespace gatescope::http
