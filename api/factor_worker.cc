#include "api/factor_worker.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "proxy/base/bytes.h"

namespace gatescope::api {

namespace {

using End = FactorWorkerEvents::End;

constexpr std::string_view kHello = "gatescope-factor 2 ";

/// What may be stored: a list of prime powers, or that there is none.
bool is_factorisation(std::string_view text) {
  if (text == "no_fac") return true;
  return text.size() >= 2 && text.front() == '[' && text.back() == ']' &&
         text.substr(1, text.size() - 2).find_first_not_of("0123456789,; -") ==
             std::string_view::npos;
}

std::string describe_end(int status) {
  if (WIFSIGNALED(status)) return fmt::format("it was ended by signal {}", WTERMSIG(status));
  return fmt::format("it exited with {}", WEXITSTATUS(status));
}

}  // namespace

Result<std::unique_ptr<FactorWorker>> FactorWorker::start(net::Loop& loop,
                                                          const std::string& program,
                                                          FactorWorkerEvents& events) {
  auto worker = std::make_unique<FactorWorker>(loop, events);
  net::ProcessOptions options;
  options.argv = {program};
  options.directory = "/";
  options.death_signal = SIGKILL;
  options.talks = true;
  auto process = loop.spawn(options, *worker);
  if (!process) return process.error();
  worker->process_ = std::move(process).value();
  worker->stream_ = worker->process_->take_stream();
  worker->stream_->set_events(worker.get());
  worker->stream_->start_reading();
  worker->timer_->start(kStart);
  return worker;
}

FactorWorker::FactorWorker(net::Loop& loop, FactorWorkerEvents& events)
    : loop_(loop), events_(events), timer_(loop.make_timer(*this)) {}

FactorWorker::~FactorWorker() = default;

void FactorWorker::ask(const std::vector<std::string_view>& numbers, unsigned cpu_seconds) {
  if (state_ == State::Ended) return;
  ByteQueue bytes;
  unsigned long number = next_number_;
  for (const std::string_view text : numbers)
    bytes.append_copy(fmt::format("{} {} {}\n", number++, cpu_seconds, text));
  unanswered_ = numbers.size();
  cpu_seconds_ = cpu_seconds;
  stream_->write(bytes);  // at most a batch: nothing piles up
  if (state_ == State::Ready) wait_for_answer();
}

void FactorWorker::wait_for_answer() {
  patience_ = kPatience + Duration(1000 * kStarvation * cpu_seconds_);
  patient_since_ = loop_.clock().now();
  timer_->start(patience_);
  if (paused_) timer_->stop();
}

void FactorWorker::pause() {
  if (paused_ || state_ == State::Ended) return;
  paused_ = true;
  process_->signal(SIGSTOP);
  timer_->stop();
  if (state_ != State::Ready || !busy()) return;
  const auto waited = std::chrono::duration_cast<Duration>(loop_.clock().now() - patient_since_);
  patience_ -= std::min(patience_, waited);
}

void FactorWorker::resume() {
  if (!paused_ || state_ == State::Ended) return;
  paused_ = false;
  process_->signal(SIGCONT);
  if (state_ == State::Starting) {
    timer_->start(kStart);
  } else if (busy()) {
    patient_since_ = loop_.clock().now();
    timer_->start(patience_);
  } else {
    timer_->start(kIdle);
  }
}

void FactorWorker::lower_priority() {
  if (state_ == State::Ended || std::exchange(lowered_, true)) return;
  process_->lower_priority();
}

void FactorWorker::on_data(std::span<const std::byte> data) {
  heard_ += as_text(data);
  const std::string heard = std::exchange(heard_, {});  // an event may end us
  std::size_t begin = 0;
  for (std::size_t end; (end = heard.find('\n', begin)) != std::string::npos; begin = end + 1) {
    if (!take_line(std::string_view(heard).substr(begin, end - begin)))
      return finish(End::Died, "it said what makes no sense");
    if (state_ == State::Ended) return;
  }
  heard_ = heard.substr(begin);
  if (heard_.size() > kLongestLine) finish(End::Died, "it said what makes no sense");
}

bool FactorWorker::take_line(std::string_view line) {
  if (state_ == State::Ready) return take_answer(line);
  if (!line.starts_with(kHello)) return false;
  confinement_ = line.substr(kHello.size());
  state_ = State::Ready;
  if (busy()) {
    wait_for_answer();
  } else {
    timer_->start(kIdle);
  }
  return true;
}

bool FactorWorker::take_answer(std::string_view line) {
  unsigned long number = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (error != std::errc() || number != next_number_ || !busy()) return false;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  if (!line.starts_with(' ')) return false;
  line.remove_prefix(1);
  const bool refused = line.starts_with("! ");
  if (!refused && !is_factorisation(line)) return false;
  ++next_number_;
  --unanswered_;
  if (busy()) {
    wait_for_answer();
  } else {
    timer_->start(kIdle);
  }
  if (refused) {
    events_.on_refused(*this, line.substr(2));
  } else {
    events_.on_factors(*this, line);
  }
  if (state_ != State::Ended && !busy()) events_.on_idle(*this);
  return true;
}

void FactorWorker::on_end() {
  conversation_ended();
}

void FactorWorker::on_failed(const Error&) {
  conversation_ended();
}

// Nothing more will be heard. If it lives it is of no use; if it is going this changes nothing.
void FactorWorker::conversation_ended() {
  if (state_ == State::Ended) return;
  silent_ = true;
  process_->signal(SIGKILL);
  if (exited_) on_exit(status_);
}

void FactorWorker::on_exit(int status) {
  exited_ = true;
  status_ = status;
  if (!silent_ || state_ == State::Ended) return;  // what it said before is still to come
  if (state_ == State::Starting) return finish(End::Failed, describe_end(status));
  const bool expired = WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU && busy();
  finish(expired ? End::Expired : End::Died, describe_end(status));
}

void FactorWorker::on_timer(net::Timer&) {
  if (state_ == State::Starting) return finish(End::Failed, "it did not speak");
  if (!busy()) return finish(End::Unused, "");
  finish(End::Expired, "it did not answer");
}

void FactorWorker::close() {
  state_ = State::Ended;
  timer_->stop();
  stream_->set_events(nullptr);
  process_->signal(SIGKILL);
}

void FactorWorker::finish(FactorWorkerEvents::End end, const std::string& why) {
  close();
  events_.on_end(*this, end, why);
}

}  // namespace gatescope::api
