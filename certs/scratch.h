#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace gatescope::tls {

/// A buffer for decrypted bytes, lent by the thread for one callback: idle connections keep none. A
/// second borrower on the same stack gets a fresh one.
class Scratch {
 public:
  static constexpr std::size_t kSize = 64 * 1024;

  Scratch() : bytes_(std::move(spare())) {
    if (!bytes_) bytes_ = std::make_unique_for_overwrite<std::byte[]>(kSize);
  }
  ~Scratch() { spare() = std::move(bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::span<std::byte> room() const { return {bytes_.get(), kSize}; }

 private:
  static std::unique_ptr<std::byte[]>& spare() {
    thread_local std::unique_ptr<std::byte[]> kept;
    return kept;
  }
  std::unique_ptr<std::byte[]> bytes_;
};

}  // namespace gatescope::tls
