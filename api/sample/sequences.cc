#include "api/sample/sequences.h"

#include <algorithm>

#include "api/sample/families.h"

namespace gatescope::api {

std::span<const SampleSequence> sample_sequences() {
  static const std::vector<SampleSequence> all = [] {
    using namespace sample;
    std::vector<SampleSequence> rows;
    for (auto family :
         {figurate_sequences(), recurrent_sequences(), counting_sequences(), arithmetic_sequences(),
          prime_sequences(), digit_sequences(), curious_sequences()}) {
      rows.insert(rows.end(), family.begin(), family.end());
    }
    std::ranges::sort(rows, {}, &SampleSequence::number);
    return rows;
  }();
  return all;
}

std::string sample_id(int number) {
  std::string digits = std::to_string(number);
  return "A" + std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits;
}

std::size_t first_large_position(const SampleTerms& terms) {
  auto large = std::ranges::find_if(terms, [](const mpz_class& term) { return abs(term) > 1; });
  return large == terms.end() ? 1 : static_cast<std::size_t>(large - terms.begin()) + 1;
}

}  // namespace gatescope::api
