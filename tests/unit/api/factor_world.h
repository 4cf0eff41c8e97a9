#pragma once

// Factoring in virtual time: a worker that is a fake, and a service whose events are kept.

#include <fmt/format.h>
#include <signal.h>

#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/factor_number.h"
#include "api/factor_service.h"
#include "tests/support/catch.h"
#include "tests/support/sim_loop.h"
#include "tests/unit/api/api_fixture.h"

namespace gatescope::api {

/// What the fakes do and did. A number's answer is "[N, 1]".
struct FakeWorkers {
  /// Of one number; otherwise 1 ms.
  std::map<std::string, Duration> takes;
  std::map<std::string, int> kills;    // so many times more the worker dies of it
  std::map<std::string, int> refuses;  // ... it says that it could not
  bool speaks = true;                  // else it starts and says nothing
  bool dies_at_start = false;
  std::string confinement = "filter,landlock";
  bool deaf = false;      // never reads
  bool nonsense = false;  // answers with it

  std::vector<std::string> given;  // numbers begun, in order
  std::vector<std::size_t> batches;
  int computing = 0, most_computing = 0;
  int lowered_ones = 0;
  std::map<std::string, int> at_once;  // computations of a number now
  int doubled = 0;                     // how often one was computed twice at a time
};

class FakeWorker final : public test::SimProgram,
                         private net::StreamEvents,
                         private net::TimerEvents {
 public:
  FakeWorker(test::SimChild& child, FakeWorkers& all)
      : child_(child), all_(all), timer_(child.loop().make_timer(*this)) {
    child_.stream()->set_events(this);
    if (!all_.deaf && all_.speaks) child_.stream()->start_reading();
    if (all_.dies_at_start) {
      timer_->start(Duration(1));
    } else if (all_.speaks) {
      say("gatescope-factor 2 " + all_.confinement + "\n");
    }
  }
  ~FakeWorker() override { end_number(); }
  void on_signal(int number) override {
    const MonoTime now = child_.loop().clock().now();
    if (number == SIGSTOP && !stopped_) {
      stopped_ = true;
      if (!timer_->running()) return;
      left_ -= std::chrono::duration_cast<Duration>(now - since_);
      timer_->stop();
      --all_.computing;
    } else if (number == SIGCONT && stopped_) {
      stopped_ = false;
      if (number_.empty()) return next();
      go_on();
    }
  }

 private:
  void on_data(std::span<const std::byte> data) override {
    heard_ += as_text(data);
    std::size_t lines = 0;
    for (const char c : as_text(data))
      lines += c == '\n';
    all_.batches.push_back(lines);
    if (number_.empty() && !stopped_) next();
  }
  void on_end() override { child_.exit(0); }
  void on_drained() override {}
  void on_failed(const Error&) override {}

  void next() {
    const auto end = heard_.find('\n');
    if (end == std::string::npos) return;
    const std::string line = heard_.substr(0, end);
    heard_.erase(0, end + 1);
    const auto first = line.find(' '), second = line.find(' ', first + 1);
    ordinal_ = line.substr(0, first);
    limit_ = Duration(1000 * std::stol(line.substr(first + 1)));
    number_ = line.substr(second + 1);
    all_.given.push_back(number_);
    all_.doubled += ++all_.at_once[number_] > 1;
    const auto takes = all_.takes.find(number_);
    left_ = takes == all_.takes.end() ? Duration(1) : takes->second;
    expires_ = left_ > limit_;
    if (expires_) left_ = limit_;
    go_on();
  }
  void go_on() {
    ++all_.computing;
    all_.most_computing = std::max(all_.most_computing, all_.computing);
    since_ = child_.loop().clock().now();
    timer_->start(left_);
  }
  void on_timer(net::Timer&) override {
    if (all_.dies_at_start) return child_.exit(1);
    const std::string number = number_;
    if (expires_) return child_.die(SIGXCPU);
    if (all_.kills[number] > 0) {
      --all_.kills[number];
      return child_.die(SIGSEGV);
    }
    all_.lowered_ones += child_.lowered();
    end_number();
    if (all_.nonsense) return say("I am a teapot\n");
    const bool refuse = all_.refuses[number]-- > 0;
    say(refuse ? ordinal_ + " ! no memory\n" : fmt::format("{} [{}, 1]\n", ordinal_, number));
    next();
  }
  void end_number() {
    if (number_.empty()) return;
    --all_.at_once[number_];
    if (!stopped_) --all_.computing;
    number_.clear();
  }
  void say(std::string text) {
    ByteQueue bytes;
    bytes.append(SharedBytes(std::move(text)));
    child_.stream()->write(bytes);
  }

  test::SimChild& child_;
  FakeWorkers& all_;
  const std::unique_ptr<net::Timer> timer_;
  std::string heard_, number_, ordinal_;
  Duration left_{0}, limit_{0};
  MonoTime since_{};
  bool stopped_ = false, expires_ = false;
};

inline Terms terms_of_numbers(const std::vector<std::string>& numbers) {
  Terms terms;
  for (const std::string& number : numbers)
    terms.add(number);
  return terms;
}
inline std::shared_ptr<const Terms> shared_terms(const std::vector<std::string>& numbers) {
  return std::make_shared<const Terms>(terms_of_numbers(numbers));
}
inline std::string shown(const Terms& terms) {
  std::string all;
  for (std::size_t i = 0; i < terms.size(); ++i)
    all += (i == 0 ? "" : " | ") + std::string(terms[i]);
  return all;
}
/// A number of so many digits, different for each `which`.
inline std::string long_number(std::size_t digits, unsigned which = 1) {
  std::string text = std::to_string(which);
  return "1" + std::string(digits - 1 - text.size(), '0') + text;
}

struct FactorWorld final : FactorEvents {
  static constexpr const char* kProgram = "/usr/bin/gatescope-factor";
  struct Event {
    SequenceId id;
    Duration at;
    std::shared_ptr<const Terms> factors;
  };
  struct Waiter {
    std::unique_ptr<Factoring::Request> request;
    std::shared_ptr<const Terms> factors;
    Duration at{0};
    int told = 0;
  };

