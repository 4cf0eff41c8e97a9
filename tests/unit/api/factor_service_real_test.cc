// FactorService with real workers and real time: kept short.

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <list>

#include "api/factor_service.h"
#include "proxy/net/uv_loop.h"
#include "tests/support/catch.h"
#include "tests/support/fibonacci.h"
#include "tests/unit/api/api_fixture.h"

using namespace gatescope;
using namespace gatescope::api;

namespace {

struct RealFactors final : FactorEvents, private net::TimerEvents {
  struct Waiter {
    std::unique_ptr<Factoring::Request> request;
    std::shared_ptr<const Terms> factors;
  };
  net::OwnSockets sockets;
  MemoryLog log;
  Stats stats;
  std::unique_ptr<net::UvLoop> loop = net::UvLoop::make(sockets, log);
  std::unique_ptr<FactorService> service;
  std::list<Waiter> waiters;
  std::shared_ptr<const Terms> stored;

  explicit RealFactors(unsigned workers = 1) {
    FactorEvents& events = *this;
    service = std::make_unique<FactorService>(*loop, log, events, FactorServiceSettings{}, &stats);
    service->use({GATESCOPE_FACTOR_PROGRAM, workers});
  }
  ~RealFactors() override {
    waiters.clear();
    service->stop();
    const auto pids = service->pool().pids();
    service.reset();
    loop->run_turn();
    for (const int pid : pids)
      CHECK(::kill(pid, 0) != 0);
  }
  void on_factored(SequenceId, std::shared_ptr<const Terms>,
                   std::shared_ptr<const Terms> factors) override {
    stored = std::move(factors);
  }
  bool until(const std::function<bool()>& holds, Duration within = Duration(120'000)) {
    const auto tick = loop->make_timer(*this);
    const MonoTime end = SystemClock().now() + within;
    while (!holds() && SystemClock().now() < end) {
      tick->start(Duration(20));
      loop->run_turn();
    }
    return holds();
  }
  Waiter& ask(unsigned id, const std::shared_ptr<const Terms>& terms,
              Duration within = Duration(100'000)) {
    Waiter& waiter = waiters.emplace_back();
    waiter.request =
        service->factor({SequenceId(id), terms, {}}, terms->size(), within,
                        [&](std::shared_ptr<const Terms> factors) { waiter.factors = factors; });
    return waiter;
  }
  std::int64_t counter(std::string_view name) { return stats.counter(name, "", "").value(); }

 private:
  void on_timer(net::Timer&) override {}
};

/// F(1), F(2), ...
std::shared_ptr<const Terms> fibonacci(int count) {
  Terms terms;
  for (const auto& number : test::fibonacci(static_cast<std::size_t>(count) + 1))
    if (number != "0") terms.add(number);
  return std::make_shared<const Terms>(std::move(terms));
}

std::shared_ptr<const Terms> just(std::initializer_list<const char*> numbers) {
  Terms terms;
  for (const char* number : numbers)
    terms.add(number);
  return std::make_shared<const Terms>(std::move(terms));
}

std::size_t open_of(const Terms& factors) {
  std::size_t open = 0;
  for (std::size_t i = 0; i < factors.size(); ++i)
    open += factors[i] == kNoFactorsYet;
  return open;
}

// Of two primes each: minutes; some hundredths of a second, which a worker that is so nice gets on
// a machine that is full of work, too.
constexpr const char* kHard =
    "3355241264054922884295380516786309879654455387078417280940618125150699754055589";
constexpr const char* kSecond = "6826408785597938628038811697280788157029692533";

}  // namespace

TEST_CASE("the real workers: 72 identical requests are one computation") {
  RealFactors f;
  const auto terms = fibonacci(150);
  for (int i = 0; i < 72; ++i)
    f.ask(45, terms);
  REQUIRE(f.until([&] {
    return std::all_of(f.waiters.begin(), f.waiters.end(),
                       [](const auto& w) { return w.factors != nullptr; });
  }));
  const Terms& factors = *f.waiters.front().factors;
  CHECK(open_of(factors) == 0);
  CHECK(factors[0] == "[]");
  CHECK(factors[11] == "[2,4;3,2]");
  CHECK(factors[47] == "[2, 6; 3, 2; 7, 1; 23, 1; 47, 1; 1103, 1]");
  CHECK(factors[99] == "[3, 1; 5, 2; 11, 1; 41, 1; 101, 1; 151, 1; 401, 1; 3001, 1; 570601, 1]");
  CHECK(f.counter("api_numbers_given") == 149);  // F(1) and F(2) are one number
  REQUIRE(f.until([&] { return f.service->sequences() == 0; }));
  REQUIRE(f.stored);
  CHECK(*f.stored == factors);
}

TEST_CASE("the real workers: killed in the middle, nothing is lost") {
  RealFactors f(2);
  const auto& waiter = f.ask(45, fibonacci(200));
  for (int i = 0; i < 3 && !waiter.factors; ++i) {
    const auto before = f.counter("api_numbers_factored");
    REQUIRE(f.until([&] {
      return waiter.factors ||
             (f.counter("api_numbers_factored") > before + 20 && !f.service->pool().pids().empty());
    }));
    for (const int pid : f.service->pool().pids())
      ::kill(pid, SIGKILL);
  }
  REQUIRE(f.until([&] { return waiter.factors != nullptr; }));
  // A number at which two workers ended is given up, no other. The first of them may have had
  // several numbers, the second one goes alone: so three deaths may take two numbers, and never
  // three.
  INFO(f.log.text() << "given " << f.counter("api_numbers_given") << " started "
                    << f.counter("api_factor_workers_started") << " died "
                    << f.counter("api_factor_workers_died"));
  const auto died = f.counter("api_factor_workers_died");
  CHECK(std::int64_t(open_of(*waiter.factors)) <= std::max<std::int64_t>(0, died - 1));
  CHECK((*waiter.factors)[199].starts_with("[3, 1; 5, 2; 7, 1;"));
}

TEST_CASE("the real workers: at the deadline there is what is done") {
  RealFactors f;
  // So that no worker has to be started within the deadline
  const auto& before = f.ask(9, just({"6"}));
  REQUIRE(f.until([&] { return before.factors != nullptr; }));
  const auto& waiter = f.ask(1, just({"12", kHard, "-15"}), Duration(3000));
  REQUIRE(f.until([&] { return waiter.factors != nullptr; }));
  CHECK((*waiter.factors)[0] == "[2,2;3,1]");
  CHECK((*waiter.factors)[1] == kNoFactorsYet);
  CHECK((*waiter.factors)[2] == "[3,1;5,1;-1,1]");
  // Nobody waits for the long one any more: it has the processor when nobody else wants it.
  REQUIRE(f.until([&] {
    const auto pids = f.service->pool().pids();
    return std::any_of(pids.begin(), pids.end(),
                       [](int pid) { return ::sched_getscheduler(pid) == SCHED_IDLE; });
  }));
  // It is stopped while somebody else's is computed, and goes on.
  const auto& other = f.ask(2, just({kSecond}));
  REQUIRE(f.until([&] { return other.factors != nullptr; }));
  CHECK((*other.factors)[0].starts_with("["));
  REQUIRE(f.until([&] { return !f.service->pool().pids().empty(); }));
  CHECK(f.counter("api_factor_workers_died") == 0);
}

TEST_CASE("the real workers: one that has no memory is replaced") {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  RealFactors f;
  const auto& first = f.ask(1, just({"12", "36893488147419103233"}));
  REQUIRE(f.until([&] { return first.factors != nullptr; }));
  // All that there are: none may have more than it has.
  for (const int pid : f.service->pool().pids()) {
    const rlimit tight{1 << 20, 512u << 20};
    REQUIRE(::prlimit(pid, RLIMIT_AS, &tight, nullptr) == 0);
  }
  const auto& second = f.ask(2, just({kSecond, "15"}));
  REQUIRE(f.until([&] { return second.factors != nullptr; }));
  CHECK((*second.factors)[0].starts_with("["));
  CHECK((*second.factors)[1] == "[3,1;5,1]");
#endif
}
