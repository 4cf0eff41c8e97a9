#include "proxy/http/zstd_whole.h"

#include <zstd.h>

#include <memory>

#include "proxy/http/lazy_libzstd.h"

namespace gatescope::http {

namespace {

// Browsers take no window above 8 MB (RFC 9659), which is what level 19 chooses for large files.
constexpr int kMostWindow = 23;

struct FreeZstd {
  void operator()(ZSTD_CCtx* context) const { ::ZSTD_freeCCtx(context); }
};

}  // namespace

Result<std::string> zstd_whole(std::string_view plain, int level) {
  if (auto loaded = libzstd().load(); !loaded) return loaded.error();
  const std::unique_ptr<ZSTD_CCtx, FreeZstd> context(::ZSTD_createCCtx());
  const auto wrong = [](const char* why) {
    return make_error(ErrorKind::System, Origin::Internal, std::string("zstd failed: ") + why);
  };
  if (!context) return wrong("no memory");
  ::ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  if (plain.size() > (std::size_t{1} << kMostWindow))
    ::ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, kMostWindow);
  std::string out(::ZSTD_compressBound(plain.size()), '\0');
  const auto size =
      ::ZSTD_compress2(context.get(), out.data(), out.size(), plain.data(), plain.size());
  if (::ZSTD_isError(size)) return wrong(::ZSTD_getErrorName(size));
  out.resize(size);
  return out;
}

}  // namespace gatescope::http
