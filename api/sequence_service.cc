#include "api/sequence_service.h"

#include <algorithm>
#include <utility>

#include "api/factors_flight.h"
#include "api/metadata_flight.h"
#include "api/search_flight.h"
#include "api/sequence_flight.h"

namespace gatescope::api {

namespace {

/// Of the cache: searches must not push out sequences, which cost more to have again.
constexpr std::size_t kSearchShare = 8;

}  // namespace

/// A flight that waits for the terms of another one. Owned by it.
class SequenceService::Obtaining final : public SequenceObtainer::Job, public Waiting {
 public:
  Obtaining(SequenceService& service, SequenceId id, std::function<void(Obtained)> done)
      : service_(service), key_{Topic::Values, id, {}}, done_(std::move(done)) {}
  ~Obtaining() override { service_.forget_waiting(*this); }

  const AnswerKey& key() const override { return key_; }
  bool content_with(const EncodedAnswer&) const override { return true; }
  void on_encoded(const Kept&, const std::shared_ptr<const Sequence>& sequence) override {
    const auto tell = std::move(done_);
    if (sequence) return tell(sequence);
    tell(Answer(Unavailable{"terms cannot be had"}));  // an old answer, not what it was made of
  }
  void on_reason(const Answer& reason) override {
    const auto tell = std::move(done_);
    tell(reason);
  }

