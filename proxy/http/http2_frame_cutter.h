#pragma once

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace gatescope::http {

/// Finds the frames in bytes that come in any pieces, so that each can be judged before nghttp2
/// reads it: that ignores frames on streams that are over, and of unknown types, without a word.
class Http2FrameCutter {
 public:
  /// How many bytes of `data` belong to the frame that is there (at first: to the client's
  /// preface). `begins`: `head` is that of a frame which begins in them, or began in the ones
  /// before.
  std::size_t next(std::span<const std::byte> data, bool& begins, nghttp2_frame_hd& head) {
    begins = false;
    std::size_t taken = 0;
    if (left_ == 0) {
      taken = std::min(kHead - have_, data.size());
      std::copy_n(data.begin(), taken, head_.begin() + static_cast<std::ptrdiff_t>(have_));
      have_ += taken;
      if (have_ < kHead) return taken;
      have_ = 0;
      begins = true;
      left_ = number(0, 3);
      head = {left_, static_cast<std::int32_t>(number(5, 4) & 0x7fffffff),
              static_cast<std::uint8_t>(number(3, 1)), static_cast<std::uint8_t>(number(4, 1)), 0};
    }
    const std::size_t payload = std::min(left_, data.size() - taken);
    left_ -= payload;
    return taken + payload;
  }

 private:
  static constexpr std::size_t kHead = 9;
  std::size_t number(std::size_t at, std::size_t bytes) const {
    std::size_t n = 0;
    for (std::size_t i = at; i < at + bytes; ++i)
      n = n << 8 | static_cast<std::size_t>(head_[i]);
    return n;
  }

  std::array<std::byte, kHead> head_{};
  std::size_t have_ = 0;                         // bytes of a head
  std::size_t left_ = NGHTTP2_CLIENT_MAGIC_LEN;  // of the payload, or of the preface
};

}  // namespace gatescope::http
