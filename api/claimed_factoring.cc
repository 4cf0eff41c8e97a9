#include "api/claimed_factoring.h"

#include <algorithm>
#include <utility>

namespace gatescope::api {

namespace {

constexpr Duration kTick{1000};
constexpr std::size_t kMostWorks = 1024;  // more go on without a claim

/// As many as there are terms, whatever is known.
std::shared_ptr<const Terms> all_of(const Factoring::Job& job) {
  const std::size_t size = job.terms->size();
  if (job.stored && job.stored->size() == size) return job.stored;
  auto all = std::make_shared<Terms>();
  for (std::size_t i = 0; i < size; ++i)
    all->add(job.stored && i < job.stored->size() ? (*job.stored)[i] : kNoFactorsYet);
  return all;
}

}  // namespace

/// A sequence for which a claim is held or asked for.
struct ClaimedFactoring::Work {
  enum class State { Claiming, Held, Elsewhere, Reading };
  explicit Work(Job j) : job(std::move(j)) {}
  Job job;
  State state = State::Claiming;
  bool background = false;
  std::vector<Asking*> askers;  // not in the order in which they came
  std::unique_ptr<SequenceStore::Job> under_way;
  std::unique_ptr<Claim> claim;
};

/// One who waits here until the claim is there, then with the local factoring. Owned by him.
class ClaimedFactoring::Asking final : public Request, private net::TimerEvents {
 public:
  Asking(ClaimedFactoring& owner, Work& work, std::size_t count, Duration within, Done done)
      : owner_(owner),
        work_(&work),
        count_(count),
        done_(std::move(done)),
        until_(owner.loop_.clock().now() + within),
        timer_(owner.loop_.make_timer(*this)) {
    work.askers.push_back(this);
    timer_->start(within);
  }
  ~Asking() override { leave(); }

  std::size_t count() const { return count_; }
  void pass_on(const Job& job) {
    leave();
    timer_->stop();
    const Duration left = std::chrono::duration_cast<Duration>(until_ - owner_.loop_.clock().now());
    passed_ = owner_.local_.factor(
        job, count_, std::max(left, Duration(0)), [this](std::shared_ptr<const Terms> factors) {
          owner_.loop_.discard(std::move(passed_));  // below us on the stack
          const Done done = std::move(done_);        // it may destroy this
          done(std::move(factors));
        });
  }
  /// With what is known by now.
  void tell() {
    auto factors = all_of(work_->job);
    leave();
    timer_->stop();
    const Done done = std::move(done_);
    done(std::move(factors));
  }

 private:
  void leave() {
    if (work_ != nullptr) std::erase(work_->askers, this);
    work_ = nullptr;
  }
  void on_timer(net::Timer&) override { tell(); }

  ClaimedFactoring& owner_;
  Work* work_;  // null: passed on, or told
  const std::size_t count_;
  Done done_;
  const MonoTime until_;
  const std::unique_ptr<net::Timer> timer_;
  std::unique_ptr<Request> passed_;
};

ClaimedFactoring::ClaimedFactoring(net::Loop& loop, LocalFactoring& local)
    : loop_(loop), local_(local), tick_(loop.make_timer(*this)) {}

ClaimedFactoring::~ClaimedFactoring() = default;

void ClaimedFactoring::use(Sources sources) {
  sources_ = sources;
  while (!works_.empty()) {
    const SequenceId id = works_.begin()->first;
    begin(*works_.begin()->second);
    end(id);
  }
}

std::unique_ptr<Factoring::Request> ClaimedFactoring::factor(Job job, std::size_t count,
                                                             Duration within, Done done) {
  count = std::min(count, job.terms->size());
  Work* const work = work_for(job);
  if (work == nullptr) return local_.factor(std::move(job), count, within, std::move(done));
  return std::make_unique<Asking>(*this, *work, count, within, std::move(done));
}

void ClaimedFactoring::factor_in_background(Job job) {
  Work* const work = work_for(job);
  if (work == nullptr) return local_.factor_in_background(std::move(job));
  work->background = true;
}

/// Null: it is to be begun at once.
ClaimedFactoring::Work* ClaimedFactoring::work_for(const Job& job) {
  const auto found = works_.find(job.id);
  if (found != works_.end()) {
    Work& work = *found->second;
    if (work.state == Work::State::Held) return nullptr;
    if (work.job.terms == job.terms || *work.job.terms == *job.terms) return &work;
    return nullptr;  // other terms: rare enough to be done twice
  }
  if (sources_.claims == nullptr || works_.size() >= kMostWorks) return nullptr;
  Work& work = *works_.emplace(job.id, std::make_unique<Work>(job)).first->second;
  claim(work);
  if (!tick_->running()) tick_->start(kTick);
  return &work;
}

void ClaimedFactoring::claim(Work& work) {
  work.state = Work::State::Claiming;
  work.under_way =
      sources_.claims->claim(work.job.id, Claims::Kind::Factors,
                             [this, id = work.job.id](Result<std::unique_ptr<Claim>> claim) {
                               on_claim(id, std::move(claim));
                             });
}

void ClaimedFactoring::on_claim(SequenceId id, Result<std::unique_ptr<Claim>> claim) {
  Work& work = *works_.at(id);
  work.under_way.reset();
  if (claim && *claim == nullptr) {
    work.state = Work::State::Elsewhere;
    work.background = false;
    return;
  }
  if (claim) work.claim = *std::move(claim);
  work.state = Work::State::Held;
  begin(work);
}

/// Passes on all that waits.
void ClaimedFactoring::begin(Work& work) {
  const Job job = work.job;
  if (std::exchange(work.background, false)) local_.factor_in_background(job);
  while (!work.askers.empty())
    work.askers.back()->pass_on(job);
}

void ClaimedFactoring::on_timer(net::Timer&) {
  std::vector<SequenceId> over;
  for (const auto& [id, work] : works_) {
    if (work->state == Work::State::Held && !local_.works_on(id))
      over.push_back(id);
    else if (work->state == Work::State::Elsewhere && work->askers.empty())
      over.push_back(id);
    else if (work->state == Work::State::Elsewhere)
      read(*work);
  }
  for (const SequenceId id : over)
    end(id);
  if (!works_.empty()) tick_->start(kTick);
}

void ClaimedFactoring::read(Work& work) {
  work.state = Work::State::Reading;
  work.under_way = sources_.store->load(
      work.job.id, kTick,
      [this, id = work.job.id](Result<StoredSequence> r) { on_read(id, std::move(r)); });
}

void ClaimedFactoring::on_read(SequenceId id, Result<StoredSequence> stored) {
  Work& work = *works_.at(id);
  work.under_way.reset();
  if (stored && stored->factors && stored->terms == *work.job.terms &&
      known_prefix(&*stored->factors) >= known_prefix(work.job.stored.get())) {
    work.job.stored = std::make_shared<const Terms>(*std::move(stored->factors));
  }
  claim(work);
  tell_those_who_have_enough(id);
}

/// Whoever is told may ask again, or leave.
void ClaimedFactoring::tell_those_who_have_enough(SequenceId id) {
  for (;;) {
    const auto found = works_.find(id);
    if (found == works_.end()) return;
    const Work& work = *found->second;
    const std::size_t known = known_prefix(work.job.stored.get());
    const auto enough = std::find_if(work.askers.begin(), work.askers.end(),
                                     [known](const Asking* a) { return a->count() <= known; });
    if (enough == work.askers.end()) return;
    (*enough)->tell();
  }
}

void ClaimedFactoring::end(SequenceId id) {
  works_.erase(id);  // which gives the claim back
}

}  // namespace gatescope::api
