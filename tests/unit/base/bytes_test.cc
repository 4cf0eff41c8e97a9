#include "proxy/base/bytes.h"

#include <array>
#include <deque>
#include <random>

#include "proxy/base/spare.h"
#include "tests/support/catch.h"

using gatescope::ByteQueue;
using gatescope::SharedBytes;

namespace {

std::size_t pieces_of(const ByteQueue& queue) {
  std::array<std::span<const std::byte>, 64> out;
  return queue.peek(out);
}

std::string front_of(const ByteQueue& queue) {
  std::array<std::span<const std::byte>, 1> out;
  return queue.peek(out) == 0 ? std::string() : std::string(gatescope::as_text(out[0]));
}

}  // namespace

TEST_CASE("SharedBytes keeps its owner alive through slices") {
  SharedBytes slice;
  {
    const SharedBytes whole(std::string(5000, 'a') + "tail");
    slice = whole.slice(5000, 4);
  }
  CHECK(slice.text() == "tail");
  slice.remove_prefix(2);
  CHECK(slice.text() == "il");
}

TEST_CASE("ByteQueue joins small pieces into one") {
  ByteQueue queue;
  queue.append_copy("HTTP/1.1 200 OK\r\n");
  queue.append(SharedBytes::of_static("Server: x\r\n"));
  queue.tail() += "\r\n";
  queue.append(SharedBytes::copy_of("body"));
  CHECK(queue.to_string() == "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nbody");
  CHECK(queue.size() == queue.to_string().size());
  CHECK(pieces_of(queue) == 1);
}

TEST_CASE("ByteQueue refers to large pieces without copying them") {
  const SharedBytes large(std::string(ByteQueue::kCopyBelow, 'x'));
  ByteQueue queue;
  queue.append_copy("head");
  queue.append(large);
  queue.append_copy("foot");
  std::array<std::span<const std::byte>, 4> out;
  REQUIRE(queue.peek(out) == 3);
  CHECK(out[1].data() == large.data());
  CHECK(queue.size() == large.size() + 8);
}

TEST_CASE("ByteQueue lets go of a shared owner as soon as it is consumed") {
  auto owner = std::make_shared<const std::string>(4096, 'x');
  ByteQueue queue;
  queue.append(SharedBytes::of_owner(owner, gatescope::as_bytes(*owner)));
  queue.append(SharedBytes::of_owner(owner, gatescope::as_bytes(*owner)));
  CHECK(owner.use_count() == 3);
  queue.consume(4096);
  CHECK(owner.use_count() == 2);
  queue.clear();
  CHECK(owner.use_count() == 1);
}

// Not under AddressSanitizer, which keeps what was freed from being used again.
TEST_CASE("ByteQueue uses a drained buffer again") {
  ByteQueue queue;
  queue.append_copy("first");
  std::array<std::span<const std::byte>, 1> out;
  queue.peek(out);
  const std::byte* const storage = out[0].data();
  queue.consume(5);
  CHECK(queue.empty());
  queue.append_copy("second");
  queue.peek(out);
  CHECK((out[0].data() == storage) == (gatescope::Spare::kKept > 0));
}

TEST_CASE("ByteQueue does not keep what it sent, even when it is never quite empty") {
  ByteQueue queue;
  const std::string line(1000, 'x');
  queue.append_copy(line);
  for (int i = 0; i < 10'000; ++i) {
    queue.append_copy(line);
    queue.consume(line.size());
  }
  CHECK(queue.size() == line.size());
  CHECK(queue.tail().capacity() <= 2 * ByteQueue::kJoinUpTo);
}

TEST_CASE("ByteQueue keeps size and order when a tail was asked for and not written to") {
  ByteQueue queue;
  queue.tail();
  CHECK(queue.empty());
  CHECK(pieces_of(queue) == 0);
  queue.append(SharedBytes(std::string(3000, 'b')));
  queue.tail();
  CHECK(queue.size() == 3000);
  CHECK(queue.pop_front().size() == 3000);
  CHECK(queue.empty());
}

TEST_CASE("pop_front hands out what is left of the first piece") {
  ByteQueue queue;
  queue.append_copy("abcdef");
  queue.append(SharedBytes(std::string(3000, 'x')));
  queue.consume(2);
  CHECK(queue.pop_front().text() == "cdef");
  CHECK(queue.size() == 3000);
  CHECK(queue.pop_front().text() == std::string(3000, 'x'));
  CHECK(queue.empty());
}

TEST_CASE("append_all takes everything and leaves the other queue usable") {
  ByteQueue a, b;
  a.append_copy("a");
  b.append_copy("0123");
  b.consume(2);
  b.append(SharedBytes(std::string(3000, 'x')));
  b.append(SharedBytes(std::string(2500, 'y')));
  b.consume(102);
  a.append_all(std::move(b));
  CHECK(a.to_string() == "a" + std::string(2900, 'x') + std::string(2500, 'y'));
  CHECK(a.size() == a.to_string().size());
  CHECK(b.empty());
  b.append_copy("again");
  CHECK(b.size() == 5);
  CHECK(b.to_string() == "again");
}

TEST_CASE("append_all of a partly consumed own buffer that is too large to copy") {
  ByteQueue a, b;
  b.append_copy(std::string(5000, 'x'));
  b.consume(1000);
  a.append_all(std::move(b));
  CHECK(a.size() == 4000);
  CHECK(b.size() == 0);
}

TEST_CASE("ByteQueue behaves as a string under any sequence of calls") {
  std::mt19937 random(20261123);
  ByteQueue queue;
  std::string model;
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t n = random() % (random() % 8 == 0 ? 6000 : 300);
    const std::string text(n, static_cast<char>('a' + step % 26));
    switch (random() % 7) {
      case 0:
        queue.append(SharedBytes::copy_of(text)), model += text;
        break;
      case 1:
        queue.append_copy(text), model += text;
        break;
      case 2:
        queue.tail() += text, model += text;
        break;
      case 3: {
        ByteQueue other;
        other.append_copy(text);
        other.append(SharedBytes(std::string(2100, '!')));
        other.consume(n / 2);
        queue.append_all(std::move(other));
        model += text.substr(n / 2) + std::string(2100, '!');
        break;
      }
      case 4:
        if (!model.empty()) {
          const SharedBytes front = queue.pop_front();
          REQUIRE(!front.empty());
          REQUIRE(model.starts_with(front.text()));
          model.erase(0, front.size());
        }
        break;
      default: {
        const std::size_t drop = std::min<std::size_t>(random() % 4000, model.size());
        queue.consume(drop);
        model.erase(0, drop);
      }
    }
    REQUIRE(queue.size() == model.size());
    REQUIRE(model.starts_with(front_of(queue)));
    if (step % 100 == 0) REQUIRE(queue.to_string() == model);
    if (step % 1000 == 0) queue.shrink();
  }
}
