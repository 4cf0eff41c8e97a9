// Http1Session in a simulated world: many clients, seeded faults, nothing real. A failing seed is
// run alone by GATESCOPE_SOAK_FIRST=<seed> GATESCOPE_SOAK_SEEDS=1, with GATESCOPE_SOAK_TRACE=1 to
// see every event. `test_http "[soak]"` runs 1000 seeds.

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "proxy/http/session.h"
#include "tests/support/catch.h"
#include "tests/support/sim_client.h"
#include "tests/support/sim_exchange.h"
#include "tests/support/sim_loop.h"

using namespace gatescope;
using namespace gatescope::test;

namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

/// The server side: accepts, gives each connection a Session. Ends when the test does.
class Site final : private net::AcceptEvents {
 public:
  Site(SimLoop& loop, const net::Endpoint& address) : loop_(loop) {
    listener_ = loop.listen(address, {}, *this).value();
  }
  std::size_t connections() const { return connections_.size(); }
  const SimExchangeTally& tally() const { return tally_; }
  int idle_changes() const { return idle_changes_; }
  void finish_all() {
    std::vector<http::Session*> sessions;
    for (auto& [key, connection] : connections_)
      sessions.push_back(connection->session.get());
    for (http::Session* session : sessions)
      session->finish();
  }
  void drop_all() { connections_.clear(); }

 private:
  struct Connection final : http::SessionHost {
    Connection(Site& s, std::unique_ptr<net::Stream> st) : site(s), stream(std::move(st)) {
      facts.client = stream->peer();
      facts.local = stream->local();
    }
    ~Connection() override { session.reset(); }
    std::unique_ptr<http::SessionExchange> make_exchange(http::ExchangeLink& link,
                                                         http::RequestHead head) override {
      if (over) site.tally_.complaints.push_back("an exchange after the session's end");
      return std::make_unique<SimExchange>(site.loop_, link, std::move(head), site.tally_);
    }
    const http::ConnectionInfo& info() const override { return facts; }
    Log& log() override { return site.log_; }
    void on_idle(bool) override { ++site.idle_changes_; }
    void on_session_over() override {
      if (over) site.tally_.complaints.push_back("a session ended twice");
      over = true;
      site.remove(*this);
    }
    Site& site;
    http::ConnectionInfo facts;
    std::unique_ptr<net::Stream> stream;
    std::unique_ptr<http::Session> session;
    bool over = false;
  };

  void on_accepted(std::unique_ptr<net::Stream> stream) override {
    auto connection = std::make_unique<Connection>(*this, std::move(stream));
    Connection& made = *connection;
    connections_.emplace(&made, std::move(connection));
    made.session = http::make_http1_session(*made.stream, loop_, made, {});
    made.session->start();
  }
  void remove(Connection& connection) {
    const auto found = connections_.find(&connection);
    if (found == connections_.end()) return;
    loop_.discard(std::move(found->second));
    connections_.erase(found);
  }

  SimLoop& loop_;
  NullLog log_;
  SimExchangeTally tally_;
  int idle_changes_ = 0;
  std::unique_ptr<net::Listener> listener_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
};

enum class Weather {
  Kind,   // harmless faults only: every request must be answered in full
  Cruel,  // everything
};

