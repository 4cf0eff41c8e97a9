#include "api/completion.h"

#include <algorithm>
#include <string>
#include <utility>

namespace gatescope::api {

Completion::Completion(net::Loop& loop, CompletionSettings settings, ApiLog& log, Stats* stats)
    : loop_(loop), settings_(settings), log_(log), timer_(loop.make_timer(*this)) {
  if (stats == nullptr) return;
  waiting_count_ = &stats->gauge("api_completions_waiting", "sequences",
                                 "Sequences that are to be completed in the background.");
  completed_ = &stats->counter("api_completions", "sequences",
                               "Sequences that were completed in the background.");
}

Completion::~Completion() = default;

void Completion::use(CompletionSources sources) {
  loop_.discard(std::move(work_));
  loop_.discard(std::move(listing_));
  sources_ = std::move(sources);
  waiting_.clear();
  known_.clear();  // another database knows others
  paused_until_ = {};
  more_in_database_ = true;
  if (waiting_count_ != nullptr) waiting_count_->set(0);
  timer_->stop();
  if (sources_.store != nullptr && sources_.list != nullptr) go_on_within(settings_.first_pause);
}

void Completion::wish(SequenceId id) {
  if (sources_.store == nullptr || sources_.list == nullptr || is_known(id)) return;
  if (work_ && work_->id() == id) return;
  const auto found =
      std::find_if(waiting_.begin(), waiting_.end(), [id](const Wish& w) { return w.id == id; });
  Wish wish{id, loop_.clock().now() + settings_.first_pause};
  if (found != waiting_.end()) {  // it is the newest again
    wish = *found;
    waiting_.erase(found);
  } else {
    sources_.list->wish(id);
  }
  waiting_.push_back(wish);
  drop_oldest();
  if (!work_) go_on_within(settings_.first_pause);
}

void Completion::drop_oldest() {
  if (waiting_.size() > settings_.max_waiting) {
    waiting_.pop_front();
    more_in_database_ = true;
  }
  if (waiting_count_ != nullptr) waiting_count_->set(static_cast<std::int64_t>(waiting_.size()));
}

void Completion::go_on() {
  if (work_ || listing_ || sources_.store == nullptr) return;
  const MonoTime now = loop_.clock().now();
  if (now < paused_until_) return go_on_within(std::chrono::ceil<Duration>(paused_until_ - now));
  const auto newest = std::find_if(waiting_.rbegin(), waiting_.rend(),
                                   [now](const Wish& w) { return w.not_before <= now; });
  if (newest != waiting_.rend()) {
    current_ = *newest;
    waiting_.erase(std::next(newest).base());
    drop_oldest();
    CompletionEvents& events = *this;  // a private base: only we can see that
    work_ = std::make_unique<CompletionWork>(current_.id, sources_, events);
    return work_->start();
  }
  if (more_in_database_ && waiting_.empty()) return list();
  if (waiting_.empty()) return;
  const auto first =
      std::min_element(waiting_.begin(), waiting_.end(),
                       [](const Wish& a, const Wish& b) { return a.not_before < b.not_before; });
  go_on_within(std::chrono::ceil<Duration>(first->not_before - now));
}

void Completion::list() {
  listing_ = sources_.list->list(settings_.max_waiting, Duration(10'000),
                                 [this](auto listed) { on_listed(std::move(listed)); });
}

void Completion::on_listed(Result<std::vector<SequenceId>> listed) {
  loop_.discard(std::move(listing_));
  if (!listed) return go_on_within(settings_.database_pause);
  const std::size_t before = waiting_.size();
  // The newest first, as they are to be taken from the back, behind those that came since.
  for (const SequenceId id : *listed) {
    const bool here =
        std::any_of(waiting_.begin(), waiting_.end(), [id](const Wish& w) { return w.id == id; });
    if (!here && !is_known(id)) waiting_.push_front({id, loop_.clock().now()});
  }
  more_in_database_ = listed->size() >= settings_.max_waiting && waiting_.size() > before;
  go_on();
}

void Completion::go_on_within(Duration within) {
  const MonoTime at = loop_.clock().now() + within;
  if (timer_->running() && timer_at_ <= at) return;
  timer_at_ = at;
  timer_->start(within);
}

void Completion::on_end(CompletionWork&, CompletionEnd end) {
  using Kind = CompletionEnd::Kind;
  loop_.discard(std::move(work_));  // it is below us on the stack
  Duration next = settings_.pause;
  switch (end.kind) {
    case Kind::Completed:
      remember(current_.id);
      if (completed_ != nullptr) completed_->add();
      log_.event(LogLevel::Info, "sequence completed", {{"id", current_.id.text()}});
      break;
    case Kind::Partial:
      remember(current_.id);  // until something else is configured
      break;
    case Kind::Elsewhere:
      retry(current_, settings_.elsewhere);
      break;
    case Kind::Failed:
      if (++current_.attempts < settings_.attempts)
        retry(current_, settings_.again * (1 << (current_.attempts - 1)));
      else
        remember(current_.id);  // until the next start
      break;
    case Kind::Resting:
      next = std::chrono::seconds(end.seconds);
      paused_until_ = loop_.clock().now() + next;
      retry(current_, next);
      break;
    case Kind::Database:
      next = settings_.database_pause;
      paused_until_ = loop_.clock().now() + next;
      retry(current_, next);
      break;
  }
  go_on_within(next);
}

void Completion::retry(Wish wish, Duration after) {
  wish.not_before = loop_.clock().now() + after;
  waiting_.push_front(wish);  // others go first
  drop_oldest();
}

void Completion::remember(SequenceId id) {
  known_.push_back(id);
  if (known_.size() > settings_.max_known) known_.pop_front();
}

bool Completion::is_known(SequenceId id) const {
  return std::find(known_.begin(), known_.end(), id) != known_.end();
}

}  // namespace gatescope::api
