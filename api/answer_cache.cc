#include "api/answer_cache.h"

#include <iterator>
#include <utility>

namespace gatescope::api {

AnswerCache::Kept AnswerCache::find(const AnswerKey& key, MonoTime now) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end() || found->second->good_until <= now) return nullptr;
  Entry& entry = *found->second;
  entries_.splice(entries_.begin(), entries_, found->second);
  if (entry.charged != entry.answer->footprint()) {
    const Kept answer = entry.answer;  // making room may drop the entry
    charge(entry);
    make_room();
    return answer;
  }
  return entry.answer;
}

AnswerCache::Kept AnswerCache::last(const AnswerKey& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second->answer;
}

AnswerCache::Kept AnswerCache::put(Kept answer, MonoTime good_until) {
  if (const auto found = by_key_.find(answer->key()); found != by_key_.end()) {
    if (found->second->answer->same_as(*answer)) {
      found->second->good_until = good_until;
      return found->second->answer;
    }
    erase(found->second);
  }
  if (answer->footprint() > limit_ / 4) return answer;
  entries_.push_front({answer, good_until, 0});
  by_key_[answer->key()] = entries_.begin();
  charge(entries_.front());
  make_room();
  return answer;
}

void AnswerCache::expire(const AnswerKey& key) {
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) found->second->good_until = MonoTime::min();
}

void AnswerCache::expire_all() {
  for (Entry& entry : entries_)
    entry.good_until = MonoTime::min();
}

std::size_t AnswerCache::clear() {
  const std::size_t answers = entries_.size();
  while (!entries_.empty())
    erase(entries_.begin());
  return answers;
}

void AnswerCache::limit(std::size_t bytes) {
  limit_ = bytes;
  make_room();
}

void AnswerCache::charge(Entry& entry) {
  bytes_ -= entry.charged;
  entry.charged = entry.answer->footprint();
  bytes_ += entry.charged;
}

void AnswerCache::make_room() {
  while (bytes_ > limit_)
    erase(std::prev(entries_.end()));
}

void AnswerCache::erase(Entries::iterator entry) {
  bytes_ -= entry->charged;
  by_key_.erase(entry->answer->key());
  entries_.erase(entry);
}

}  // namespace gatescope::api
