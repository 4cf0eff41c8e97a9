#include "api/sequence_cache.h"

#include <iterator>
#include <utility>

namespace gatescope::api {

std::shared_ptr<const EncodedSequence> SequenceCache::find(SequenceId id, MonoTime now) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return nullptr;
  if (found->second->good_until <= now) {
    erase(found->second);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->answer;
}

void SequenceCache::put(std::shared_ptr<const EncodedSequence> answer, MonoTime good_until) {
  if (const auto found = by_id_.find(answer->id()); found != by_id_.end()) erase(found->second);
  const std::size_t size = answer->footprint();
  if (size > limit_ / 4) return;
  entries_.push_front({std::move(answer), good_until});
  by_id_[entries_.front().answer->id()] = entries_.begin();
  bytes_ += size;
  while (bytes_ > limit_)
    erase(std::prev(entries_.end()));
}

void SequenceCache::erase(Entries::iterator entry) {
  bytes_ -= entry->answer->footprint();
  by_id_.erase(entry->answer->id());
  entries_.erase(entry);
}

}  // namespace gatescope::api
