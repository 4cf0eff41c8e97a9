// What factoring costs: PARI alone and FactorService with one worker in turn, the Fibonacci numbers
// F(1)..F(COUNT); 72 identical requests at once; 10,000 small numbers.
//   bench_factor [COUNT=300] [ROUNDS=3]
// Computed time (user and system, of this process and of the workers) is what counts on a machine
// with other work.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <string>

#include "api/factor_program.h"
#include "api/factor_service.h"
#include "proxy/net/uv_loop.h"
#include "tests/bench/factor/pari_alone.h"
#include "tests/support/fibonacci.h"

namespace {

using namespace gatescope;
using namespace gatescope::api;
using Steady = std::chrono::steady_clock;

double seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}
double computed(int who) {
  rusage used{};
  ::getrusage(who, &used);
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}
double computed_by_all() {
  return computed(RUSAGE_SELF) + computed(RUSAGE_CHILDREN);
}

/// F(1), F(2), ...
std::shared_ptr<const Terms> fibonacci(int count) {
  Terms terms;
  for (const auto& number : test::fibonacci(static_cast<std::size_t>(count) + 1))
    if (number != "0") terms.add(number);
  return std::make_shared<const Terms>(std::move(terms));
}

std::shared_ptr<const Terms> products(int count) {
  Terms terms;
  for (long i = 1; i <= count; ++i)
    terms.add(std::to_string(i * 99'991 + i * i));
  return std::make_shared<const Terms>(std::move(terms));
}

struct Nobody final : FactorEvents, net::TimerEvents {
  void on_factored(SequenceId, std::shared_ptr<const Terms>,
                   std::shared_ptr<const Terms>) override {}
  void on_timer(net::Timer&) override {}
};

struct Outcome {
  double wall = 0, computed = 0;
  long given = 0, answered = 0, open = 0;
};

/// So many requests for all of it, from nothing: processes are started and ended.
Outcome run_service(const std::shared_ptr<const Terms>& terms, int requests) {
  const double before = computed_by_all();
  const auto begin = Steady::now();
  Outcome outcome;
  Stats stats;
  {
    net::OwnSockets sockets;
    NullLog log;
    Nobody nobody;
    const auto loop = net::UvLoop::make(sockets, log);
    FactorService service(*loop, log, nobody, {}, &stats);
    service.use({find_factor_program(), 1});
    std::list<std::unique_ptr<Factoring::Request>> waiting;
    for (int i = 0; i < requests; ++i) {
      waiting.push_back(service.factor({SequenceId(45), terms, {}}, terms->size(),
                                       Duration(900'000),
                                       [&](std::shared_ptr<const Terms> factors) {
                                         if (++outcome.answered > 1) return;
                                         for (std::size_t k = 0; k < factors->size(); ++k)
                                           outcome.open += (*factors)[k] == kNoFactorsYet;
                                       }));
    }
    const auto tick = loop->make_timer(nobody);
    while (outcome.answered < requests) {
      tick->start(Duration(1000));
      loop->run_turn();
    }
    outcome.wall = std::chrono::duration<double>(Steady::now() - begin).count();
    waiting.clear();
    service.stop();
  }
  outcome.computed = computed_by_all() - before;
  outcome.given = stats.counter("api_numbers_given", "", "").value();
  return outcome;
}

Outcome run_pari(int count) {
  Outcome outcome;
  const double before = computed(RUSAGE_CHILDREN);
  const auto begin = Steady::now();
  const pid_t child = ::fork();
  if (child == 0) {
    bench::factor_fibonacci(count);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  outcome.wall = std::chrono::duration<double>(Steady::now() - begin).count();
  outcome.computed = computed(RUSAGE_CHILDREN) - before;
  return outcome;
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 300;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 3;
  const auto terms = fibonacci(count);
  double alone = 0, served = 0;
  for (int i = 0; i < rounds; ++i) {
    const Outcome pari = run_pari(count);
    const Outcome ours = run_service(terms, 1);
    alone += pari.computed;
    served += ours.computed;
    std::printf(
        "F(1)..F(%d): PARI alone computed %.3f s (%.3f on the clock), gatescope %.3f s "
        "(%.3f on the clock): %+.1f %%, open %ld\n",
        count, pari.computed, pari.wall, ours.computed, ours.wall,
        100 * (ours.computed / pari.computed - 1), ours.open);
  }
  std::printf("all rounds: %+.1f %%\n", 100 * (served / alone - 1));
  const Outcome many = run_service(fibonacci(200), 72);
  std::printf(
      "72 identical requests for F(1)..F(200), cold: %ld answered, %ld numbers given to "
      "workers, %ld open, computed %.3f s (%.3f on the clock)\n",
      many.answered, many.given, many.open, many.computed, many.wall);
  const Outcome small = run_service(products(10'000), 1);
  std::printf("10,000 numbers below 2^64: computed %.3f s (%.3f on the clock), open %ld\n",
              small.computed, small.wall, small.open);
}
