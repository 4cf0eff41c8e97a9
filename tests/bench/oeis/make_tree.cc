#include "tests/bench/oeis/make_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

namespace gatescope::bench {

namespace {

constexpr std::string_view kKinds[] = {"Number of",
                                       "Numbers k such that",
                                       "Expansion of",
                                       "Triangle read by rows:",
                                       "a(n) =",
                                       "Decimal expansion of",
                                       "Primes of the form",
                                       "Smallest prime with",
                                       "Sum of the",
                                       "Partial sums of",
                                       "Numerators of",
                                       "Square array read by antidiagonals:",
                                       "Convolution of",
                                       "Bisection of"};
constexpr std::string_view kWords[] = {
    "partitions", "of n into",    "distinct",     "parts",       "divisors",   "squarefree",
    "primes",     "Fibonacci",    "numbers",      "binary",      "trees",      "with n",
    "nodes",      "labeled",      "permutations", "avoiding",    "the",        "pattern",
    "polynomial", "coefficients", "modulo",       "sums",        "of squares", "lattice",
    "paths",      "matrices",     "digits",       "in base 10",  "Euler",      "totient",
    "function",   "Catalan",      "congruent to", "consecutive", "composite",  "continued",
    "fraction",   "for",          "theta series", "cycle",       "graph"};
constexpr std::string_view kPeople[] = {"_A. Author_", "_B. C. Writer_", "_Some Body_", "_N. One_"};

/// One entry after the other, the same ones for the same number.
class Maker {
 public:
  explicit Maker(std::uint32_t count) : count_(count) {}

  std::string entry(std::uint32_t number) {
    random_.seed(number * 2654435761u + 1);
    id_ = fmt::format("A{:06}", number);
    text_.clear();
    line('I', fmt::format("#{} Apr {:02} 2026 10:{:02}:11", upto(90) + 1, upto(27) + 1, upto(59)));
    terms();
    line('N', name());
    for (int i = upto(4); i > 0; --i)
      line('C', fmt::format("{} {} - {}, Mar 0{} 2019", sentence(16), mention(0.4), person(), i));
    line('H', fmt::format("{}, <a href=\"/{}/b{}.txt\">Table of n, a(n) for n = 0..10000</a>",
                          person(), id_, id_.substr(1)));
    if (upto(2) == 0)
      line('H',
           fmt::format("Index entries, <a href=\"/index/Rec#o{}\">{}</a>", upto(99), sentence(6)));
    for (int i = upto(3); i > 0; --i)
      line('F', fmt::format("a(n) = {}(n-1) + {}*n^2 - {}.", mention(0.7), upto(50), sentence(7)));
    line('e', "For n = 3 the a(3) = 5 solutions are: " + sentence(12));
    line('p', fmt::format("seq(add(binomial(n, k)*{}, k=0..n), n=0..{});", upto(99), upto(60)));
    line('t', fmt::format("Table[Sum[{} k, {{k, 0, n}}], {{n, 0, {}}}] (* {} *)", upto(9), upto(70),
                          person()));
    line('o', fmt::format("(PARI) a(n) = sumdiv(n, d, moebius(d)*{}^(n/d)); \\\\ {}, 2020", upto(9),
                          person()));
    for (int i = upto(2); i >= 0; --i)
      line('Y', fmt::format("Cf. {}, {}, {}.", mention(1), mention(1), mention(1)));
    if (upto(9) == 0)
      line('Y', fmt::format("Cf. {}-{} ({}).", mention(1), mention(1), sentence(4)));
    line('K', fmt::format("{}{}{}", negative_ ? "sign" : "nonn",
                          upto(5) == 0   ? ",nice"
                          : upto(3) == 0 ? ",easy"
                                         : "",
                          number < 1000 && upto(6) == 0 ? ",core" : ""));
    line('O', fmt::format("{},{}", upto(1), upto(5) + 1));
    line('A', person());
    return std::move(text_);
  }

 private:
  int upto(int most) { return std::uniform_int_distribution<int>(0, most)(random_); }
  double part() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  template <std::size_t N>
  std::string_view any(const std::string_view (&list)[N]) {
    return list[static_cast<std::size_t>(upto(static_cast<int>(N) - 1))];
  }
  std::string_view person() { return any(kPeople); }
  void line(char kind, std::string_view rest) {
    fmt::format_to(std::back_inserter(text_), "%{} {} {}\n", kind, id_, rest);
  }
  /// Low numbers are mentioned far more often, as in truth; in `share` of the calls, else words.
  std::string mention(double share) {
    if (part() > share) return std::string(any(kWords));
    const double popular = std::pow(static_cast<double>(count_), part());
    const double number = upto(2) == 0 ? part() * count_ : popular;
    return fmt::format("A{:06}",
                       std::clamp<std::uint32_t>(static_cast<std::uint32_t>(number), 1, count_));
  }
  std::string sentence(int words) {
    std::string text;
    for (int i = 0; i < words; ++i)
      (text += i > 0 ? " " : "") += any(kWords);
    return text;
  }
  std::string name() {
    std::string text = fmt::format("{} {}", any(kKinds), sentence(3 + upto(5)));
    if (upto(4) == 0) text += fmt::format(" ({})", mention(1));
    return text + ".";
  }
  void terms() {
    negative_ = upto(5) == 0;
    double value = upto(9);
    const double growth = 1 + part() * part();
    const int step = 1 + upto(20);
    std::string row;
    char kind = 'S';
    for (int left = 30 + upto(60); left > 0 && row.size() < 200; --left) {
      row += fmt::format("{:.0f}", negative_ && upto(1) == 0 ? -value : value);
      value = std::min(value * growth + upto(step), 1e30);
      if (left > 1) row += ',';
      if (row.size() < 66 || kind == 'U' || left == 1) continue;
      line(kind++, row);
      row.clear();
    }
    if (row.ends_with(',')) row.pop_back();
    if (!row.empty()) line(kind, row);
  }

  const std::uint32_t count_;
  std::mt19937 random_;
  std::string id_, text_;
  bool negative_ = false;
};

}  // namespace

int make_tree(const std::string& folder, std::uint32_t count) {
  Maker maker(count);
  std::uint64_t bytes = 0;
  std::string inner;
  for (std::uint32_t number = 1; number <= count; ++number) {
    const std::string id = fmt::format("A{:06}", number);
    if (number == 1 || number % 1000 == 0) {
      inner = folder + "/seq/" + id.substr(0, 4);
      std::filesystem::create_directories(inner);
    }
    const std::string text = maker.entry(number);
    std::ofstream file(inner + "/" + id + ".seq", std::ios::binary);
    if (!(file << text)) {
      fmt::print(stderr, "cannot write below {}\n", inner);
      return 1;
    }
    bytes += text.size();
  }
  fmt::print("{} entries, {} bytes each\n", count, bytes / std::max(count, 1u));
  return 0;
}

}  // namespace gatescope::bench