SimFaults faults_of(Weather weather, SimRandom& random) {
  SimFaults f;
  f.latency = {Micros(10), Micros(random.between(10, 30'000))};
  f.fragment = random.chance(0.7) ? 0.4 : 0;
  f.stall = random.chance(0.3) ? 0.02 : 0;
  f.bytewise = 0.1;
  f.bytewise_limit = 600;
  f.slow_reader = 0.1;
  f.slow_window = {1000, 8000};
  f.timer_late = {Micros(0), Micros(random.between(0, 5000))};
  f.post_after = {Micros(0), Micros(1000)};
  f.busy = random.chance(0.5) ? 0.1 : 0;
  f.busy_for = {Micros(1), Micros(random.between(1, 20'000))};
  if (weather == Weather::Kind) return f;
  f.refuse = f.no_answer = 0.02;
  f.cut = 0.2;
  f.stall_for_ever = 0.08;
  f.half_close_by_client = 0.05;
  f.half_close_by_server = 0.02;
  return f;
}

std::string text_of(SimRandom& random, std::size_t size) {
  std::string text(size, '\0');
  for (char& c : text)
    c = static_cast<char>('0' + random.next() % 70);
  return text;
}

const std::vector<std::string> kGarbage{
    "GET / HTTP/1.1\nHost: a\n\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 binary\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/3.0\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: "
    "chunked\r\n\r\n0\r\n\r\n",
    "GET /" + std::string(10'000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: sim.example\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbad\r\n"};

SimRequest request_of(SimRandom& random, Weather weather, int seq) {
  static const std::vector<std::string> kGets{"/small", "/small",    "/small",   "/chunked",
                                              "/empty", "/trailers", "/delayed", "/interim"};
  static const std::vector<std::string> kPosts{"/echo", "/echo", "/late-echo", "/ignore"};
  SimRequest r;
  r.headers.emplace_back("X-Seq", std::to_string(seq));
  if (random.chance(0.3)) {
    r.method = "POST";
    r.path = kPosts[random.between(0, kPosts.size() - 1)];
    r.body = text_of(
        random, random.chance(0.1) ? random.between(10'000, 100'000) : random.between(0, 3000));
    r.framing = random.chance(0.5) ? SimRequest::Framing::Length : SimRequest::Framing::Chunked;
    r.expect_continue = r.path != "/ignore" && random.chance(0.2);
  } else {
    r.path = random.chance(weather == Weather::Cruel ? 0.1 : 0.03)
                 ? "/big"
                 : kGets[random.between(0, kGets.size() - 1)];
    if (random.chance(0.1)) r.method = "HEAD";
  }
  if (weather == Weather::Cruel && random.chance(0.15)) {
    static const std::vector<std::string> kBad{"/cut",   "/cut-chunked", "/cut-open", "/reset",
                                               "/short", "/refuse",      "/slow"};
    r.path = kBad[random.between(0, kBad.size() - 1)];
  }
  if (weather == Weather::Cruel && random.chance(0.05))
    r.garbage = kGarbage[random.between(0, kGarbage.size() - 1)];
  return r;
}

SimClientPlan plan_of(SimRandom& random, Weather weather, int first_seq) {
  SimClientPlan plan;
  const int n = static_cast<int>(random.between(1, 5));
  for (int i = 0; i < n; ++i)
    plan.requests.push_back(request_of(random, weather, first_seq + i));
  plan.pipelined = random.chance(0.4);
  plan.half_close = random.chance(0.1);
  plan.slow_bytes = random.chance(0.1);
  plan.slow_limit = 200;
  if (random.chance(0.2)) plan.think = Micros(random.between(0, 2'000'000));
  plan.deadline = Duration(weather == Weather::Kind ? 1'000'000 : 60'000);
  SimRequest& last = plan.requests.back();
  if (last.garbage.empty() && random.chance(0.2)) {  // requests after which the server closes
    switch (random.between(0, 2)) {
      case 0:
        last.headers.emplace_back("Connection", "close");
        break;
      case 1:
        if (last.framing != SimRequest::Framing::Chunked && !last.expect_continue)
          last.version = "HTTP/1.0";
        break;
      default:
        if (last.framing == SimRequest::Framing::None) last.path = "/until-close";
    }
  }
  if (weather == Weather::Kind) return plan;
  if (random.chance(0.1)) {
    plan.leave_after = Micros(random.between(0, 3'000'000));
    plan.leave_by_reset = random.chance(0.5);
  }
  plan.stops_reading = random.chance(0.03);
  return plan;
}

/// One seed: a world, a site, its clients, and the judgement.
class Run {
 public:
  Run(std::uint64_t seed, Weather weather, int clients)
      : weather_(weather),
        dice_(seed * 2 + (weather == Weather::Cruel)),
        world_(seed, faults_of(weather, dice_)),
        near_(world_, "clients"),
        far_(world_, "site"),
        address_(net::Endpoint::ip("192.0.2.1", 80).value()),
        site_(std::make_unique<Site>(far_, address_)) {
    if (from_environment("GATESCOPE_SOAK_TRACE", 0) != 0)
      world_.set_tracer([](std::string_view line) { fmt::print("{}\n", line); });
    for (int i = 0; i < clients; ++i)
      clients_.push_back(
          std::make_unique<SimClient>(near_, address_, plan_of(dice_, weather, i * 10)));
  }

  void go() {
    for (auto& client : clients_) {
      near_.world().after(Micros(dice_.between(0, 1'000'000)), &near_, "client starts",
                          [c = client.get()] { c->start(); });
    }
    if (weather_ == Weather::Cruel && dice_.chance(0.2)) {
      hard_stop_ = dice_.chance(0.5);
      world_.after(Micros(dice_.between(0, 1'500'000)), &far_, "stop",
                   [this] { hard_stop_ ? site_->drop_all() : site_->finish_all(); });
    }
    const auto all_done = [&] {
      for (; done_ < clients_.size(); ++done_) {
        if (!clients_[done_]->done()) return false;
      }
      return true;
    };
    if (!world_.run_until(all_done, Duration(2'000'000))) fail("clients are not done");
    if (!world_.run_until_quiet(Duration(600'000))) fail("it never gets quiet");
    if (site_->connections() != 0)
      fail(fmt::format("{} connections are left", site_->connections()));
    judge_site();
    for (std::size_t i = 0; i < clients_.size(); ++i)
      judge(i, *clients_[i]);
    clients_.clear();
    site_.reset();
    world_.run_until_quiet(Duration(1000));
    if (!world_.live().none()) fail("left: " + world_.live().to_string());
  }
  const std::map<std::string, int>& findings() const { return findings_; }
  const SimWorld& world() const { return world_; }
  const SimExchangeTally& tally() const { return tally_; }
  const std::unordered_map<std::string, int>& outcomes() const { return outcomes_; }

 private:
  void fail(std::string what) { ++findings_[std::move(what)]; }

  void judge_site() {
    tally_ = site_->tally();
    const SimExchangeTally& t = tally_;
    for (const auto& complaint : t.complaints)
      fail(complaint);
    for (const auto& complaint : world_.complaints())
      fail(complaint);
    if (t.made != t.started || t.made != t.over || t.made != t.destroyed) {
      fail(fmt::format("exchanges: {} made, {} started, {} over, {} destroyed", t.made, t.started,
                       t.over, t.destroyed));
    }
  }

  void judge(std::size_t number, const SimClient& client) {
    ++outcomes_[std::string(name_of(client.outcome()))];
    const auto say = [&](const std::string& what) {
      fail(fmt::format("client {}: {} ({}, {} of {} answers)", number, what,
                       name_of(client.outcome()), client.parser().complete(),
                       client.plan().requests.size()));
    };
    if (!client.parser().error().empty()) say(client.parser().error());
    if (weather_ == Weather::Kind && client.outcome() != SimClient::Outcome::Finished)
      say("not everything was answered");
    const auto& responses = client.responses();
    for (std::size_t i = 0; i < responses.size(); ++i) {
      const std::string wrong = what_is_wrong(client.plan(), i, responses[i]);
      if (!wrong.empty()) say(fmt::format("answer {}: {}", i, wrong));
    }
  }

  std::string what_is_wrong(const SimClientPlan& plan, std::size_t i, const SimResponse& r) {
    const SimRequest& request = plan.requests[i];
    if (r.informational.size() > 1) return "several 1xx";
    if (!r.complete) return right_so_far(request, r);
    if (!request.garbage.empty()) {
      const bool ok = r.status == 400 || r.status == 408 || r.status == 414 || r.status == 505;
      return ok ? "" : fmt::format("{} for garbage", r.status);
    }
    const std::string seq = r.header("X-Seq");
    // Without a number it was refused before it was understood: faults do that, kind ones do not.
    if (r.status == 400 || r.status == 408) {
      const bool excused =
          weather_ == Weather::Cruel && (r.status == 408 || world_.happened().half_closes > 0);
      return excused ? "" : fmt::format("{} for a proper request", r.status);
    }
    if (seq != request.headers.front().second) return "the answer to request " + seq;
    if (r.status != sim_status(request.path)) return fmt::format("status {}", r.status);
    if (request.method == "HEAD") return r.body.empty() ? "" : "HEAD with a body";
    // Nobody can tell that such an answer was cut when FIN came: from the network, or from a
    // server that was told to end at once (the kernel closes nginx's sockets so, too).
    if (r.until_close && (hard_stop_ || world_.happened().half_closes > 0))
      return right_so_far(request, r);
    if (sim_breaks(request.path)) return "a broken answer looks whole";
    if (r.body != sim_body(request.path, request.body)) return "wrong body";
    if (request.path == "/trailers" && !r.until_close && r.trailers.empty()) return "no trailer";
    if (request.path == "/interim" && request.version == "HTTP/1.1" && r.informational.empty())
      return "no 103";
    return "";
  }

  static std::string right_so_far(const SimRequest& request, const SimResponse& r) {
    if (!request.garbage.empty() || r.status >= 400) return "";
    const std::string whole = sim_body(request.path, request.body);
    return whole.compare(0, r.body.size(), r.body) == 0 ? "" : "wrong bytes before the cut";
  }

  const Weather weather_;
  SimRandom dice_;
  SimWorld world_;
  SimLoop near_, far_;
  const net::Endpoint address_;
  std::unique_ptr<Site> site_;
  std::vector<std::unique_ptr<SimClient>> clients_;
  std::size_t done_ = 0;    // clients before this one are
  bool hard_stop_ = false;  // connections were dropped
  SimExchangeTally tally_;
  std::unordered_map<std::string, int> outcomes_;
  std::map<std::string, int> findings_;  // and how often
};

void soak(Weather weather, std::uint64_t seeds, int clients) {
  const std::uint64_t first = from_environment("GATESCOPE_SOAK_FIRST", 1);
  seeds = from_environment("GATESCOPE_SOAK_SEEDS", seeds);
  clients = static_cast<int>(
      from_environment("GATESCOPE_SOAK_CLIENTS", static_cast<std::uint64_t>(clients)));
  std::map<std::string, int> paths;
  std::map<std::string, int> outcomes;
  std::uint64_t events = 0;
  int failed = 0;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    Run run(seed, weather, clients);
    run.go();
    std::string report;
    for (const auto& [finding, times] : run.findings())
      report += fmt::format("\n  {} x {}", times, finding);
    if (!report.empty() && ++failed <= 20) FAIL_CHECK("seed " << seed << report);
    for (const auto& [path, n] : run.tally().paths)
      paths[path.substr(0, 20)] += n;
    for (const auto& [outcome, n] : run.outcomes())
      outcomes[outcome] += n;
    events += run.world().events_run();
  }
  CHECK(failed == 0);
  if (std::getenv("GATESCOPE_SOAK_SUMMARY") != nullptr) {
    fmt::print("{} seeds, {} events, {} seeds failed\n", seeds, events, failed);
    for (const auto& [outcome, n] : outcomes)
      fmt::print("  {} {}\n", outcome, n);
    for (const auto& [path, n] : paths)
      fmt::print("  {} {}\n", path, n);
  }
}

}  // namespace

TEST_CASE("with harmless faults every request is answered in full and in order") {
  soak(Weather::Kind, 10, 40);
}

TEST_CASE("with harmful faults nothing leaks, hangs or looks whole when it is not") {
  soak(Weather::Cruel, 40, 40);
}

TEST_CASE("two hundred clients at once") {
  soak(Weather::Kind, 1, 200);
  soak(Weather::Cruel, 2, 200);
}

TEST_CASE("a soak replays exactly") {
  const auto hash = [](std::uint64_t seed) {
    Run run(seed, Weather::Cruel, 20);
    run.go();
    return run.world().trace_hash();
  };
  CHECK(hash(7) == hash(7));
  CHECK(hash(7) != hash(8));
}

TEST_CASE("a thousand seeds, kind", "[.][soak]") {
  soak(Weather::Kind, 1000, 40);
}

TEST_CASE("a thousand seeds, cruel", "[.][soak]") {
  soak(Weather::Cruel, 1000, 40);
}
