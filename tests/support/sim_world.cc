#include "tests/support/sim_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "tests/support/sim_connect.h"
#include "tests/support/sim_link.h"
#include "tests/support/sim_loop.h"

namespace gatescope::test {

namespace {
// No honest program does so much while time stands still.
constexpr std::uint64_t kMostAtOneInstant = 1'000'000;
}  // namespace

std::string SimLive::to_string() const {
  return fmt::format(
      "{} streams, {} timers ({} running), {} listeners, {} connectings, {} tickets, {} watches, "
      "{} "
      "children",
      streams, timers, running_timers, listeners, connectings, tickets, watches, children);
}

SimWorld::SimWorld(std::uint64_t seed, const SimFaults& faults)
    : start_(std::chrono::hours(1000)),  // not zero, which means nothing
      now_(start_),
      random_(seed),
      faults_(faults),
      hash_(seed) {}

SimWorld::~SimWorld() = default;

Micros SimWorld::draw(const SimSpan& span) {
  return Micros(random_.between(static_cast<std::uint64_t>(span.min.count()),
                                static_cast<std::uint64_t>(span.max.count())));
}

std::size_t SimWorld::draw(const SimSizes& sizes) {
  return random_.between(sizes.min, sizes.max);
}

void SimWorld::set_faults(const net::Endpoint& endpoint, const SimFaults& faults) {
  std::erase_if(endpoint_faults_, [&](const auto& entry) { return entry.first == endpoint; });
  endpoint_faults_.emplace_back(endpoint, faults);
}

const SimFaults& SimWorld::faults_of(const net::Endpoint& endpoint) const {
  for (const auto& [known, faults] : endpoint_faults_) {
    if (known == endpoint) return faults;
  }
  return faults_;
}

SimWorld::EventId SimWorld::at(MonoTime when, SimLoop* loop, std::string_view what,
                               net::Task task) {
  const EventId id{std::max(when, now_), ++sequence_};
  events_.emplace(id, Event{loop, what, std::move(task)});
  return id;
}

SimWorld::EventId SimWorld::after(Micros delay, SimLoop* loop, std::string_view what,
                                  net::Task task) {
  return at(now_ + delay, loop, what, std::move(task));
}

void SimWorld::cancel(EventId& id) {
  if (id == kNoEvent) return;
  events_.erase(id);
  id = kNoEvent;
}

void SimWorld::forget(const SimLoop& loop) {
  std::vector<Event> dropped;  // a task may own what cancels others
  for (auto i = events_.begin(); i != events_.end();) {
    if (i->second.loop == &loop) {
      dropped.push_back(std::move(i->second));
      i = events_.erase(i);
    } else {
      ++i;
    }
  }
}

bool SimWorld::step() {
  if (events_.empty()) return false;
  auto node = events_.extract(events_.begin());
  run(node.key(), std::move(node.mapped()));
  return true;
}

void SimWorld::run(EventId id, Event event) {
  const auto [when, sequence] = id;
  at_this_instant_ = when <= now_ ? at_this_instant_ + 1 : 0;
  if (at_this_instant_ > kMostAtOneInstant) throw std::logic_error("time stands still");
  now_ = std::max(now_, when);  // a busy loop comes late to it
  ++events_run_;
  mix(static_cast<std::uint64_t>((now_ - start_).count()));
  mix(sequence);
  if (tracing())
    trace(fmt::format("{}: {}", event.loop ? event.loop->name() : "network", event.what));
  if (event.loop != nullptr) {
    event.loop->turn(event.task);
  } else {
    event.task();
  }
}

bool SimWorld::begin_busy_turn() {
  if (busy_before_ != 0 || !random_.chance(faults_.busy)) return false;
  busy_before_ = sequence_ + 1;
  now_ += draw(faults_.busy_for);
  ++happened_.busy_turns;
  return true;
}

void SimWorld::end_busy_turn() {
  for (;;) {
    // What is made meanwhile belongs to a later turn.
    auto due = events_.begin();
    while (due != events_.end() && due->first.first <= now_ && due->first.second >= busy_before_)
      ++due;
    if (due == events_.end() || due->first.first > now_) break;
    auto node = events_.extract(due);
    run(node.key(), std::move(node.mapped()));
  }
  busy_before_ = 0;
}

bool SimWorld::run_until(const std::function<bool()>& done, Duration within) {
  const MonoTime deadline = now_ + within;
  while (!done()) {
    if (events_.empty()) return false;
    if (events_.begin()->first.first > deadline) {
      now_ = deadline;
      return false;
    }
    step();
  }
  return true;
}

bool SimWorld::run_until_quiet(Duration within) {
  run_until([] { return false; }, within);
  return events_.empty();
}

void SimWorld::run_for(Duration time) {
  const MonoTime deadline = now_ + time;
  run_until([] { return false; }, time);
  now_ = deadline;
}

void SimWorld::mix(std::uint64_t value) {
  hash_ = (hash_ ^ value) * 0x9fb21c651e98df25ULL;
  hash_ ^= hash_ >> 28;
}

void SimWorld::mix(std::string_view bytes) {
  mix(bytes.size());
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    mix(word);
  }
  for (const char c : bytes)
    mix(static_cast<unsigned char>(c));
}

