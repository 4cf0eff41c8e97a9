#include "api/factor/factor_text.h"

#include <string_view>

namespace gatescope::factor {

namespace {

void add(std::string& text, bool compact, std::string_view prime, std::string_view exponent) {
  if (text.size() > 1) text += compact ? ";" : "; ";
  text += prime;
  text += compact ? "," : ", ";
  text += exponent;
}

}  // namespace

std::string factor_text(const NumberText& number, const std::vector<PrimePower>& powers) {
  if (number.digits == "0") return "[0, 1]";
  const bool compact = !api::is_above(number.digits, api::kLargestCompact);
  std::string text = "[";
  if (number.negative && !compact) add(text, compact, "-1", "1");
  for (const PrimePower& power : powers)
    add(text, compact, power.prime, std::to_string(power.exponent));
  if (number.negative && compact) add(text, compact, "-1", "1");
  return text + "]";
}

}  // namespace gatescope::factor
