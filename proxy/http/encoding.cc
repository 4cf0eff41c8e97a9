#include "proxy/http/encoding.h"

#include <brotli/encode.h>
#include <zlib.h>

#include <algorithm>
#include <utility>

namespace gatescope::http {
namespace {

constexpr std::size_t kOutput = 16 * 1024;
constexpr int kGzipFormat = 16;  // added to the window's bits: a gzip header, not zlib's
constexpr int kMaxBits = 15;

Error failed(std::string_view what, int code) {
  return make_error(ErrorKind::System, Origin::Internal,
                    std::string(what).append(" failed: ").append(std::to_string(code)));
}

/// nginx's rule: a window no larger than the body, which saves memory.
int bits_for(std::optional<std::uint64_t> length, int bits, int least) {
  while (length && bits > least && *length < (std::uint64_t{1} << (bits - 1)) - 262)
    --bits;
  return bits;
}

class GzipEncoder final : public Encoder {
 public:
  static Result<std::unique_ptr<Encoder>> make(const EncoderOptions& options) {
    auto encoder = std::make_unique<GzipEncoder>();
    const int bits =
        bits_for(options.length, options.window_bits ? options.window_bits : kMaxBits, 9);
    const int memory = std::clamp(bits - 7, 1, 9);
    const int code = ::deflateInit2(&encoder->z_, options.level, Z_DEFLATED, bits + kGzipFormat,
                                    memory, Z_DEFAULT_STRATEGY);
    if (code != Z_OK) return failed("deflateInit2()", code);
    encoder->ready_ = true;
    return std::unique_ptr<Encoder>(std::move(encoder));
  }
  ~GzipEncoder() override {
    if (ready_) ::deflateEnd(&z_);
  }
  Result<void> write(std::string_view plain, ByteQueue& out) override {
    if (plain.empty()) return {};
    dirty_ = true;
    return run(plain, Z_NO_FLUSH, out);
  }
  Result<void> flush(ByteQueue& out) override {
    if (!std::exchange(dirty_, false)) return {};  // zlib takes a second flush in a row amiss
    return run({}, Z_SYNC_FLUSH, out);
  }
  Result<void> finish(ByteQueue& out) override { return run({}, Z_FINISH, out); }

 private:
  Result<void> run(std::string_view plain, int mode, ByteQueue& out) {
    z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    z_.avail_in = static_cast<uInt>(plain.size());
    char buffer[kOutput];
    while (true) {
      z_.next_out = reinterpret_cast<Bytef*>(buffer);
      z_.avail_out = sizeof buffer;
      const int code = ::deflate(&z_, mode);
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return failed("deflate()", code);
      out.append_copy({buffer, sizeof buffer - z_.avail_out});
      if (code == Z_STREAM_END || (z_.avail_out != 0 && mode != Z_FINISH)) return {};
    }
  }

  z_stream z_{};
  bool ready_ = false;
  bool dirty_ = false;  // something may be left inside
};

class BrotliEncoder final : public Encoder {
 public:
  static Result<std::unique_ptr<Encoder>> make(const EncoderOptions& options) {
    auto encoder = std::make_unique<BrotliEncoder>();
    encoder->state_.reset(::BrotliEncoderCreateInstance(nullptr, nullptr, nullptr));
    if (!encoder->state_) return failed("BrotliEncoderCreateInstance()", 0);
    auto* state = encoder->state_.get();
    const int bits = bits_for(options.length, options.window_bits ? options.window_bits : 19,
                              BROTLI_MIN_WINDOW_BITS);
    ::BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY,
                                static_cast<std::uint32_t>(options.level));
    ::BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, static_cast<std::uint32_t>(bits));
    if (options.length)
      ::BrotliEncoderSetParameter(
          state, BROTLI_PARAM_SIZE_HINT,
          static_cast<std::uint32_t>(std::min<std::uint64_t>(*options.length, 1u << 30)));
    return std::unique_ptr<Encoder>(std::move(encoder));
  }
  Result<void> write(std::string_view plain, ByteQueue& out) override {
    dirty_ = dirty_ || !plain.empty();
    return run(plain, BROTLI_OPERATION_PROCESS, out);
  }
  Result<void> flush(ByteQueue& out) override {
    if (!std::exchange(dirty_, false)) return {};
    return run({}, BROTLI_OPERATION_FLUSH, out);
  }
  Result<void> finish(ByteQueue& out) override { return run({}, BROTLI_OPERATION_FINISH, out); }

