#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "proxy/base/text_map.h"

namespace gatescope::api {

/// What was found out of numbers lately, for whichever sequence: the same ones come again and again
/// (a row of 100,000 divisors has some hundred different ones). Bounded: when one half is full, the
/// other, older one is dropped. Owned by FactorService.
class FactorMemory {
 public:
  /// `most` numbers, and about so many bytes.
  explicit FactorMemory(std::size_t most = 50'000, std::size_t bytes = 8u << 20)
      : most_(most / 2), most_bytes_(bytes / 2) {}

  /// Null: not known. Valid until the next call.
  const std::string* find(std::string_view number) {
    if (const auto young = young_.find(number); young != young_.end()) return &young->second;
    const auto old = old_.find(number);
    if (old == old_.end()) return nullptr;
    const std::string text = std::move(old->second);
    old_.erase(old);
    put(number, text);
    return &young_.find(number)->second;
  }
  void put(std::string_view number, std::string_view factors) {
    if (young_.size() >= most_ || young_bytes_ >= most_bytes_) {
      old_.clear();
      old_.swap(young_);
      young_bytes_ = 0;
    }
    young_.insert_or_assign(std::string(number), std::string(factors));
    young_bytes_ += number.size() + factors.size() + kOverhead;
  }

 private:
  static constexpr std::size_t kOverhead = 100;
  using Map = TextMap<std::string>;

  const std::size_t most_, most_bytes_;
  Map young_, old_;
  std::size_t young_bytes_ = 0;
};

/// Numbers that workers died of, for this process's life. Bounded: when it is full, all are
/// forgotten.
class DeadlyNumbers {
 public:
  static constexpr unsigned kTwice = 2;  // then it is given up
  /// How often a worker died of it by now.
  unsigned add(const std::string& number) {
    if (deaths_.size() >= kMost) deaths_.clear();
    return ++deaths_[number];
  }
  unsigned of(const std::string& number) const {
    if (deaths_.empty()) return 0;
    const auto found = deaths_.find(number);
    return found == deaths_.end() ? 0 : found->second;
  }

 private:
  static constexpr std::size_t kMost = 10'000;
  std::unordered_map<std::string, unsigned> deaths_;
};

}  // namespace gatescope::api
