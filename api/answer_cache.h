#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <unordered_map>

#include "api/answer.h"
#include "proxy/base/clock.h"

namespace gatescope::api {

/// Encoded answers, bounded in bytes; the one not used for longest goes first. What is no longer
/// good stays while there is room: it is better than nothing when the database is away. Owned by
/// SequenceService, which guards it.
class AnswerCache {
 public:
  using Kept = std::shared_ptr<const EncodedAnswer>;

  explicit AnswerCache(std::size_t limit) : limit_(limit) {}

  /// Null: not here, or no longer good.
  Kept find(const AnswerKey& key, MonoTime now);
  /// Whatever is here, good or not.
  Kept last(const AnswerKey& key) const;
  /// Replaces what is there; returns what is kept: the one that was there if it says the same,
  /// which has its forms already. One that would fill more than a quarter is not kept.
  Kept put(Kept answer, MonoTime good_until);
  /// From now on it is to be asked for anew.
  void expire(const AnswerKey& key);
  void expire_all();
  /// All of it; how many answers that were.
  std::size_t clear();
  void limit(std::size_t bytes);
  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return by_key_.size(); }

 private:
  struct Entry {
    Kept answer;
    MonoTime good_until;
    std::size_t charged;  // bytes; forms are made after it came
  };
  using Entries = std::list<Entry>;
  void charge(Entry& entry);
  void make_room();
  void erase(Entries::iterator entry);

  std::size_t limit_;
  Entries entries_;  // last used first
  std::unordered_map<AnswerKey, Entries::iterator> by_key_;
  std::size_t bytes_ = 0;
};

}  // namespace gatescope::api