 private:
  Result<void> run(std::string_view plain, BrotliEncoderOperation operation, ByteQueue& out) {
    const auto* in = reinterpret_cast<const std::uint8_t*>(plain.data());
    std::size_t left = plain.size(), no_room = 0;
    do {
      if (!::BrotliEncoderCompressStream(state_.get(), operation, &left, &in, &no_room, nullptr,
                                         nullptr))
        return failed("BrotliEncoderCompressStream()", 0);
      std::size_t size = 0;
      const auto* bytes = ::BrotliEncoderTakeOutput(state_.get(), &size);
      out.append_copy({reinterpret_cast<const char*>(bytes), size});
    } while (left != 0 || ::BrotliEncoderHasMoreOutput(state_.get()));
    return {};
  }

  struct Destroy {
    void operator()(BrotliEncoderState* state) const { ::BrotliEncoderDestroyInstance(state); }
  };
  std::unique_ptr<BrotliEncoderState, Destroy> state_;
  bool dirty_ = false;
};

}  // namespace

Result<std::unique_ptr<Encoder>> make_encoder(const EncoderOptions& options) {
  if (options.coding == Coding::Brotli) return BrotliEncoder::make(options);
  return GzipEncoder::make(options);
}

Result<std::string> encode_whole(const EncoderOptions& options, std::string_view plain) {
  auto exact = options;
  exact.length = plain.size();
  auto encoder = make_encoder(exact);
  if (!encoder) return encoder.error();
  ByteQueue out;
  if (auto written = (*encoder)->write(plain, out); !written) return written.error();
  if (auto finished = (*encoder)->finish(out); !finished) return finished.error();
  return out.to_string();
}

struct GzipDecoder::State {
  z_stream z{};
  bool ready = false;
  ~State() {
    if (ready) ::inflateEnd(&z);
  }
};

GzipDecoder::GzipDecoder() : state_(std::make_unique<State>()) {
  state_->ready = ::inflateInit2(&state_->z, kMaxBits + kGzipFormat) == Z_OK;
}

GzipDecoder::~GzipDecoder() = default;

Result<void> GzipDecoder::decode(std::string_view& encoded, std::size_t room, std::string& out) {
  if (!state_->ready) return failed("inflateInit2()", 0);
  z_stream& z = state_->z;
  const std::size_t begin = out.size();
  while (out.size() - begin < room && (!encoded.empty() || full_)) {
    const std::size_t at = out.size();
    const std::size_t want = std::min(kOutput, room - (at - begin));
    out.resize(at + want);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(encoded.data()));
    z.avail_in = static_cast<uInt>(std::min<std::size_t>(encoded.size(), 1u << 30));
    const uInt given = z.avail_in;
    z.next_out = reinterpret_cast<Bytef*>(out.data() + at);
    z.avail_out = static_cast<uInt>(want);
    at_boundary_ = at_boundary_ && encoded.empty();
    const int code = ::inflate(&z, Z_SYNC_FLUSH);
    encoded.remove_prefix(given - z.avail_in);
    out.resize(at + want - z.avail_out);
    full_ = z.avail_out == 0 && code != Z_STREAM_END;
    if (code == Z_STREAM_END) {
      at_boundary_ = true;
      if (::inflateReset(&z) != Z_OK) return failed("inflateReset()", 0);
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      return make_error(ErrorKind::Protocol, Origin::Upstream,
                        std::string("inflate() failed: ").append(z.msg ? z.msg : "no gzip"));
    } else if (given == z.avail_in && z.avail_out == want) {
      return {};  // neither took nor gave
    }
  }
  return {};
}

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace gatescope::http