 private:
  SequenceService& service_;
  const AnswerKey key_;
  std::function<void(Obtained)> done_;
};

SequenceService::SequenceService(net::Loop& loop, Log& log, SequenceServiceSettings settings,
                                 Stats* stats)
    : loop_(loop),
      log_(log),
      settings_(settings),
      clients_(settings.max_of_client),
      cache_(0),
      searches_(0) {
  limit_cache(settings.cache_bytes);
  if (stats == nullptr) return;
  hits_ = &stats->counter("api_cache_hits", "requests", "Answers from memory.");
  misses_ = &stats->counter("api_cache_misses", "requests", "Questions that memory had not.");
  refused_ = &stats->counter("api_clients_limited", "requests",
                             "Questions of clients that waited for too many sequences.");
  waiting_ = &stats->gauge("api_sequences_waiting", "answers", "Answers being obtained.");
  entries_stored_ = &stats->counter("api_entries_stored", "entries",
                                    "Entries of oeisdata stored, new or because they changed.");
}

SequenceService::~SequenceService() = default;

void SequenceService::use(SequenceSources sources) {
  sources_ = std::move(sources);
  forms_.use(sources_.lane);
  renewals_.clear();
  const Answer changed = Unavailable{"the configuration changed"};
  while (!flights_.empty()) {
    const AnswerKey key = flights_.begin()->first;
    deliver(take_off(key), [&](Waiting& waiting) { waiting.on_reason(changed); });
  }
}

void SequenceService::limit_cache(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  searches_.limit(bytes / kSearchShare);
  cache_.limit(bytes - bytes / kSearchShare);
}

std::size_t SequenceService::clear_cache() {
  const std::lock_guard lock(mutex_);
  return cache_.clear() + searches_.clear();
}

std::optional<Answer> SequenceService::find_at(const Question& question, MonoTime now) {
  Kept known;
  {
    const std::lock_guard lock(mutex_);
    known = cache_of(question.key.topic).find(question.key, now);
    if (!known && question.key.topic != Topic::Search) {
      const auto missing = missing_.find(question.key.id);
      if (missing == missing_.end()) return std::nullopt;
      if (missing->second.until <= now)
        missing_.erase(missing);
      else if (missing->second.refusal)
        return Answer(*missing->second.refusal);
    }
  }
  if (!known || !known->answers(question)) return std::nullopt;
  auto form = known->find_form(question.count.of(known->entries()), question.coding);
  if (!form) return std::nullopt;
  if (hits_ != nullptr) hits_->add();
  return Answer(std::move(form));
}

std::unique_ptr<Sequences::Request> SequenceService::ask(const Question& question,
                                                         const std::string& client,
                                                         AnswerWaiter& waiter) {
  if (misses_ != nullptr) misses_->add();
  const AnswerKey& key = question.key;
  const Duration within =
      key.topic == Topic::Factors ? settings_.factors_deadline : settings_.deadline;
  AskingOwner& owner = *this;  // a private base: only we can see that
  auto asking = std::make_unique<Asking>(loop_, clients_, forms_, owner, question, client, waiter);
  Kept known;
  {
    const std::lock_guard lock(mutex_);
    known = cache_of(key.topic).find(key, loop_.clock().now());
  }
  if (known && (known->answers(question) || waited_in_vain(question, *known))) {
    asking->give_soon(known, within);
  } else if (!flights_.contains(key) && !may_begin(key.topic)) {
    asking->tell_soon(Unavailable{"too much is under way"});
  } else if (!asking->enter()) {
    if (refused_ != nullptr) refused_->add();
    asking->tell_soon(TooMany{});
  } else {
    asking->tell_within(within);
    join(key, question.count, *asking);
  }
  return asking;
}

bool SequenceService::may_begin(Topic topic) const {
  if (sources_.store == nullptr) return false;
  if (topic == Topic::Search)
    return sources_.searching != nullptr && searching_ < settings_.max_flights;
  return flights_.size() - searching_ < settings_.max_flights;
}

/// The flight for this key, begun if there is none, has one more who waits.
void SequenceService::join(const AnswerKey& key, Count count, Waiting& waiting) {
  const bool begin = !flights_.contains(key);
  Underway& underway = flights_[key];
  underway.waiters.push_back(&waiting);
  if (begin) {
    if (waiting_ != nullptr) waiting_->add();
    if (key.topic == Topic::Search) ++searching_;
    underway.flight = make_flight(key);
  }
  underway.flight->want(count);
  if (begin) underway.flight->start();
}

std::unique_ptr<Flight> SequenceService::make_flight(const AnswerKey& key) {
  FlightEvents& events = *this;
  SequenceObtainer& obtainer = *this;
  switch (key.topic) {
    case Topic::Values:
      break;
    case Topic::Metadata:
      return std::make_unique<MetadataFlight>(key.id, sources_, log_, events);
    case Topic::Factors:
      return std::make_unique<FactorsFlight>(key.id, sources_, loop_, obtainer, events);
    case Topic::Search:
      return std::make_unique<SearchFlight>(key.term, sources_, loop_, events);
  }
  auto sources = sources_;
  if (has_no_bfile(key.id)) sources.oeis = nullptr;  // it said so today
  return std::make_unique<SequenceFlight>(key.id, std::move(sources), loop_, log_, events);
}

std::unique_ptr<SequenceObtainer::Job> SequenceService::obtain(SequenceId id,
                                                               std::function<void(Obtained)> done) {
  auto obtaining = std::make_unique<Obtaining>(*this, id, std::move(done));
  join(obtaining->key(), Count::all(), *obtaining);
  return obtaining;
}

void SequenceService::on_answer(Kept answer, std::shared_ptr<const Sequence> sequence) {
  const AnswerKey& key = answer->key();
  if (sources_.completing != nullptr && key.topic != Topic::Search)
    sources_.completing->wish(key.id);
  const MonoTime now = loop_.clock().now();
  MonoTime good_until = answer->final() ? MonoTime::max() : now + settings_.provisional;
  if (key.topic == Topic::Search) good_until = answer->final() ? now + settings_.searches : now;
  Kept kept;
  {
    const std::lock_guard lock(mutex_);
    kept = cache_of(key.topic).put(answer, good_until);
    if (key.topic == Topic::Values && kept->has_name()) {
      for (const Topic topic : {Topic::Metadata, Topic::Factors}) {
        const auto other = cache_.last({topic, key.id, {}});
        if (other && !other->has_name()) cache_.expire(other->key());
      }
    }
  }
  const auto found = flights_.find(key);
  if (found == flights_.end()) return;
  auto& waiters = found->second.waiters;
  const auto content = std::stable_partition(waiters.begin(), waiters.end(),
                                             [&](Waiting* w) { return !w->content_with(*kept); });
  Leaving leaving(content, waiters.end());
  waiters.erase(content, waiters.end());
  deliver(std::move(leaving), [&](Waiting& waiting) { waiting.on_encoded(kept, sequence); });
}

void SequenceService::on_entry_stored() {
  if (entries_stored_ != nullptr) entries_stored_->add();
}

void SequenceService::on_landed(const AnswerKey& key, const Landing& landing) {
  const auto found = flights_.find(key);
  if (found == flights_.end()) return;
  const AnswerKey same = key;  // the flight's own goes with it
  const auto* unavailable = std::get_if<Unavailable>(&landing.reason);
  if (unavailable != nullptr && !landing.best && !found->second.waiters.empty()) {
    log_.print(LogLevel::Error, "{}: {}", same.topic == Topic::Search ? "a search" : same.id.text(),
               unavailable->detail);
  }
  if (landing.waited_for > 0) remember_waiting(same.id, landing);
  if (landing.missing)
    remember_missing(same.id, std::get<Refusal>(landing.reason));
  else if (landing.no_bfile)
    remember_missing(same.id, std::nullopt);
  // Rather something old than nothing, when that is no answer but a failure of ours.
  const Kept old = unavailable != nullptr ? last_known(same) : nullptr;
  deliver(take_off(same), [&](Waiting& waiting) {
    if (landing.best) return waiting.on_encoded(landing.best, nullptr);
    if (old && waiting.content_with(*old)) return waiting.on_encoded(old, nullptr);
    waiting.on_reason(landing.reason);
  });
}

SequenceService::Leaving SequenceService::take_off(const AnswerKey& key) {
  const auto found = flights_.find(key);
  Leaving leaving(found->second.waiters.begin(), found->second.waiters.end());
  loop_.discard(std::move(found->second.flight));  // it may be below us on the stack
  flights_.erase(found);
  if (key.topic == Topic::Search) --searching_;
  if (waiting_ != nullptr) waiting_->sub();
  return leaving;
}

/// Each of them may destroy others, and may begin flights or end them.
template <class Tell>
void SequenceService::deliver(Leaving leaving, const Tell& tell) {
  leaving_.push_front(std::move(leaving));
  const auto ours = leaving_.begin();
  while (!ours->empty()) {
    Waiting* const next = ours->front();
    ours->pop_front();
    tell(*next);
  }
  leaving_.erase(ours);
}

/// The browser client asks for the same factors eighty times, one request after the other: if each
/// waited for what does not come, the last would be answered a quarter of an hour later.
bool SequenceService::waited_in_vain(const Question& question, const EncodedAnswer& known) {
  if (question.key.topic != Topic::Factors) return false;
  const auto found = in_vain_.find(question.key.id);
  if (found == in_vain_.end()) return false;
  if (found->second.until > loop_.clock().now())
    return question.count.of(known.entries()) <= found->second.terms;
  in_vain_.erase(found);
  return false;
}

void SequenceService::remember_waiting(SequenceId id, const Landing& landing) {
  in_vain_.erase(id);
  if (!landing.best || landing.best->complete(landing.waited_for)) return;
  const MonoTime now = loop_.clock().now();
  if (in_vain_.size() >= settings_.max_missing)
    std::erase_if(in_vain_, [now](const auto& w) { return w.second.until <= now; });
  if (in_vain_.size() >= settings_.max_missing) in_vain_.clear();
  in_vain_.emplace(id, InVain{now + settings_.factors_pause, landing.waited_for});
}

bool SequenceService::has_no_bfile(SequenceId id) {
  const std::lock_guard lock(mutex_);
  const auto missing = missing_.find(id);
  return missing != missing_.end() && missing->second.until > loop_.clock().now() &&
         !missing->second.refusal;
}

void SequenceService::remember_missing(SequenceId id, std::optional<Refusal> refusal) {
  const MonoTime now = loop_.clock().now();
  const std::lock_guard lock(mutex_);
  if (missing_.size() >= settings_.max_missing)
    std::erase_if(missing_, [now](const auto& m) { return m.second.until <= now; });
  if (missing_.size() >= settings_.max_missing) missing_.clear();  // somebody tries all numbers
  missing_.insert_or_assign(id, Missing{now + settings_.missing, std::move(refusal)});
}

void SequenceService::forget(Asking& asking) {
  forget_waiting(asking);
}

void SequenceService::forget_waiting(const Waiting& waiting) {
  for (auto& leaving : leaving_)
    std::erase(leaving, &waiting);
  const auto found = flights_.find(waiting.key());
  if (found != flights_.end()) std::erase(found->second.waiters, &waiting);
}

SequenceService::Kept SequenceService::last_known(const AnswerKey& key) {
  const std::lock_guard lock(mutex_);
  return cache_of(key.topic).last(key);
}

}  // namespace gatescope::api
