#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace gatescope::test {

/// F(0), F(1), ... in decimal: numbers that grow as one likes, some of them hard to factor.
inline std::vector<std::string> fibonacci(std::size_t count) {
  std::vector<std::string> numbers;
  std::string a = "0", b = "1";  // the last digit first
  while (numbers.size() < count) {
    numbers.emplace_back(a.rbegin(), a.rend());
    std::string sum;
    int carry = 0;
    for (std::size_t i = 0; i < b.size() || carry > 0; ++i) {
      if (i < a.size()) carry += a[i] - '0';
      if (i < b.size()) carry += b[i] - '0';
      sum += static_cast<char>('0' + carry % 10);
      carry /= 10;
    }
    a = std::exchange(b, std::move(sum));
  }
  return numbers;
}

}  // namespace gatescope::test
