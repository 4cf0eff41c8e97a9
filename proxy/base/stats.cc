#include "proxy/base/stats.h"

namespace gatescope {

Counter& Stats::counter(std::string_view name, std::string_view unit, std::string_view help) {
  std::lock_guard lock(mutex_);
  for (Entry& entry : entries_) {
    if (entry.name == name) return entry.counter;
  }
  Entry& made = entries_.emplace_back();  // in place: a Counter cannot be moved
  made.name = name;
  made.unit = unit;
  made.help = help;
  return made.counter;
}

std::vector<const Stats::Entry*> Stats::entries() const {
  std::lock_guard lock(mutex_);
  std::vector<const Entry*> result;
  result.reserve(entries_.size());
  for (const Entry& entry : entries_)
    result.push_back(&entry);
  return result;
}

}  // namespace gatescope
