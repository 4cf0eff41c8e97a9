#include "api/factor_service.h"

#include <algorithm>
#include <utility>

#include "api/factor_number.h"

namespace gatescope::api {

namespace {

constexpr unsigned kBatchSeconds = 5;       // of CPU for a number in a batch; needs 50 ms at most
constexpr unsigned kLeastUserSeconds = 10;  // the budget is not a user's concern

std::string canonical(std::string_view term) {
  NumberText number;
  parse_number(term, number);
  return (number.negative ? "-" : "") + std::string(number.digits);
}

}  // namespace

/// A number under way, and who wants it.
struct FactorService::Task final : FactorTask {
  explicit Task(std::string text) : FactorTask{std::move(text)} {}
  struct Want {
    Entry* entry;
    std::uint32_t index;
  };
  std::vector<Want> wanted_by;
};

/// A sequence under way.
class FactorService::Entry final : private net::TimerEvents {
 public:
  Entry(FactorService& service, Job job, std::uint64_t arrival, bool rests)
      : sequence(std::move(job)),
        arrival(arrival),
        rests(rests),
        progress(service.loop_.make_timer(*this)),
        service_(service) {}

  /// So many terms are waited for.
  std::size_t waited() const;
  bool may_compute() const { return !rests && spent < service_.settings_.budget; }

  FactorSequence sequence;
  const std::uint64_t arrival;
  const bool rests;  // nothing is computed for it
  std::vector<Asking*> askers;
  Duration spent{0};
  std::uint64_t served = 0;  // when it got work for its waiters last
  bool changed = false;      // since the last event
  const std::unique_ptr<net::Timer> progress;

 private:
  void on_timer(net::Timer&) override {
    if (!changed) return;
    progress->start(service_.settings_.progress);
    service_.publish(*this);
  }

  FactorService& service_;
};

/// One who waits, with his deadline. Owned by him.   Waiting -> Leaving -> Told
class FactorService::Asking final : public Request, private net::TimerEvents {
 public:
  Asking(FactorService& service, Entry& entry, std::size_t count, Duration within, Done done)
      : service_(service),
        count_(count),
        done_(std::move(done)),
        timer_(service.loop_.make_timer(*this)),
        entry_(&entry) {
    entry.askers.push_back(this);
    timer_->start(within);
  }
  ~Asking() override {
    if (entry_ == nullptr) {
      std::erase(service_.leaving_, this);
    } else {
      std::erase(entry_->askers, this);
      service_.loop_.at_turn_end(service_);  // less is urgent
    }
  }
  std::size_t count() const { return count_; }
  /// With what is known by now.
  void leave() {
    result_ = entry_->sequence.factors();
    std::erase(entry_->askers, this);
    entry_ = nullptr;
    service_.leaving_.push_back(this);
  }
  void tell() {
    timer_->stop();
    const Done done = std::move(done_);  // it may destroy this
    done(std::move(result_));
  }

 private:
  void on_timer(net::Timer&) override {
    if (entry_ == nullptr) return;
    leave();
    service_.loop_.at_turn_end(service_);
  }

