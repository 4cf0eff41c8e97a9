#include "tests/support/sim_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace gatescope::test {

namespace {

constexpr std::size_t kMostPerRead = 64 * 1024;  // as UvStream's buffer

/// One end of a SimLink. Owned by its user; destroying it closes.
class SimStream final : public net::Stream {
 public:
  SimStream(std::shared_ptr<SimLink> link, SimLink::Side side)
      : link_(std::move(link)), side_(side) {
    ++link_->world().live().streams;
  }
  ~SimStream() override {
    --link_->world().live().streams;
    check("destroying a stream");
    link_->close(side_);
  }
  void set_events(net::StreamEvents* events) override { link_->set_events(side_, events); }
  void start_reading() override {
    check("start_reading()");
    link_->start_reading(side_);
  }
  void stop_reading() override { link_->stop_reading(side_); }
  Flow write(ByteQueue& bytes) override {
    check("write()");
    return link_->write(side_, bytes);
  }
  std::size_t unsent() const override { return link_->unsent(side_); }
  void notify_sent() override { link_->notify_sent(side_); }
  void shut_down() override { link_->shut_down(side_); }
  void reset_on_close() override { link_->reset_on_close(side_); }
  const net::Endpoint& peer() const override {
    return link_->address(side_ == SimLink::kClient ? SimLink::kServer : SimLink::kClient);
  }
  const net::Endpoint& local() const override { return link_->address(side_); }

 private:
  void check(std::string_view what) { link_->world().check_turn(link_->loop(side_), what); }

  const std::shared_ptr<SimLink> link_;
  const SimLink::Side side_;
};

}  // namespace

SimLink::SimLink(SimWorld& world, const SimFaults& faults, const net::Endpoint& client,
                 const net::Endpoint& server)
    : world_(world), faults_(faults) {
  ends_[kClient].address = client;
  ends_[kServer].address = server;
  draw_faults();
}

void SimLink::draw_faults() {
  SimRandom& random = world_.random();
  SimFaultCounts& happened = world_.happened();
  for (End& end : ends_) {
    const bool slow = random.chance(faults_.slow_reader);
    end.window = std::max<std::size_t>(1, world_.draw(slow ? faults_.slow_window : faults_.window));
    end.bytewise = random.chance(faults_.bytewise);
    happened.slow_readers += slow;
    happened.bytewise += end.bytewise;
    if (random.chance(faults_.stall_for_ever)) end.stall_at = world_.draw(faults_.stall_bytes);
  }
  if (random.chance(faults_.half_close_by_client))
    ends_[kClient].end_at = world_.draw(faults_.end_bytes);
  if (random.chance(faults_.half_close_by_server))
    ends_[kServer].end_at = world_.draw(faults_.end_bytes);
}

std::unique_ptr<net::Stream> SimLink::open(Side side, SimLoop& loop) {
  End& end = ends_[side];
  end.state = State::Open;
  end.loop = &loop;
  if (side == kClient && world_.random().chance(faults_.cut)) {
    // In the middle of bytes of either direction, or while both wait.
    switch (world_.random().between(0, 2)) {
      case 0:
      case 1:
        ends_[world_.random().between(0, 1)].cut_at = world_.draw(faults_.cut_bytes);
        break;
      default:
        world_.after(world_.draw(faults_.cut_time), nullptr, "cut", [weak = weak_from_this()] {
          if (const auto link = weak.lock()) link->cut();
        });
    }
  }
  return std::make_unique<SimStream>(shared_from_this(), side);
}

void SimLink::start_reading(Side side) {
  End& end = ends_[side];
  if (end.events == nullptr) world_.complain("start_reading() without events");
  if (end.reading || end.ended || end.state == State::Failed) return;
  end.reading = true;
  if (!end.inbox.empty() || end.fin_came || end.reset_came) schedule_read(side);
}

Flow SimLink::write(Side side, ByteQueue& bytes) {
  End& end = ends_[side];
  if (end.state == State::Open && end.reset_came && !bytes.empty()) fail_later(side, EPIPE);
  if (end.state != State::Open || end.fin_wanted) {
    bytes.clear();
    return Flow::Wait;
  }
  end.unsent.append_all(std::move(bytes));
  bytes.clear();
  push_out(side);
  if (end.unsent.size() <= net::Stream::kHighWater) return Flow::GoOn;
  end.told_to_wait = true;
  return Flow::Wait;
}

