#include "tests/support/sim_connect.h"

#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "tests/support/sim_link.h"

namespace gatescope::test {

namespace {

// A full backlog drops the SYN; Linux sends it again after a second.
constexpr Micros kSynAgain{1'000'000};

net::Endpoint nameless_unix() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  return net::Endpoint::of_sockaddr(reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t));
}

}  // namespace

SimListener::SimListener(SimLoop& loop, const net::Endpoint& endpoint,
                         const net::ListenOptions& options, net::AcceptEvents& events)
    : loop_(loop),
      events_(events),
      backlog_(static_cast<std::size_t>(std::max(1, options.backlog))),
      local_(loop.world().add_listener(*this, endpoint)) {
  ++loop_.world().live().listeners;
}

SimListener::~SimListener() {
  loop_.world().cancel(event_);
  loop_.world().remove_listener(*this);
  --loop_.world().live().listeners;
}

void SimListener::resume_accepting() {
  accepting_ = true;
  look();
}

void SimListener::look() {
  SimWorld& world = loop_.world();
  if (!accepting_ || event_ != SimWorld::kNoEvent || world.waiting(*this) == 0) return;
  event_ = world.after(Micros(1), &loop_, "accept", [this] {
    event_ = SimWorld::kNoEvent;
    if (accepting_) accept_one();
  });
}

void SimListener::accept_one() {
  auto link = loop_.world().next_waiting(*this);
  if (!link) return;
  look();
  events_.on_accepted(link->open(SimLink::kServer, loop_));
}

SimConnecting::SimConnecting(SimLoop& loop, const net::Endpoint& endpoint, Duration timeout,
                             net::ConnectEvents& events)
    : loop_(loop), endpoint_(endpoint), events_(events) {
  ++world().live().connectings;
  timeout_ = world().after(Micros(timeout), &loop_, "connect timeout", [this] { on_timeout(); });
  const SimFaults& faults = world().faults_of(endpoint_);
  if (world().random().chance(faults.no_answer)) {
    ++world().happened().unanswered;
    return;
  }
  refused_ = world().random().chance(faults.refuse);
  ask();
}

SimConnecting::~SimConnecting() {
  world().cancel(answer_);
  world().cancel(timeout_);
  --world().live().connectings;
}

void SimConnecting::ask() {
  answer_ = world().after(world().draw(world().faults_of(endpoint_).latency), &loop_,
                          "connect answer", [this] {
                            answer_ = SimWorld::kNoEvent;
                            on_answer();
                          });
}

void SimConnecting::on_answer() {
  const bool is_unix = endpoint_.family() == net::Endpoint::Family::Unix;
  const net::Endpoint own =
      is_unix ? nameless_unix() : loop_.own_address().with_port(world().next_port());
  std::shared_ptr<SimLink> link;
  auto offer = SimWorld::Offer::Refused;
  if (!refused_) {
    link = std::make_shared<SimLink>(world(), world().faults_of(endpoint_), own, endpoint_);
    offer = world().offer(endpoint_, link);
  } else {
    ++world().happened().refused;
  }
  switch (offer) {
    case SimWorld::Offer::Taken:
      world().cancel(timeout_);
      events_.on_connected(link->open(SimLink::kClient, loop_));
      return;
    case SimWorld::Offer::Full:
      answer_ = world().after(kSynAgain, &loop_, "connect again", [this] {
        answer_ = SimWorld::kNoEvent;
        on_answer();
      });
      return;
    case SimWorld::Offer::Refused:
      fail(system_error(ECONNREFUSED, "connect() to " + endpoint_.to_string(), Origin::Upstream));
      return;
  }
}

void SimConnecting::on_timeout() {
  timeout_ = SimWorld::kNoEvent;
  fail(make_error(ErrorKind::Timeout, Origin::Upstream,
                  "connect() to " + endpoint_.to_string() + " timed out"));
}

void SimConnecting::fail(const Error& error) {
  world().cancel(answer_);
  world().cancel(timeout_);
  events_.on_connect_failed(error);
}

}  // namespace gatescope::test