  FactorService& service_;
  const std::size_t count_;
  Done done_;
  const std::unique_ptr<net::Timer> timer_;
  Entry* entry_;  // null: leaving
  std::shared_ptr<const Terms> result_;
};

std::size_t FactorService::Entry::waited() const {
  std::size_t most = 0;
  for (const Asking* asking : askers)
    most = std::max(most, asking->count());
  return most;
}

FactorService::FactorService(net::Loop& loop, Log& log, FactorEvents& events,
                             FactorServiceSettings settings, Stats* stats)
    : loop_(loop), log_(log), events_(events), settings_(settings), pool_(loop, log, *this, stats) {
  if (stats == nullptr) return;
  under_way_ = &stats->gauge("api_factor_sequences", "sequences", "Sequences being factored.");
  numbers_ = &stats->gauge("api_factor_numbers", "numbers",
                           "Numbers that factor workers have, at work or stopped for others.");
  factored_ = &stats->counter("api_numbers_factored", "numbers", "Numbers factored by workers.");
}

FactorService::~FactorService() = default;

void FactorService::use(const FactorPoolSettings& settings) {
  pool_.use(settings);
  loop_.at_turn_end(*this);
}

void FactorService::stop() {
  pool_.use({});
  while (!entries_.empty()) {
    auto entry = take_off(*entries_.begin()->second);
    if (entry->changed) publish(*entry);
    while (!entry->askers.empty())
      entry->askers.back()->leave();
    loop_.discard(std::move(entry));
  }
  tell_leaving();
}

std::unique_ptr<Factoring::Request> FactorService::factor(Job job, std::size_t count,
                                                          Duration within, Done done) {
  count = std::min(count, job.terms->size());
  Entry& entry = entry_for(std::move(job));
  if (entry.askers.empty()) {
    const auto waited = std::count_if(entries_.begin(), entries_.end(),
                                      [](const auto& e) { return !e.second->askers.empty(); });
    if (static_cast<std::size_t>(waited) >= settings_.max_waited) within = Duration(0);
  }
  loop_.at_turn_end(*this);
  return std::make_unique<Asking>(*this, entry, count, within, std::move(done));
}

void FactorService::factor_in_background(Job job) {
  if (rests(job)) return;
  entry_for(std::move(job));
  loop_.at_turn_end(*this);
}

FactorService::Entry& FactorService::entry_for(Job job) {
  const auto found = entries_.find(job.id);
  if (found != entries_.end()) {
    Entry& entry = *found->second;
    if (entry.sequence.terms() == job.terms || *entry.sequence.terms() == *job.terms) return entry;
    replaced_.push_back(take_off(entry));  // the terms are others now
  }
  const SequenceId id = job.id;
  const bool resting = rests(job);
  auto entry = std::make_unique<Entry>(*this, std::move(job), ++arrivals_, resting);
  entry->changed = entry->sequence.has_news();
  Entry& added = *entry;
  entries_.emplace(id, std::move(entry));
  if (under_way_ != nullptr) under_way_->add();
  return added;
}

/// What it is waiting for goes on only if others want it too.
std::unique_ptr<FactorService::Entry> FactorService::take_off(Entry& entry) {
  for (auto& [number, task] : tasks_)
    std::erase_if(task->wanted_by, [&](const Task::Want& want) { return want.entry == &entry; });
  const auto found = entries_.find(entry.sequence.id());
  auto taken = std::move(found->second);
  entries_.erase(found);
  taken->progress->stop();
  if (under_way_ != nullptr) under_way_->sub();
  return taken;
}

// --- work for the pool ------------------------------------------------------------------------

/// Those that have work of this urgency: what somebody waits for in turn, the background newest
/// first.
std::vector<FactorService::Entry*> FactorService::in_order(Urgency urgency) {
  std::vector<Entry*> order;
  const bool user = urgency == Urgency::User;
  for (const auto& [id, entry] : entries_)
    if (user ? !entry->rests && !entry->askers.empty() : entry->may_compute())
      order.push_back(entry.get());
  std::sort(order.begin(), order.end(), [user](const Entry* a, const Entry* b) {
    if (user && a->served != b->served) return a->served < b->served;
    return user ? a->arrival < b->arrival : a->arrival > b->arrival;
  });
  return order;
}

FactorWork FactorService::next_batch(Urgency urgency) {
  for (Entry* entry : in_order(urgency)) {
    FactorWork work{entry->sequence.id(), {}, kBatchSeconds};
    fill(work, *entry, urgency);
    if (work.tasks.empty()) continue;
    if (urgency == Urgency::User) entry->served = ++served_;
    return work;
  }
  return {};
}

void FactorService::fill(FactorWork& work, Entry& entry, Urgency urgency) {
  const std::size_t limit =
      urgency == Urgency::User ? entry.waited() : entry.sequence.terms()->size();
  unsigned weight = 0;
  while (weight < FactorEffort::kFullBatch) {
    if (++looked_ > settings_.terms_per_turn) return loop_.at_next_turn_end(more_);
    const auto index = entry.sequence.take_quick(limit);
    if (!index) return;
    const std::string number = canonical(entry.sequence.term(*index));
    // What a worker died of goes alone, so that it is known who did it.
    const bool alone = deadly_.of(number) > 0;
    if (alone && !work.tasks.empty()) return entry.sequence.put_back(*index);
    Task* task = begin(entry, *index, number);
    if (task == nullptr) continue;
    work.tasks.push_back(task);
    weight += alone ? FactorEffort::kFullBatch : FactorEffort::weight(number.size());
  }
}

FactorWork FactorService::next_hard(Urgency urgency) {
  for (unsigned pass = 0; pass < FactorEffort::kPasses; ++pass) {
    for (Entry* entry : in_order(urgency)) {
      const std::size_t limit =
          urgency == Urgency::User ? entry->waited() : entry->sequence.terms()->size();
      while (const auto index = entry->sequence.take_hard(limit, pass)) {
        Task* task = begin(*entry, *index, canonical(entry->sequence.term(*index)));
        if (task == nullptr) continue;
        if (urgency == Urgency::User) entry->served = ++served_;
        return {entry->sequence.id(), {task}, seconds_for(*entry, pass, urgency)};
      }
    }
  }
  return {};
}

unsigned FactorService::seconds_for(const Entry& entry, unsigned pass, Urgency urgency) const {
  const auto left = std::chrono::ceil<std::chrono::seconds>(settings_.budget - entry.spent).count();
  const auto least = urgency == Urgency::User ? kLeastUserSeconds : 1U;
  return std::min(FactorEffort::kSeconds[pass],
                  std::max(least, static_cast<unsigned>(std::max<long>(left, 0))));
}

/// Null: it was known, or is given up, or is under way already.
FactorService::Task* FactorService::begin(Entry& entry, std::uint32_t index,
                                          const std::string& number) {
  if (const std::string* known = memory_.find(number)) {
    entry.sequence.settle(index, *known);
    changed(entry);
    return nullptr;
  }
  if (deadly_.of(number) >= DeadlyNumbers::kTwice) {
    entry.sequence.give_up(index);
    loop_.at_turn_end(*this);
    return nullptr;
  }
  auto& task = tasks_[number];
  const bool fresh = task == nullptr;
  if (fresh) task = std::make_unique<Task>(number);
  task->wanted_by.push_back({&entry, index});
  return fresh ? task.get() : nullptr;
}

FactorService::Urgency FactorService::urgency(const FactorTask& task) const {
  Urgency most = Urgency::None;
  for (const Task::Want& want : static_cast<const Task&>(task).wanted_by) {
    if (want.index < want.entry->waited()) return Urgency::User;
    if (want.entry->may_compute()) most = Urgency::Background;
  }
  return most;
}

void FactorService::on_factored(FactorTask& given, std::string_view factors) {
  const auto task = std::move(tasks_.extract(given.number).mapped());
  memory_.put(task->number, factors);
  if (factored_ != nullptr) factored_->add();
  for (const Task::Want& want : task->wanted_by) {
    want.entry->sequence.settle(want.index, factors);
    changed(*want.entry);
  }
  loop_.at_turn_end(*this);
}

void FactorService::on_not_factored(FactorTask& given, Outcome outcome) {
  const auto task = std::move(tasks_.extract(given.number).mapped());
  const bool given_up =
      outcome == Outcome::Died && deadly_.add(task->number) >= DeadlyNumbers::kTwice;
  if (given_up) {
    log_.print(LogLevel::Warn, "a number of {} digits ended two factor workers: it is left alone",
               task->number.size());
  }
  for (const Task::Want& want : task->wanted_by) {
    FactorSequence& sequence = want.entry->sequence;
    if (given_up) {
      sequence.give_up(want.index);
    } else if (outcome == Outcome::Expired) {
      sequence.put_off(want.index);
    } else {
      sequence.put_back(want.index);
    }
  }
  loop_.at_turn_end(*this);
}

void FactorService::on_time_spent(SequenceId sequence, Duration time) {
  const auto found = entries_.find(sequence);
  if (found != entries_.end()) found->second->spent += time;
}

// --- the end of a turn ------------------------------------------------------------------------

void FactorService::on_turn_end() {
  keep_newest();
  pool_.run();
  deliver();
  end_what_is_over();
  if (numbers_ != nullptr) numbers_->set(static_cast<std::int64_t>(tasks_.size()));
}

void FactorService::changed(Entry& entry) {
  entry.changed = true;
  if (!entry.progress->running()) entry.progress->start(settings_.progress);
  loop_.at_turn_end(*this);
}

/// Whoever has what he waits for, or cannot get more.
void FactorService::deliver() {
  for (const auto& [id, entry] : entries_) {
    const bool hopeless = entry->rests || !pool_.available();
    for (Asking* asking : std::vector<Asking*>(entry->askers))
      if (hopeless || asking->count() <= entry->sequence.settled_until()) asking->leave();
  }
  for (const auto& entry : replaced_)
    while (!entry->askers.empty())
      entry->askers.back()->leave();
  tell_leaving();
}

void FactorService::tell_leaving() {
  if (!leaving_.empty()) loop_.at_turn_end(*this);  // less is urgent
  while (!leaving_.empty()) {
    Asking* const next = leaving_.front();
    leaving_.erase(leaving_.begin());
    next->tell();
  }
}

bool FactorService::over(const Entry& entry) const {
  if (!entry.askers.empty()) return false;
  return entry.sequence.finished() || !entry.may_compute() || !pool_.works();
}

// One at a time: an event may bring new work.
void FactorService::end_what_is_over() {
  while (!replaced_.empty()) {
    auto entry = std::move(replaced_.back());
    replaced_.pop_back();
    if (entry->changed) publish(*entry);
    loop_.discard(std::move(entry));
  }
  const auto next = [this] {
    return std::find_if(entries_.begin(), entries_.end(),
                        [this](const auto& e) { return over(*e.second); });
  };
  for (auto found = next(); found != entries_.end(); found = next()) {
    auto entry = take_off(*found->second);
    const bool tried = entry->sequence.finished() && !entry->sequence.complete();
    if (!entry->rests && (tried || entry->spent >= settings_.budget)) rest(*entry);
    if (entry->changed) publish(*entry);
    loop_.discard(std::move(entry));
  }
}

/// Of those that nobody waits for.
void FactorService::keep_newest() {
  std::vector<Entry*> background;
  std::size_t bytes = 0;
  for (const auto& [id, entry] : entries_) {
    if (!entry->askers.empty()) continue;
    background.push_back(entry.get());
    bytes += entry->sequence.terms()->bytes();
  }
  if (background.size() <= settings_.max_background && bytes <= settings_.max_background_bytes)
    return;
  std::sort(background.begin(), background.end(),
            [](const Entry* a, const Entry* b) { return a->arrival > b->arrival; });
  while (background.size() > 1 &&
         (background.size() > settings_.max_background || bytes > settings_.max_background_bytes)) {
    bytes -= background.back()->sequence.terms()->bytes();
    replaced_.push_back(take_off(*background.back()));
    background.pop_back();
  }
}

void FactorService::publish(Entry& entry) {
  entry.changed = false;
  events_.on_factored(entry.sequence.id(), entry.sequence.terms(), entry.sequence.factors());
}

// --- resting ----------------------------------------------------------------------------------

bool FactorService::rests(const Job& job) {
  const auto found = resting_.find(job.id);
  if (found == resting_.end()) return false;
  if (found->second.until > loop_.clock().now() &&
      found->second.terms == FactorSequence::hash(*job.terms)) {
    return true;
  }
  resting_.erase(found);
  return false;
}

void FactorService::rest(const Entry& entry) {
  const MonoTime now = loop_.clock().now();
  if (resting_.size() >= settings_.max_resting)
    std::erase_if(resting_, [now](const auto& r) { return r.second.until <= now; });
  if (resting_.size() >= settings_.max_resting) resting_.clear();
  resting_[entry.sequence.id()] = {now + settings_.rest,
                                   FactorSequence::hash(*entry.sequence.terms())};
}

}  // namespace gatescope::api
