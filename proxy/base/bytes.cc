#include "proxy/base/bytes.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace gatescope {
namespace {

// Capacity of a fresh own buffer: a usual response head with a small body.
constexpr std::size_t kFirstCapacity = 4096;
constexpr std::size_t kUsualPieces = 2;

}  // namespace

SharedBytes SharedBytes::copy_of(std::string_view text) {
  if (text.empty()) return {};
  std::shared_ptr<std::byte[]> copy =
      std::allocate_shared_for_overwrite<std::byte[]>(Spare::Allocator<std::byte>(), text.size());
  std::memcpy(copy.get(), text.data(), text.size());
  const std::span<const std::byte> data(copy.get(), text.size());
  return of_owner(std::move(copy), data);
}

std::span<const std::byte> ByteQueue::Piece::span() const {
  return is_own ? as_bytes(std::string_view(own).substr(offset)) : shared.span();
}

ByteQueue::Piece& ByteQueue::push() {
  if (begin_ == pieces_.size()) {
    pieces_.clear();
    begin_ = 0;
  } else {
    closed_size_ += pieces_.back().size();
    // The dead front is given up once it is the larger half, so each piece is moved at most once or
    // so.
    if (begin_ >= 16 && begin_ * 2 >= pieces_.size()) {
      pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(begin_));
      begin_ = 0;
    }
  }
  if (pieces_.capacity() == 0) pieces_.reserve(kUsualPieces);
  return pieces_.emplace_back();
}

void ByteQueue::drop_front() {
  Piece& piece = pieces_[begin_];
  if (begin_ + 1 != pieces_.size()) closed_size_ -= piece.size();
  if (piece.is_own) Spare::give_back(std::move(piece.own));
  if (++begin_ == pieces_.size()) {
    pieces_.clear();
    begin_ = 0;
  } else {
    piece = Piece{};  // a shared owner is let go now, not when the vector is next reset
  }
}

ByteQueue::Piece& ByteQueue::own_tail(std::size_t more) {
  if (begin_ != pieces_.size()) {
    Piece& last = pieces_.back();
    if (last.is_own && (last.own.size() + more <= std::max(kJoinUpTo, last.own.capacity()))) {
      return last;
    }
  }
  Piece& made = push();
  made.is_own = true;
  made.own = Spare::text();
  made.own.reserve(std::max(more, kFirstCapacity));
  return made;
}

void ByteQueue::append(SharedBytes bytes) {
  if (bytes.empty()) return;
  if (bytes.size() < kCopyBelow) {
    append_copy(bytes.text());
    return;
  }
  push().shared = std::move(bytes);
}

void ByteQueue::append_copy(std::string_view text) {
  if (!text.empty()) own_tail(text.size()).own.append(text);
}

std::string& ByteQueue::tail() {
  return own_tail(kCopyBelow).own;
}

void ByteQueue::append_all(ByteQueue&& other) {
  for (std::size_t i = other.begin_; i < other.pieces_.size(); ++i) {
    Piece& piece = other.pieces_[i];
    if (piece.size() < kCopyBelow) {
      append_copy(as_text(piece.span()));
    } else {
      push() = std::move(piece);
    }
  }
  other.pieces_.clear();  // not clear(): the pieces are moved from, their sizes mean nothing
  other.begin_ = 0;
  other.closed_size_ = 0;
}

void ByteQueue::consume(std::size_t n) {
  assert(n <= size());
  while (n > 0) {
    Piece& piece = pieces_[begin_];
    const std::size_t here = piece.size();
    if (n >= here) {
      n -= here;
      drop_front();
      continue;
    }
    if (piece.is_own) {
      piece.offset += n;
    } else {
      piece.shared.remove_prefix(n);
    }
    if (begin_ + 1 != pieces_.size()) closed_size_ -= n;
    return;
  }
}

void ByteQueue::clear() {
  while (begin_ != pieces_.size())
    drop_front();
}

void ByteQueue::shrink() {
  if (begin_ == pieces_.size()) {
    free_storage(pieces_);
    begin_ = 0;
  }
}

std::size_t ByteQueue::peek(std::span<std::span<const std::byte>> out) const {
  std::size_t count = 0;
  for (std::size_t i = begin_; i < pieces_.size() && count < out.size(); ++i) {
    const auto bytes = pieces_[i].span();
    if (!bytes.empty()) out[count++] = bytes;  // tail() may have left an empty piece
  }
  return count;
}

std::string ByteQueue::to_string() const {
  std::string result;
  result.reserve(size());
  for (std::size_t i = begin_; i < pieces_.size(); ++i)
    result += as_text(pieces_[i].span());
  return result;
}

SharedBytes ByteQueue::pop_front() {
  while (pieces_[begin_].size() == 0)
    drop_front();
  Piece& piece = pieces_[begin_];
  const std::size_t size = piece.size();
  SharedBytes result;
  if (piece.is_own) {
    const std::size_t offset = piece.offset;
    result = SharedBytes(std::move(piece.own));
    result.remove_prefix(offset);
  } else {
    result = std::move(piece.shared);
  }
  if (begin_ + 1 != pieces_.size()) closed_size_ -= size;
  piece = Piece{};  // counts as empty from here on
  drop_front();
  return result;
}

}  // namespace gatescope
