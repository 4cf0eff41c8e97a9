#include "proxy/ops/precompress.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include "proxy/base/text.h"
#include "proxy/http/encoding.h"
#include "proxy/http/zstd_whole.h"
#include "proxy/ops/file_steps.h"

namespace gatescope::ops {

namespace {

// Below it a form saves less than its head and a look at the disk cost.
constexpr std::uint64_t kLeast = 512;
// Larger ones are streamed plain; no asset of a site is.
constexpr std::uint64_t kMost = 256u << 20;

constexpr std::array<std::string_view, 25> kTexts{
    "html",        "htm", "css",  "js",  "mjs",     "cjs", "json", "map", "svg",
    "txt",         "xml", "wasm", "ico", "ttf",     "otf", "eot",  "md",  "csv",
    "webmanifest", "rss", "atom", "bmp", "geojson", "glb", "py"};

class Compressing {
 public:
  Compressing(const std::string& root, const std::vector<std::string>& files,
              CompressEvents& events)
      : root_(root), events_(events) {
    for (const auto& file : files) {
      struct stat facts {};
      if (!is_compressible(file) || ::stat((root + "/" + file).c_str(), &facts) != 0) continue;
      const auto size = static_cast<std::uint64_t>(facts.st_size);
      if (size < kLeast || size > kMost) continue;
      work_.push_back({file, size, {facts.st_atim, facts.st_mtim}});
      total_ += size;
    }
    // The largest first, so that no thread begins one when the others have done.
    std::ranges::sort(work_, std::greater(), &Work::size);
  }

  Result<CompressTotals> run(unsigned threads) {
    threads = std::clamp<unsigned>(
        threads, 1,
        static_cast<unsigned>(std::max<std::size_t>(1, std::min<std::size_t>(work_.size(), 64))));
    {
      std::vector<std::jthread> others;
      for (unsigned i = 1; i < threads; ++i)
        others.emplace_back([this] { work(); });
      work();
    }
    if (error_) return *error_;
    return totals_;
  }

 private:
  struct Work {
    std::string path;
    std::uint64_t size = 0;
    timespec times[2]{};
  };

  void work() noexcept {
    for (std::size_t mine; !failed_ && (mine = next_++) < work_.size();) {
      try {
        if (auto done = compress(work_[mine]); !done) fail(done.error());
      } catch (const std::bad_alloc&) {
        fail(make_error(ErrorKind::System, Origin::Internal,
                        "not enough memory to compress \"" + work_[mine].path + "\""));
      }
    }
  }

  void fail(Error error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    failed_ = true;
  }

  Result<void> compress(const Work& work) {
    const std::string path = root_ + "/" + work.path;
    const auto plain = read_whole(path, kMost);
    if (!plain) return plain.error();
    std::uint64_t sizes[3] = {};
    bool any = false;
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string to = path + kForms[i];
      if (exists(to)) continue;
      auto form = encode(i, *plain);
      if (!form) return form.error();
      if (form->size() > plain->size() - plain->size() / 20) continue;
      if (auto written = write_whole(to, *form, 0644); !written) return written;
      ::utimensat(AT_FDCWD, to.c_str(), work.times, 0);
      sizes[i] = form->size();
      any = true;
    }
    const std::lock_guard lock(mutex_);
    done_ += work.size;
    totals_.files += any ? 1 : 0;
    totals_.plain += any ? work.size : 0;
    totals_.brotli += sizes[0];
    totals_.gzip += sizes[1];
    totals_.zstd += sizes[2];
    events_.on_compressed(done_, total_);
    return {};
  }

  static Result<std::string> encode(std::size_t form, const std::string& plain) {
    if (form == 2) return http::zstd_whole(plain, 19);
    http::EncoderOptions options;
    options.coding = form == 0 ? http::Coding::Brotli : http::Coding::Gzip;
    options.level = form == 0 ? 11 : 9;
    if (form == 0)
      options.window_bits = 22;  // as brotli(1): these are not made while somebody waits
    return http::encode_whole(options, plain);
  }

  const std::string& root_;
  CompressEvents& events_;
  std::vector<Work> work_;
  std::uint64_t total_ = 0;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;  // of what follows, and the events
  std::uint64_t done_ = 0;
  CompressTotals totals_;
  std::optional<Error> error_;
};

}  // namespace

bool is_form(const std::string& path) {
  return std::ranges::any_of(kForms, [&](const char* form) { return path.ends_with(form); });
}

bool is_compressible(const std::string& path) {
  const auto dot = path.rfind('.');
  if (dot == std::string::npos) return false;
  return std::ranges::find(kTexts, lower(std::string_view(path).substr(dot + 1))) != kTexts.end();
}

Result<CompressTotals> precompress(const std::string& root, const std::vector<std::string>& files,
                                   unsigned threads, CompressEvents& events) {
  return Compressing(root, files, events).run(threads);
}

}  // namespace gatescope::ops
