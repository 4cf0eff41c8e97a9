#include "conf/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <array>

namespace gatescope::conf {
namespace {

// PCRE2's own limit (10 million) lets one bad pattern and one long URI hold the loop for seconds; a
// tenth of it bounds a match to some ten milliseconds and is beyond what a sane pattern needs.
constexpr std::uint32_t kMatchLimit = 1'000'000;
// A thread keeps what it once needed, up to this; a URI of 8 KiB needs about 3 MiB with a bad
// pattern.
constexpr std::uint32_t kHeapLimitKiB = 16384;
constexpr std::uint32_t kUsualGroups = 16;

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using Code = std::unique_ptr<pcre2_code, Freer<pcre2_code_free>>;
using MatchContext = std::unique_ptr<pcre2_match_context, Freer<pcre2_match_context_free>>;
using MatchData = std::unique_ptr<pcre2_match_data, Freer<pcre2_match_data_free>>;

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

std::vector<std::pair<std::string, unsigned>> names_of(const pcre2_code* code) {
  std::uint32_t count = 0, entry_size = 0;
  PCRE2_SPTR table = nullptr;
  pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &count);
  pcre2_pattern_info(code, PCRE2_INFO_NAMEENTRYSIZE, &entry_size);
  pcre2_pattern_info(code, PCRE2_INFO_NAMETABLE, &table);
  std::vector<std::pair<std::string, unsigned>> names;
  for (std::uint32_t i = 0; i < count; ++i, table += entry_size) {
    // Two bytes of number, big end first, then the name with a zero.
    names.emplace_back(reinterpret_cast<const char*>(table + 2), table[0] * 256u + table[1]);
  }
  return names;
}

}  // namespace

struct Regex::Impl {
  std::string pattern;
  Code code;
  MatchContext context;  // limits only; pcre2_match reads it
  std::uint32_t groups = 0;
  std::vector<std::pair<std::string, unsigned>> names;
};

Regex::Regex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::compile(std::string_view pattern, bool ignore_case) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto impl = std::make_unique<Impl>();
  impl->pattern = pattern;
  impl->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(impl->pattern.data()),
                                 impl->pattern.size(), ignore_case ? PCRE2_CASELESS : 0, &error,
                                 &offset, nullptr));
  if (!impl->code) {
    const std::string_view rest = pattern.substr(std::min<std::size_t>(offset, pattern.size()));
    std::string detail =
        fmt::format("pcre2_compile() failed: {} in \"{}\"", message_of(error), pattern);
    if (!rest.empty()) detail += fmt::format(" at \"{}\"", rest);
    return make_error(ErrorKind::Invalid, Origin::Internal, std::move(detail));
  }
  // Where executable memory is refused (hardened kernels) the interpreter matches; it is only
  // slower.
  pcre2_jit_compile(impl->code.get(), PCRE2_JIT_COMPLETE);
  impl->context.reset(pcre2_match_context_create(nullptr));
  if (!impl->context)
    return make_error(ErrorKind::System, Origin::Internal,
                      "out of memory for a regular expression");
  pcre2_set_match_limit(impl->context.get(), kMatchLimit);
  pcre2_set_heap_limit(impl->context.get(), kHeapLimitKiB);
  pcre2_pattern_info(impl->code.get(), PCRE2_INFO_CAPTURECOUNT, &impl->groups);
  ++impl->groups;  // the whole match
  impl->names = names_of(impl->code.get());
  return Regex(std::move(impl));
}

Regex::Verdict Regex::try_match(std::string_view subject, Captures* captures) const {
  // Scratch memory, one per thread: nothing in it outlives this call.
  thread_local const MatchData usual(pcre2_match_data_create(kUsualGroups, nullptr));
  MatchData large;
  pcre2_match_data* data = usual.get();
  if (impl_->groups > kUsualGroups) {
    large.reset(pcre2_match_data_create(impl_->groups, nullptr));
    data = large.get();
  }
  if (!data) return Verdict::GaveUp;
  const auto* text = reinterpret_cast<PCRE2_SPTR>(subject.empty() ? "" : subject.data());
  int count =
      pcre2_match(impl_->code.get(), text, subject.size(), 0, 0, data, impl_->context.get());
  if (count == PCRE2_ERROR_JIT_STACKLIMIT) {
    // The JIT's 32 KiB of stack were not enough; the interpreter uses the heap, up to its limit.
    count = pcre2_match(impl_->code.get(), text, subject.size(), 0, PCRE2_NO_JIT, data,
                        impl_->context.get());
  }
  if (count == PCRE2_ERROR_NOMATCH) return Verdict::NoMatch;
  if (count < 0) return Verdict::GaveUp;
  if (captures) {
    const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(data);
    captures->groups.assign(impl_->groups, {Captures::npos, Captures::npos});
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      const PCRE2_SIZE begin = offsets[2 * i], end = offsets[2 * i + 1];
      if (begin == PCRE2_UNSET || begin > end)
        continue;  // \K in a lookahead may end before it begins
      captures->groups[i] = {begin, end};
    }
  }
  return Verdict::Match;
}

const std::string& Regex::pattern() const {
  return impl_->pattern;
}

const std::vector<std::pair<std::string, unsigned>>& Regex::names() const {
  return impl_->names;
}

}  // namespace gatescope::conf
