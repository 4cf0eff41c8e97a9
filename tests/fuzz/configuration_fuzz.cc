// The configuration language: any text is a tree or an error with a place, never a crash.

#include <cstdint>
#include <cstdlib>

#include "conf/syntax.h"

using namespace gatescope;

namespace {

/// The input is the only file there is.
class OneFile final : public conf::FileReader {
 public:
  explicit OneFile(std::string_view text) : text_(text) {}
  Result<std::string> read(const std::string& path) override {
    if (path != "/fuzz.conf")
      return make_error(ErrorKind::NotFound, Origin::Internal, "open() \"" + path + "\" failed");
    return std::string(text_);
  }
  Result<std::vector<std::string>> expand(const std::string& pattern) override {
    return std::vector<std::string>{pattern};
  }

 private:
  std::string_view text_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  OneFile reader({reinterpret_cast<const char*>(data), size});
  conf::ParseOptions options;
  options.conf_prefix = "/";
  const auto document = conf::parse_file("/fuzz.conf", options, reader);
  if (!document && document.error().detail.find(":") == std::string::npos) std::abort();
  return 0;
}
