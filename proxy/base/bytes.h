#pragma once

// Bytes that are passed on without being copied, and the queue they wait in.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/spare.h"

namespace gatescope {

inline std::span<const std::byte> as_bytes(std::string_view s) {
  return {reinterpret_cast<const std::byte*>(s.data()), s.size()};
}
inline std::string_view as_text(std::span<const std::byte> b) {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

/// Empties a string or vector and frees its memory. Assigning an empty one does not: a string moved
/// from a short one keeps its buffer, and `v = {}` assigns a list of no elements.
template <class Container>
void free_storage(Container& container) {
  Container().swap(container);
}

/// A piece of immutable bytes with a shared owner: a cached file, an encoded answer that many
/// clients get. Copying counts a reference (atomically: every loop reads the caches). One of the
/// two places where ownership is shared (doc/architecture.md). A piece of static storage has no
/// owner.
class SharedBytes {
 public:
  SharedBytes() = default;
  /// Takes the string's storage.
  explicit SharedBytes(std::string&& text)
      : owner_(std::make_shared<const std::string>(std::move(text))) {
    auto& kept = *static_cast<const std::string*>(owner_.get());
    data_ = as_bytes(kept);
  }
  /// Bytes that live as long as the program (a literal).
  static SharedBytes of_static(std::string_view text) {
    SharedBytes b;
    b.data_ = gatescope::as_bytes(text);
    return b;
  }
  /// Bytes inside something else that is shared.
  static SharedBytes of_owner(std::shared_ptr<const void> owner, std::span<const std::byte> data) {
    SharedBytes b;
    b.owner_ = std::move(owner);
    b.data_ = data;
    return b;
  }
  static SharedBytes copy_of(std::string_view text);

  /// The same owner, fewer bytes. offset + length must lie within.
  SharedBytes slice(std::size_t offset, std::size_t length) const {
    SharedBytes b = *this;
    b.data_ = data_.subspan(offset, length);
    return b;
  }
  const std::byte* data() const { return data_.data(); }
  std::size_t size() const { return data_.size(); }
  bool empty() const { return data_.empty(); }
  std::span<const std::byte> span() const { return data_; }
  std::string_view text() const { return as_text(data_); }
  void remove_prefix(std::size_t n) { data_ = data_.subspan(n); }

 private:
  std::shared_ptr<const void> owner_;
  std::span<const std::byte> data_;
};

/// First in, first out. Small pieces are joined: text appended behind a piece that this queue made
/// itself goes into the same buffer, so that heads and small bodies leave in one piece. Drained
/// buffers are the thread's (Spare).
class ByteQueue {
 public:
  /// Pieces below this size are copied and joined instead of being referred to: a reference costs
  /// more.
  static constexpr std::size_t kCopyBelow = 2048;
  /// A joined buffer grows to about this size, then the next one begins: one TLS record, and a
  /// queue that is never quite empty must not keep all that it ever sent.
  static constexpr std::size_t kJoinUpTo = 16384;

  void append(SharedBytes bytes);           // refers to large pieces, copies small ones
  void append_copy(std::string_view text);  // copies
  /// Room to format into: the joined tail; only append to it, before any other call.
  std::string& tail();
  void append_all(ByteQueue&& other);

  std::size_t size() const {
    return closed_size_ + (begin_ == pieces_.size() ? 0 : pieces_.back().size());
  }
  bool empty() const { return size() == 0; }
  /// Drops the first n bytes (n <= size()).
  void consume(std::size_t n);
  void clear();
  /// Gives back storage that is kept for the next bytes, for a connection that falls idle.
  void shrink();
  /// Fills `out` with views of the first pieces; returns how many. Valid until the next change.
  std::size_t peek(std::span<std::span<const std::byte>> out) const;
  /// Everything as one string, for tests and small bodies.
  std::string to_string() const;
  /// Takes the first piece off, whole; an own buffer is moved out. Precondition: !empty().
  SharedBytes pop_front();

 private:
  struct Piece {
    SharedBytes shared;      // when !is_own
    std::string own;         // when is_own
    std::size_t offset = 0;  // bytes of `own` consumed already
    bool is_own = false;
    std::size_t size() const { return is_own ? own.size() - offset : shared.size(); }
    std::span<const std::byte> span() const;
  };
  Piece& push();      // a new last piece
  void drop_front();  // the first piece, empty or not
  Piece& own_tail(std::size_t more);

  Spare::Vector<Piece>
      pieces_;  // [begin_, end): a vector used as a ring that is reset when it runs empty
  std::size_t begin_ = 0;
  std::size_t closed_size_ =
      0;  // bytes in all pieces but the last, which tail() may let others grow
};

/// What a writer says: go on, or wait until it calls back (on_writable, on_drained).
enum class Flow { GoOn, Wait };

}  // namespace gatescope