void SimWorld::trace(std::string_view line) {
  if (tracer_) tracer_(fmt::format("{:12.3f} ms {}", (now_ - start_).count() / 1000.0, line));
}

void SimWorld::complain(std::string what) {
  trace(what);
  complaints_.push_back(fmt::format("at {} ms: {}", (now_ - start_).count() / 1000.0, what));
}

void SimWorld::check_turn(const SimLoop& loop, std::string_view what) {
  if (current_ == nullptr || current_ == &loop) return;
  complain(fmt::format("{} of {} in a turn of {}", what, loop.name(), current_->name()));
}

SimWorld::Port* SimWorld::find_port(const net::Endpoint& endpoint) {
  for (Port& port : ports_) {
    if (port.endpoint == endpoint) return &port;
  }
  for (Port& port : ports_) {
    if (port.endpoint.is_wildcard() && port.endpoint.family() == endpoint.family() &&
        port.endpoint.port() == endpoint.port())
      return &port;
  }
  return nullptr;
}

const SimWorld::Port* SimWorld::port_of(const SimListener& listener) const {
  for (const Port& port : ports_) {
    if (port.endpoint == listener.local()) return &port;
  }
  return nullptr;
}

net::Endpoint SimWorld::add_listener(SimListener& listener, const net::Endpoint& wanted) {
  const bool any = wanted.family() != net::Endpoint::Family::Unix && wanted.port() == 0;
  const net::Endpoint endpoint = any ? wanted.with_port(next_port()) : wanted;
  for (Port& port : ports_) {
    if (port.endpoint == endpoint) {
      port.listeners.push_back(&listener);
      return endpoint;
    }
  }
  ports_.push_back({endpoint, {&listener}, {}});
  return endpoint;
}

void SimWorld::remove_listener(SimListener& listener) {
  for (auto port = ports_.begin(); port != ports_.end(); ++port) {
    if (std::erase(port->listeners, &listener) == 0) continue;
    if (!port->listeners.empty()) {
      for (SimListener* other : port->listeners)
        other->look();
      return;
    }
    const auto waiting = std::move(port->waiting);
    ports_.erase(port);
    for (const auto& link : waiting)
      link->refuse();
    return;
  }
}

SimWorld::Offer SimWorld::offer(const net::Endpoint& endpoint,
                                const std::shared_ptr<SimLink>& link) {
  Port* port = find_port(endpoint);
  if (port == nullptr) return Offer::Refused;
  if (port->waiting.size() >= port->listeners.front()->backlog()) return Offer::Full;
  port->waiting.push_back(link);
  // Who looks first, takes: which of two loops that is, nobody knows.
  const std::size_t first = random_.between(0, port->listeners.size() - 1);
  for (std::size_t i = 0; i < port->listeners.size(); ++i)
    port->listeners[(first + i) % port->listeners.size()]->look();
  return Offer::Taken;
}

std::shared_ptr<SimLink> SimWorld::next_waiting(SimListener& listener) {
  auto* port = const_cast<Port*>(port_of(listener));
  if (port == nullptr || port->waiting.empty()) return nullptr;
  auto link = std::move(port->waiting.front());
  port->waiting.pop_front();
  return link;
}

std::size_t SimWorld::waiting(const SimListener& listener) const {
  const Port* port = port_of(listener);
  return port == nullptr ? 0 : port->waiting.size();
}

}  // namespace gatescope::test
