#pragma once

// Compression: the one place that knows zlib and brotli. Encoders stream, with bounded memory:
// gzip about 256 KB each, brotli about 1 MB at the usual window and level 6.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proxy/base/bytes.h"
#include "proxy/base/result.h"
#include "proxy/http/accept_encoding.h"

namespace gatescope::http {

struct EncoderOptions {
  Coding coding = Coding::Gzip;         // Gzip or Brotli
  int level = 1;                        // gzip 1..9, brotli 0..11
  int window_bits = 0;                  // log2 of the window; 0: the usual one (15; brotli 19)
  std::optional<std::uint64_t> length;  // of the plain body: a small one needs a small window
};

/// Owned by one response, or on the stack of one call. An error is of memory or of ours.
class Encoder {
 public:
  virtual ~Encoder() = default;
  virtual Result<void> write(std::string_view plain, ByteQueue& out) = 0;
  /// All that was written can be decoded from what is out.
  virtual Result<void> flush(ByteQueue& out) = 0;
  virtual Result<void> finish(ByteQueue& out) = 0;
};
Result<std::unique_ptr<Encoder>> make_encoder(const EncoderOptions& options);

/// All at once; for any thread.
Result<std::string> encode_whole(const EncoderOptions& options, std::string_view plain);

/// Undoes gzip: several members one behind the other, as gzip(1) reads them.
class GzipDecoder {
 public:
  GzipDecoder();
  ~GzipDecoder();
  GzipDecoder(const GzipDecoder&) = delete;
  GzipDecoder& operator=(const GzipDecoder&) = delete;
  /// Takes from the front of `encoded`, appends at most `room` bytes to `out`. Stops when one of
  /// them is used up. Error Protocol: that is no gzip.
  Result<void> decode(std::string_view& encoded, std::size_t room, std::string& out);
  /// The bytes so far are whole members.
  bool complete() const { return at_boundary_; }

 private:
  struct State;
  std::unique_ptr<State> state_;
  bool at_boundary_ = true;  // nothing of the next member has come
  bool full_ = false;        // the last call ended because of `room`
};

/// CRC-32 (ISO 3309): tells apart what an encoder made at different times.
std::uint32_t checksum(std::string_view bytes);

}  // namespace gatescope::http
