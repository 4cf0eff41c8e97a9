#include "proxy/base/stats.h"

#include <algorithm>

namespace gatescope {

Stats::Family& Stats::family(StatKind kind, std::string_view name, std::string_view unit,
                             std::string_view help) {
  const auto found = std::find_if(families_.begin(), families_.end(),
                                  [&](const auto& family) { return family->name == name; });
  if (found != families_.end()) return **found;
  auto& made = *families_.emplace_back(std::make_unique<Family>());
  made.name = name;
  made.unit = unit;
  made.help = help;
  made.kind = kind;
  return made;
}

Stats::Member& Stats::member(StatKind kind, std::string_view name, std::string_view unit,
                             std::string_view help, Labels labels) {
  auto& family = this->family(kind, name, unit, help);
  for (const auto& member : family.members)
    if (member->labels == labels) return *member;
  auto& made = family.members.emplace_back(std::make_unique<Member>());
  made->labels = std::move(labels);
  return *made;
}

Counter& Stats::counter(std::string_view name, std::string_view unit, std::string_view help,
                        Labels labels) {
  std::lock_guard lock(mutex_);
  return member(StatKind::Counter, name, unit, help, std::move(labels)).counter;
}

Counter& Stats::gauge(std::string_view name, std::string_view unit, std::string_view help,
                      Labels labels) {
  std::lock_guard lock(mutex_);
  return member(StatKind::Gauge, name, unit, help, std::move(labels)).counter;
}

void Stats::add_part(StatKind kind, std::string_view name, std::string_view unit,
                     std::string_view help, Labels labels, const LoopCounter& part) {
  std::lock_guard lock(mutex_);
  member(kind, name, unit, help, std::move(labels)).parts.push_back(&part);
}

void Stats::add_part(std::string_view name, std::string_view unit, std::string_view help,
                     Labels labels, const TimeHistogram& part) {
  std::lock_guard lock(mutex_);
  member(StatKind::Histogram, name, unit, help, std::move(labels)).times.push_back(&part);
}

void Stats::replace(std::string_view name, std::string_view unit, std::string_view help,
                    const std::vector<std::pair<Labels, std::int64_t>>& members) {
  std::lock_guard lock(mutex_);
  auto& family = this->family(StatKind::Gauge, name, unit, help);
  family.members.clear();
  for (const auto& [labels, value] : members) {
    auto& made = family.members.emplace_back(std::make_unique<Member>());
    made->labels = labels;
    made->counter.set(value);
  }
}

std::vector<Sample> Stats::samples() const {
  std::lock_guard lock(mutex_);
  std::vector<Sample> result;
  for (const auto& family : families_) {
    for (const auto& member : family->members) {
      Sample& sample = result.emplace_back();
      sample.name = family->name;
      sample.unit = family->unit;
      sample.help = family->help;
      sample.kind = family->kind;
      sample.labels = member->labels;
      sample.value = member->counter.value();
      for (const auto* part : member->parts)
        sample.value += part->value();
      if (family->kind != StatKind::Histogram) continue;
      auto times = std::make_shared<TimeCounts>();
      for (const auto* part : member->times)
        part->read_into(*times);
      sample.times = std::move(times);
    }
  }
  return result;
}

StatValues::StatValues(std::vector<Sample> samples) {
  for (auto& sample : samples)
    by_name_[sample.name].push_back(std::move(sample));
}

const std::vector<Sample>& StatValues::of(std::string_view name) const {
  static const std::vector<Sample> kNone;
  const auto found = by_name_.find(name);
  return found != by_name_.end() ? found->second : kNone;
}

std::int64_t StatValues::sum(std::string_view name, std::string_view label,
                             std::string_view value) const {
  std::int64_t sum = 0;
  for (const auto& sample : of(name)) {
    const bool counts =
        label.empty() ||
        std::any_of(sample.labels.begin(), sample.labels.end(),
                    [&](const auto& one) { return one.first == label && one.second == value; });
    if (counts) sum += sample.value;
  }
  return sum;
}

TimeCounts StatValues::times(std::string_view name) const {
  TimeCounts all;
  for (const auto& sample : of(name))
    if (sample.times) all += *sample.times;
  return all;
}

}  // namespace gatescope