  test::SimWorld world;
  test::SimLoop loop{world};
  MemoryLog log;
  Stats stats;
  FakeWorkers workers;
  FactorServiceSettings settings;
  std::unique_ptr<FactorService> service;
  std::vector<Event> events;
  std::list<Waiter> waiters;

  explicit FactorWorld(FactorServiceSettings s = {}, unsigned count = 1, bool program = true,
                       std::uint64_t seed = 1)
      : world(seed), settings(s) {
    if (program) {
      world.set_program(kProgram, [this](test::SimChild& child) {
        return std::make_unique<FakeWorker>(child, workers);
      });
    }
    FactorEvents& told = *this;
    service = std::make_unique<FactorService>(loop, log, told, settings, &stats);
    loop.turn([&] { service->use({kProgram, count}); });
  }
  ~FactorWorld() override {
    waiters.clear();
    loop.turn([&] {
      service->stop();
      service.reset();
    });
    world.run_for(Duration(100));
    CHECK(world.live().none());
    CHECK(world.complaints().empty());
    CHECK(workers.doubled == 0);
  }
  void on_factored(SequenceId id, std::shared_ptr<const Terms>,
                   std::shared_ptr<const Terms> factors) override {
    events.push_back({id, now(), std::move(factors)});
  }
  Duration now() const { return std::chrono::duration_cast<Duration>(world.now() - world.start()); }
  Waiter& ask(unsigned id, const std::vector<std::string>& numbers, std::size_t count = 100'000,
              Duration within = Duration(10'000), std::shared_ptr<const Terms> stored = nullptr) {
    Waiter& waiter = waiters.emplace_back();
    loop.turn([&] {
      waiter.request =
          service->factor({SequenceId(id), shared_terms(numbers), std::move(stored)}, count, within,
                          [this, &waiter](std::shared_ptr<const Terms> factors) {
                            ++waiter.told;
                            waiter.at = now();
                            waiter.factors = std::move(factors);
                          });
      CHECK(waiter.told == 0);
    });
    return waiter;
  }
  void background(unsigned id, const std::vector<std::string>& numbers) {
    loop.turn([&] { service->factor_in_background({SequenceId(id), shared_terms(numbers), {}}); });
  }
  bool told(const Waiter& waiter, Duration within = Duration(20'000)) {
    return world.run_until([&] { return waiter.told == 1; }, within);
  }
  bool idle(Duration within = Duration(100'000)) {
    return world.run_until([&] { return service->sequences() == 0; }, within);
  }
  std::int64_t counter(std::string_view name) { return stats.counter(name, "", "").value(); }
};

}  // namespace gatescope::api
