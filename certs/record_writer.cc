#include "certs/record_writer.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace gatescope::tls {
namespace {

constexpr std::size_t kLargestRecord = 16384;
constexpr std::size_t kPieces = 16;  // joined into one record at most

/// The next record: a part of the first piece when that fills it (or is all there is), else the
/// first pieces copied together: a record costs more than a copy.
std::span<const std::byte> next_record(const ByteQueue& clear, std::size_t size,
                                       std::span<std::byte> join) {
  std::array<std::span<const std::byte>, kPieces> pieces;
  const std::size_t count = clear.peek(pieces);
  if (count == 1 || pieces[0].size() >= size) {
    return pieces[0].first(std::min(size, pieces[0].size()));
  }
  std::size_t filled = 0;
  for (std::size_t i = 0; i < count && filled < size; ++i) {
    const std::size_t n = std::min(size - filled, pieces[i].size());
    std::memcpy(join.data() + filled, pieces[i].data(), n);
    filled += n;
  }
  return join.first(filled);
}

}  // namespace

bool RecordWriter::encrypt(TlsEngine& engine, ByteQueue& clear, MonoTime now) {
  // Nothing below calls anybody who could come back here, so the thread needs one.
  thread_local std::array<std::byte, kLargestRecord> join;
  if (now - last_ > kPause) sent_ = 0;
  last_ = now;
  const std::size_t largest = std::min(engine.record_size(), kLargestRecord);
  while (!clear.empty()) {
    const std::size_t size = sent_ < kSmallUntil ? std::min(kSmallRecord, largest) : largest;
    const auto record = next_record(clear, size, join);
    if (engine.write(record) != TlsEngine::Outcome::Done) return false;
    sent_ += record.size();
    clear.consume(record.size());
  }
  return true;
}

}  // namespace gatescope::tls
