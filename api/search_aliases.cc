#include "api/search_aliases.h"

#include <algorithm>
#include <iterator>

namespace gatescope::api {

namespace {

struct Alias {
  std::uint32_t number;
  std::string_view names;
};

// By number.
constexpr Alias kAliases[] = {
    {1, "Finite groups"},
    {5, "Divisor function; tau"},
    {41, "Integer partitions"},
    {79, "2^n"},
    {120, "Hamming weight; popcount"},
    {203, "Sigma function"},
    {225, "Mersenne numbers"},
    {244, "3^n"},
    {290, "Perfect squares; square numbers"},
    {578, "Perfect cubes; cube numbers"},
    {720, "Prime counting function"},
    {961, "Prime powers"},
    {1113, "Digits of e; Euler's number"},
    {1222, "Prime factors"},
    {1622, "Digits of phi"},
    {2193, "sqrt(2)"},
    {2194, "sqrt(3)"},
    {2808, "Composites"},
    {5150, "Look-and-say; Conway"},
    {6370, "Collatz map"},
    {6577, "Collatz; hailstone; Syracuse; 3n+1"},
    {7318, "Binomial coefficients"},
    {7953, "Digit sum"},
};
static_assert(std::is_sorted(std::begin(kAliases), std::end(kAliases),
                             [](const Alias& a, const Alias& b) { return a.number < b.number; }));

}  // namespace

std::string_view aliases_of(std::uint32_t number) {
  const auto place = std::lower_bound(std::begin(kAliases), std::end(kAliases), number,
                                      [](const Alias& a, std::uint32_t n) { return a.number < n; });
  return place != std::end(kAliases) && place->number == number ? place->names : std::string_view();
}

}  // namespace gatescope::api
