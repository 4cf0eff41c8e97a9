#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <unordered_map>

#include "api/answer.h"
#include "proxy/base/clock.h"

namespace gatescope::api {

/// Encoded answers, bounded in bytes; the one not used for longest goes first. Owned by
/// SequenceService, which guards it.
class SequenceCache {
 public:
  explicit SequenceCache(std::size_t limit) : limit_(limit) {}

  /// Null: not here, or no longer good.
  std::shared_ptr<const EncodedSequence> find(SequenceId id, MonoTime now);
  /// Replaces what is there. One that would fill more than a quarter is not kept.
  void put(std::shared_ptr<const EncodedSequence> answer, MonoTime good_until);
  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return by_id_.size(); }

 private:
  struct Entry {
    std::shared_ptr<const EncodedSequence> answer;
    MonoTime good_until;
  };
  using Entries = std::list<Entry>;
  void erase(Entries::iterator entry);

  const std::size_t limit_;
  Entries entries_;  // last used first
  std::unordered_map<SequenceId, Entries::iterator> by_id_;
  std::size_t bytes_ = 0;
};

}  // namespace gatescope::api
