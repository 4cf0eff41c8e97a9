#pragma once

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace gatescope::http {

/// Finds the frames in bytes that come in any pieces, so that each can be judged before nghttp2
/// reads it: that ignores frames on streams that are over, and of unknown types, without a word. At
/// first there is the client's preface, which is no frame.
class Http2FrameCutter {
 public:
  struct Piece {
    std::size_t size = 0;     // bytes of `data` that belong together
    std::size_t payload = 0;  // the last of them, which are no frame's head
    bool begins = false;      // a head is complete: head(), head_bytes()
  };
  Piece next(std::span<const std::byte> data) {
    Piece piece;
    if (left_ == 0) {
      piece.size = std::min(kHead - have_, data.size());
      std::copy_n(data.begin(), piece.size, head_.begin() + static_cast<std::ptrdiff_t>(have_));
      have_ += piece.size;
      if (have_ < kHead) return piece;
      have_ = 0;
      piece.begins = true;
      left_ = number(0, 3);
    }
    piece.payload = std::min(left_, data.size() - piece.size);
    piece.size += piece.payload;
    left_ -= piece.payload;
    return piece;
  }
  std::span<const std::byte> head_bytes() const { return head_; }
  nghttp2_frame_hd head() const {
    return {number(0, 3), static_cast<std::int32_t>(number(5, 4) & 0x7fffffff),
            static_cast<std::uint8_t>(number(3, 1)), static_cast<std::uint8_t>(number(4, 1)), 0};
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
