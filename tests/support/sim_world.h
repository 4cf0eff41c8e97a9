#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/net/loop.h"
#include "tests/support/sim_faults.h"
#include "tests/support/sim_process.h"
#include "tests/support/sim_random.h"

namespace gatescope::test {

class SimLink;
class SimListener;
class SimLoop;

/// What exists now, for tests that assert that nothing leaked.
struct SimLive {
  int streams = 0, timers = 0, running_timers = 0, listeners = 0, connectings = 0, tickets = 0;
  int watches = 0;
  int children = 0, spawned = 0;  // processes that run; and in all
  bool none() const {
    return streams == 0 && timers == 0 && listeners == 0 && connectings == 0 && tickets == 0 &&
           watches == 0 && children == 0;
  }
  std::string to_string() const;
};

/// How often each fault really happened.
struct SimFaultCounts {
  int fragmented = 0, bytewise = 0, stalled = 0, stalled_for_ever = 0, slow_readers = 0, cuts = 0;
  int busy_turns = 0, half_closes = 0, refused = 0, unanswered = 0, resets = 0;
};

/// Virtual time, seeded numbers, and the events to come in the order of (time, sequence). Loops,
/// connections and addresses live in it. Owned by the test; outlives its loops. One thread.
class SimWorld {
 public:
  using EventId = std::pair<MonoTime, std::uint64_t>;
  static constexpr EventId kNoEvent{};

  explicit SimWorld(std::uint64_t seed, const SimFaults& faults = {});
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  MonoTime now() const { return now_; }
  MonoTime start() const { return start_; }
  SimRandom& random() { return random_; }
  Micros draw(const SimSpan& span);
  std::size_t draw(const SimSizes& sizes);
  /// For connections made from now on; those to `endpoint` may have their own.
  void set_faults(const SimFaults& faults) { faults_ = faults; }
  void set_faults(const net::Endpoint& endpoint, const SimFaults& faults);
  const SimFaults& faults() const { return faults_; }
  const SimFaults& faults_of(const net::Endpoint& endpoint) const;

  /// What a child does whose argv[0] is `path`; null: there is no such program.
  void set_program(const std::string& path, SimProgramMaker maker) {
    programs_[path] = std::move(maker);
  }
  const SimProgramMaker* program(const std::string& path) const {
    const auto found = programs_.find(path);
    return found == programs_.end() || !found->second ? nullptr : &found->second;
  }

  /// Runs one event; false: there is none.
  bool step();
  /// Until `done` holds; false when time is up or nothing happens any more (stuck() tells which).
  bool run_until(const std::function<bool()>& done, Duration within);
  /// Until nothing is left to happen; false when time is up.
  bool run_until_quiet(Duration within);
  void run_for(Duration time);
  bool stuck() const { return events_.empty(); }

  /// Two runs with the same seed and the same program have the same hash.
  std::uint64_t trace_hash() const { return hash_; }
  std::uint64_t events_run() const { return events_run_; }
  const SimLive& live() const { return live_; }
  const SimFaultCounts& happened() const { return happened_; }
  /// Rules of the interfaces that the program under test broke. A correct one leaves this empty.
  const std::vector<std::string>& complaints() const { return complaints_; }
  /// Each event as a line, to look into one seed.
  void set_tracer(std::function<void(std::string_view)> tracer) { tracer_ = std::move(tracer); }

  // For the parts of the simulation.
  /// `loop`: the event is a turn of that loop, and goes when it goes; null: of the network.
  EventId at(MonoTime when, SimLoop* loop, std::string_view what, net::Task task);
  EventId after(Micros delay, SimLoop* loop, std::string_view what, net::Task task);
  void cancel(EventId& id);
  void forget(const SimLoop& loop);
  void mix(std::uint64_t value);
  void mix(std::string_view bytes);
  void trace(std::string_view line);
  bool tracing() const { return tracer_ != nullptr; }
  void complain(std::string what);
  /// Complains when this is not the turn of `loop`.
  void check_turn(const SimLoop& loop, std::string_view what);
  SimLoop* current() const { return current_; }
  void set_current(SimLoop* loop) { current_ = loop; }
  /// Time goes on within a turn that began late; false: this one does not, or lies in such a one.
  bool begin_busy_turn();
  /// Runs what was due before the late turn began: into it, or as a turn of another loop.
  void end_busy_turn();
  SimLive& live() { return live_; }
  SimFaultCounts& happened() { return happened_; }

  // The addresses.
  net::Endpoint add_listener(SimListener& listener, const net::Endpoint& wanted);
  void remove_listener(SimListener& listener);
  enum class Offer { Taken, Refused, Full };
  Offer offer(const net::Endpoint& endpoint, const std::shared_ptr<SimLink>& link);
  /// The next connection in the backlog of `listener`'s address; null: none.
  std::shared_ptr<SimLink> next_waiting(SimListener& listener);
  std::size_t waiting(const SimListener& listener) const;
  std::uint16_t next_port() { return next_port_++; }

 private:
  struct Event {
    SimLoop* loop;
    std::string_view what;
    net::Task task;
  };
  struct Port {
    net::Endpoint endpoint;
    std::vector<SimListener*> listeners;
    std::deque<std::shared_ptr<SimLink>> waiting;
  };
  void run(EventId id, Event event);
  Port* find_port(const net::Endpoint& endpoint);
  const Port* port_of(const SimListener& listener) const;

  const MonoTime start_;
  MonoTime now_;
  SimRandom random_;
  SimFaults faults_;
  std::vector<std::pair<net::Endpoint, SimFaults>> endpoint_faults_;
  std::map<std::string, SimProgramMaker> programs_;
  std::map<EventId, Event> events_;
  std::uint64_t sequence_ = 0;
  std::uint64_t events_run_ = 0;
  std::uint64_t at_this_instant_ = 0;
  std::uint64_t hash_;
  std::uint64_t busy_before_ = 0;  // sequence at which a busy turn began; 0: there is none
  SimLoop* current_ = nullptr;     // whose turn it is; null between turns
  SimLive live_;
  SimFaultCounts happened_;
  std::vector<std::string> complaints_;
  std::function<void(std::string_view)> tracer_;
  std::deque<Port> ports_;
  std::uint16_t next_port_ = 40'000;
};

}  // namespace gatescope::test