void SimLink::shut_down(Side side) {
  End& end = ends_[side];
  if (end.state != State::Open || end.fin_wanted) return;
  end.fin_wanted = true;
  push_out(side);
}

void SimLink::close(Side side) {
  End& end = ends_[side];
  if (end.in_callback) world_.complain("a stream was destroyed inside its own callback");
  const bool was_failed = end.state == State::Failed;
  end.state = State::Closed;
  end.events = nullptr;
  end.unsent.clear();
  if (was_failed || end.reset_came) return;
  // As the kernel: closing with bytes unread is a reset.
  if (end.reset_on_close || !end.inbox.empty()) {
    send(side, Kind::Reset);
  } else if (!end.fin_sent) {
    end.fin_sent = true;
    send(side, Kind::Fin);
  }
}

// Moves what the window takes onto the way.
void SimLink::push_out(Side side) {
  End& end = ends_[side];
  while (!end.unsent.empty()) {
    const std::size_t used = end.in_flight + ends_[other(side)].inbox.size();
    if (used >= end.window) return;
    std::size_t room = std::min(end.window - used, kMostPerRead);
    std::string bytes;
    while (room > 0 && !end.unsent.empty()) {
      std::array<std::span<const std::byte>, 1> piece;
      end.unsent.peek(piece);
      const std::size_t n = std::min(room, piece[0].size());
      bytes.append(as_text(piece[0].first(n)));
      end.unsent.consume(n);
      room -= n;
    }
    send_piece(side, std::move(bytes));
  }
  if (!end.fin_wanted || end.fin_sent) return;
  end.fin_sent = true;
  send(side, Kind::Fin);
}

// Cuts one piece into those that arrive, and applies the faults that wait at a certain byte.
void SimLink::send_piece(Side side, std::string bytes) {
  End& end = ends_[side];
  SimRandom& random = world_.random();
  const bool fragment = random.chance(faults_.fragment);
  world_.happened().fragmented += fragment;
  std::size_t at = 0;
  while (at < bytes.size()) {
    std::size_t n = bytes.size() - at;
    if (end.bytewise && end.sent < faults_.bytewise_limit) {
      n = 1;
    } else if (fragment && n > 1) {
      n = random.between(1, std::max<std::size_t>(1, n / 2));
      if (n < 64 && at > 4096) n = std::min<std::size_t>(bytes.size() - at, 1000);
    }
    const std::uint64_t stop = std::min({end.cut_at, end.end_at, end.stall_at});
    if (end.sent + n > stop) n = stop > end.sent ? stop - end.sent : 0;
    if (n == 0) break;
    send(side, Kind::Data, bytes.substr(at, n));
    end.sent += n;
    at += n;
  }
  if (at == bytes.size()) return;
  if (end.sent >= end.cut_at) {
    cut();
  } else if (end.sent >= end.end_at) {  // the rest is lost
    if (!end.fin_sent) {
      ++world_.happened().half_closes;
      end.fin_sent = true;
      send(side, Kind::Fin);
    }
  } else {
    world_.happened().stalled_for_ever += end.in_flight < end.window;
    end.in_flight += bytes.size() - at;  // for ever: the window fills
  }
}

void SimLink::send(Side side, Kind kind, std::string bytes) {
  End& end = ends_[side];
  if (dead_ || (kind != Kind::Data && end.sent >= end.stall_at)) return;
  end.in_flight += bytes.size();
  Micros delay = end.bytewise && kind == Kind::Data && end.sent > 0 ? Micros(20)
                                                                    : world_.draw(faults_.latency);
  if (world_.random().chance(faults_.stall)) {
    delay += world_.draw(faults_.stall_for);
    ++world_.happened().stalled;
  }
  end.last_arrival = std::max(end.last_arrival, world_.now() + delay);
  world_.at(end.last_arrival, nullptr, "arrival",
            [link = shared_from_this(), side, kind, bytes = std::move(bytes)] {
              link->arrive(other(side), kind, bytes);
            });
}

