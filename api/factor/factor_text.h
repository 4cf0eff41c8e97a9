#pragma once

#include <string>
#include <vector>

#include "api/factor_number.h"

namespace gatescope::factor {

using api::NumberText;

struct PrimePower {
  std::string prime;  // decimal
  unsigned long exponent;
};

/// The factorisation as the old service wrote it, because its rows and ours mix: up to 2^32
/// compact, the sign last ("[2,2;3,1;-1,1]"), above with spaces, the sign first ("[-1, 1; 641,
/// 1]"). `powers`: of the absolute value, ascending; ignored for 0.
std::string factor_text(const NumberText& number, const std::vector<PrimePower>& powers);

}  // namespace gatescope::factor
