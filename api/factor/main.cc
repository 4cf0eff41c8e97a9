// gatescope-factor: factors the integers that it reads from descriptor 0 and writes the results to
// descriptor 3, apart from all that libraries print. Started by gatescope, several at a time, and
// killed by it when it takes too long.

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "api/factor/big_factors.h"
#include "api/factor/confine.h"
#include "api/factor/conversation.h"
#include "api/factor/small_factors.h"

namespace gatescope::factor {

namespace {

constexpr int kIn = 0;
constexpr int kOut = 3;

std::string factor(std::string_view text, unsigned cpu_seconds, std::string& error) {
  NumberText number;
  if (!api::parse_number(text, number)) {
    error = "no integer";
    return {};
  }
  if (api::is_above(number.digits, api::kLargestFactored)) return "no_fac";
  std::vector<PrimePower> powers;
  std::uint64_t small = 0;
  const char* const end = number.digits.data() + number.digits.size();
  if (std::from_chars(number.digits.data(), end, small).ec == std::errc()) {
    for (const SmallPower& power : factor_small(small))
      powers.push_back({std::to_string(power.prime), power.exponent});
  } else {
    allow_cpu(cpu_seconds);
    powers = factor_big(std::string(number.digits), error);
    if (powers.empty()) return {};
  }
  return factor_text(number, powers);
}

int run() {
  if (::fcntl(kOut, F_GETFD) < 0) {
    std::fputs(
        "gatescope-factor is started by gatescope; by hand: echo '1 60 360' | "
        "gatescope-factor 3>&1\n",
        stderr);
    return 2;
  }
  lower_priority();
  limit_resources();
  start_pari();
  const Confinement confinement = confine();
  return Conversation(kIn, kOut, factor).run(confinement.words()) ? 0 : 1;
}

}  // namespace

}  // namespace gatescope::factor

int main() {
  ::_exit(gatescope::factor::run());  // nothing is left to clean up, and atexit may not do it
}