void SimLink::arrive(Side side, Kind kind, const std::string& bytes) {
  End& end = ends_[side];
  ends_[other(side)].in_flight -= bytes.size();
  if (world_.tracing()) {
    world_.trace(fmt::format("  port {} {} gets {} {} bytes", ends_[kClient].address.port(),
                             side == kClient ? "client" : "server",
                             kind == Kind::Data  ? "data"
                             : kind == Kind::Fin ? "fin"
                                                 : "reset",
                             bytes.size()));
  }
  if (end.state == State::Closed) {
    if (kind == Kind::Data) send(side, Kind::Reset);  // nobody is there
    return;
  }
  if (end.reset_came) return;
  switch (kind) {
    case Kind::Data:
      end.inbox += bytes;
      break;
    case Kind::Fin:
      end.fin_came = true;
      break;
    case Kind::Reset:
      end.reset_came = true;
      ++world_.happened().resets;
      if (world_.random().chance(faults_.reset_drops_unread)) end.inbox.clear();
      // Who waits for room to write learns it; who neither reads nor writes does not.
      if (end.state == State::Open && !end.unsent.empty()) fail_later(side, EPIPE);
      break;
  }
  if (end.reading && !end.read_scheduled && end.loop != nullptr)
    end.loop->turn([this, side] { deliver(side); });
}

void SimLink::schedule_read(Side side) {
  End& end = ends_[side];
  if (end.read_scheduled) return;
  end.read_scheduled = true;
  world_.after(Micros(1), nullptr, "read", [link = shared_from_this(), side] {
    End& end = link->ends_[side];
    end.read_scheduled = false;
    if (end.state != State::Closed && end.reading)
      end.loop->turn([&link, side] { link->deliver(side); });
  });
}

void SimLink::deliver(Side side) {
  End& end = ends_[side];
  if (!end.reading || end.state == State::Closed || end.state == State::Failed) return;
  if (!end.inbox.empty()) {
    const std::size_t n = std::min(end.inbox.size(), kMostPerRead);
    // A block of the very size: reading behind it, or later, shows under AddressSanitizer.
    const auto block = std::make_unique<std::byte[]>(n);
    std::copy_n(as_bytes(end.inbox).data(), n, block.get());
    end.inbox.erase(0, n);
    const std::span<const std::byte> data(block.get(), n);
    world_.mix(as_text(data));
    open_window(other(side));
    if (!end.inbox.empty() || end.fin_came || end.reset_came) schedule_read(side);
    if (end.events == nullptr) return;
    end.in_callback = true;
    end.events->on_data(data);
    end.in_callback = false;
  } else if (end.reset_came) {
    fail_now(side, system_error(ECONNRESET, "recv()", origin(side)));
  } else if (end.fin_came && !end.ended) {
    end.ended = true;
    end.reading = false;
    if (end.events == nullptr) return;
    end.in_callback = true;
    end.events->on_end();
    end.in_callback = false;
  }
}

// The reader made room; the writer hears of it when something waits for it.
void SimLink::open_window(Side side) {
  End& end = ends_[side];
  if (end.window_scheduled || end.state != State::Open || end.unsent.empty() || dead_) return;
  end.window_scheduled = true;
  world_.after(world_.draw(faults_.latency), nullptr, "window", [link = shared_from_this(), side] {
    End& end = link->ends_[side];
    end.window_scheduled = false;
    if (end.state == State::Open) end.loop->turn([&link, side] { link->on_window(side); });
  });
}

void SimLink::on_window(Side side) {
  End& end = ends_[side];
  push_out(side);
  const bool room = end.told_to_wait && end.unsent.size() < net::Stream::kHighWater / 2;
  const bool sent = end.notify_sent && end.unsent.empty();
  if (!room && !sent) return;
  if (room) end.told_to_wait = false;
  if (sent) end.notify_sent = false;
  if (end.events == nullptr) return;
  end.in_callback = true;
  end.events->on_drained();
  end.in_callback = false;
}

void SimLink::cut() {
  if (dead_) return;
  ++world_.happened().cuts;
  send(kClient, Kind::Reset);
  send(kServer, Kind::Reset);
  dead_ = true;
}

void SimLink::fail_later(Side side, int error) {
  End& end = ends_[side];
  end.state = State::Failing;
  end.unsent.clear();
  world_.after(Micros(2), nullptr, "write failure", [link = shared_from_this(), side, error] {
    End& end = link->ends_[side];
    if (end.state != State::Failing) return;
    Error why = system_error(error, "send()", link->origin(side));
    why.kind = ErrorKind::Reset;
    end.loop->turn([&] { link->fail_now(side, why); });
  });
}

void SimLink::fail_now(Side side, const Error& error) {
  End& end = ends_[side];
  end.reading = false;
  end.unsent.clear();
  end.state = State::Failed;
  if (end.events == nullptr) return;
  end.in_callback = true;
  end.events->on_failed(error);
  end.in_callback = false;
}

}  // namespace gatescope::test
