#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "proxy/base/bytes.h"

namespace gatescope::http {

/// The pieces of a body until they are framed, referred to and not copied: a small file goes from
/// the cache into the connection's output in one step. ByteQueue would copy it twice.
class Http2Queue {
 public:
  void append(SharedBytes bytes) {
    size_ += bytes.size();
    pieces_.push_back(std::move(bytes));
  }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// What it holds of memory at most, as long as pieces are not parts of something larger.
  std::size_t weight() const { return size_ + (pieces_.size() - first_) * kPieceWeight; }
  /// n <= size().
  void move_to(ByteQueue& to, std::size_t n) {
    size_ -= n;
    while (n > 0) {
      SharedBytes& piece = pieces_[first_];
      const std::size_t now = std::min(n, piece.size());
      n -= now;
      if (now == piece.size()) {
        to.append(std::move(piece));
        piece = SharedBytes();
        ++first_;
      } else {
        to.append(piece.slice(0, now));
        piece.remove_prefix(now);
      }
    }
    if (first_ == pieces_.size()) {
      pieces_.clear();
      first_ = 0;
    } else if (first_ >= 16 && first_ * 2 >= pieces_.size()) {
      pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
  }
  void clear() {
    pieces_.clear();
    first_ = size_ = 0;
  }

 private:
  static constexpr std::size_t kPieceWeight = 96;
  Spare::Vector<SharedBytes> pieces_;  // from first_ on
  std::size_t first_ = 0, size_ = 0;
};

}  // namespace gatescope::http
