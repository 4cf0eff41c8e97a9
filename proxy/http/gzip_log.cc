#include "proxy/http/gzip_log.h"

#include <zlib.h>

namespace gatescope::http {

namespace {

constexpr int kGzip = 16;  // added to the window's bits: gzip's header and trailer, not zlib's

class GzipLogEncoder final : public LogEncoder {
 public:
  explicit GzipLogEncoder(int level) : level_(level) {}

  std::string encode(std::string_view lines) const override {
    z_stream stream{};
    if (::deflateInit2(&stream, level_, Z_DEFLATED, MAX_WBITS + kGzip, MAX_MEM_LEVEL,
                       Z_DEFAULT_STRATEGY) != Z_OK)
      return {};  // no memory: the lines are lost
    std::string out(::deflateBound(&stream, static_cast<uLong>(lines.size())), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(lines.data()));
    stream.avail_in = static_cast<uInt>(lines.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const bool whole = ::deflate(&stream, Z_FINISH) == Z_STREAM_END;
    out.resize(whole ? stream.total_out : 0);
    ::deflateEnd(&stream);
    return out;
  }

 private:
  const int level_;
};

}  // namespace

std::shared_ptr<const LogEncoder> make_gzip_log_encoder(int level) {
  return std::make_shared<const GzipLogEncoder>(level);
}

}  // namespace gatescope::http
