#include "api/sequence_service.h"

#include <algorithm>
#include <utility>

namespace gatescope::api {

/// One who waits, with his deadline. Owned by him.   Waiting -> Told
class SequenceService::Asking final : public Sequences::Request, private net::TimerEvents {
 public:
  Asking(SequenceService& service, SequenceId id, Need need, std::string client,
         SequenceWaiter& waiter)
      : service_(service),
        id_(id),
        need_(need),
        client_(std::move(client)),
        waiter_(waiter),
        timer_(service.loop_.make_timer(*this)) {}
  ~Asking() override {
    leave();
    service_.forget(*this);
  }

  /// Takes one of his client's places; false: there is none.
  bool enter() {
    if (client_.empty()) return true;
    entered_ = service_.clients_.enter(client_, id_);
    return entered_;
  }

  SequenceId id() const { return id_; }
  bool content_with(const EncodedSequence& encoded) const {
    return need_ == Need::Terms || encoded.has_name();
  }
  void tell_within(Duration after) { timer_->start(after); }
  /// Not from inside: by the timer.
  void tell_soon(SequenceAnswer answer) {
    at_deadline_ = std::move(answer);
    timer_->start(Duration(0));
  }
  void tell(const SequenceAnswer& answer) {
    timer_->stop();
    leave();
    waiter_.on_sequence(answer);  // may destroy this
  }

 private:
  void on_timer(net::Timer&) override {
    service_.forget(*this);
    const SequenceAnswer answer = std::move(at_deadline_);  // telling may destroy this
    tell(answer);
  }
  void leave() {
    if (std::exchange(entered_, false)) service_.clients_.leave(client_, id_);
  }

  SequenceService& service_;
  const SequenceId id_;
  const Need need_;
  const std::string client_;  // empty: not counted
  SequenceWaiter& waiter_;
  const std::unique_ptr<net::Timer> timer_;
  bool entered_ = false;  // has one of his client's places
  SequenceAnswer at_deadline_ = Unavailable{"no answer within the deadline"};
};

SequenceService::SequenceService(net::Loop& loop, Log& log, SequenceServiceSettings settings,
                                 Stats* stats)
    : loop_(loop),
      log_(log),
      settings_(settings),
      clients_(settings.max_of_client),
      cache_(settings.cache_bytes) {
  if (stats == nullptr) return;
  hits_ = &stats->counter("api_cache_hits", "requests", "Answers about sequences from memory.");
  misses_ = &stats->counter("api_cache_misses", "requests",
                            "Questions about sequences that were not in memory.");
  refused_ = &stats->counter("api_clients_limited", "requests",
                             "Questions of clients that waited for too many sequences.");
  waiting_ = &stats->counter("api_sequences_waiting", "sequences", "Sequences being obtained.");
  entries_stored_ = &stats->counter("api_entries_stored", "entries",
                                    "Entries of oeisdata stored, new or because they changed.");
}

SequenceService::~SequenceService() = default;

void SequenceService::use(SequenceSources sources) {
  sources_ = std::move(sources);
  while (!flights_.empty()) {
    const auto first = flights_.begin();
    take_off(first->first, first->second);
    deliver_to_leaving(Unavailable{"the configuration changed"});
  }
}

std::optional<SequenceAnswer> SequenceService::find_at(SequenceId id, Need need, MonoTime now) {
  const std::lock_guard lock(mutex_);
  auto encoded = cache_.find(id, now);
  if (encoded && (need == Need::Terms || encoded->has_name())) {
    if (hits_ != nullptr) hits_->add();
    return SequenceAnswer(std::move(encoded));
  }
  const auto missing = missing_.find(id);
  if (missing == missing_.end()) return std::nullopt;
  if (missing->second.until > now) return SequenceAnswer(missing->second.refusal);
  missing_.erase(missing);
  return std::nullopt;
}

std::unique_ptr<Sequences::Request> SequenceService::ask(SequenceId id, Need need,
                                                         const std::string& client,
                                                         SequenceWaiter& waiter) {
  if (misses_ != nullptr) misses_->add();
  auto asking = std::make_unique<Asking>(*this, id, need, client, waiter);
  const bool begin = !flights_.contains(id);
  if (begin && (sources_.store == nullptr || flights_.size() >= settings_.max_flights)) {
    asking->tell_soon(Unavailable{"too much is under way"});
    return asking;
  }
  if (!asking->enter()) {
    if (refused_ != nullptr) refused_->add();
    asking->tell_soon(TooMany{});
    return asking;
  }
  asking->tell_within(settings_.deadline);
  Flight& flight = flights_[id];
  flight.waiters.push_back(asking.get());
  if (begin) {
    if (waiting_ != nullptr) waiting_->add();
    FlightEvents& events = *this;  // a private base: only we can see that
    flight.flight = std::make_unique<SequenceFlight>(id, sources_, log_, events);
    flight.flight->start();
  }
  return asking;
}

void SequenceService::on_encoded(SequenceFlight& flight,
                                 std::shared_ptr<const EncodedSequence> encoded) {
  const MonoTime now = loop_.clock().now();
  {
    const std::lock_guard lock(mutex_);
    cache_.put(encoded, encoded->complete() ? MonoTime::max() : now + settings_.provisional);
  }
  const auto found = flights_.find(flight.id());
  if (found == flights_.end()) return;
  auto& waiters = found->second.waiters;
  const auto content = std::stable_partition(waiters.begin(), waiters.end(),
                                             [&](Asking* a) { return !a->content_with(*encoded); });
  leaving_.insert(leaving_.end(), content, waiters.end());
  waiters.erase(content, waiters.end());
  deliver_to_leaving(encoded);
}

void SequenceService::on_entry_stored() {
  if (entries_stored_ != nullptr) entries_stored_->add();
}

void SequenceService::on_landed(SequenceFlight& flight, const SequenceAnswer& reason,
                                bool missing) {
  const auto* unavailable = std::get_if<Unavailable>(&reason);
  const auto found = flights_.find(flight.id());
  if (found == flights_.end()) return;
  if (unavailable != nullptr && !found->second.waiters.empty())
    log_.print(LogLevel::Error, "{}: {}", flight.id().text(), unavailable->detail);
  if (missing) remember_missing(flight.id(), std::get<Refusal>(reason));
  take_off(flight.id(), found->second);
  deliver_to_leaving(reason);
}

void SequenceService::take_off(SequenceId id, Flight& flight) {
  leaving_.insert(leaving_.end(), flight.waiters.begin(), flight.waiters.end());
  loop_.discard(std::move(flight.flight));  // it may be below us on the stack
  flights_.erase(id);
  if (waiting_ != nullptr) waiting_->sub();
}

void SequenceService::deliver_to_leaving(const SequenceAnswer& answer) {
  while (!leaving_.empty()) {
    Asking* next = leaving_.front();
    leaving_.pop_front();
    next->tell(answer);
  }
}

void SequenceService::remember_missing(SequenceId id, const Refusal& refusal) {
  const MonoTime now = loop_.clock().now();
  const std::lock_guard lock(mutex_);
  if (missing_.size() >= settings_.max_missing)
    std::erase_if(missing_, [now](const auto& m) { return m.second.until <= now; });
  if (missing_.size() >= settings_.max_missing) missing_.clear();  // somebody tries all numbers
  missing_.insert_or_assign(id, Missing{now + settings_.missing, refusal});
}

void SequenceService::forget(Asking& asking) {
  std::erase(leaving_, &asking);
  const auto found = flights_.find(asking.id());
  if (found != flights_.end()) std::erase(found->second.waiters, &asking);
}

}  // namespace gatescope::api
