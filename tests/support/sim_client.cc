#include "tests/support/sim_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace gatescope::test {

std::string_view name_of(SimClient::Outcome outcome) {
  constexpr std::array<std::string_view, 8> kNames{
      "Running", "NotConnected", "Finished", "Closed", "Broken", "Left", "GaveUp", "BadAnswer"};
  return kNames[static_cast<std::size_t>(outcome)];
}

std::string SimRequest::head_text() const {
  if (!garbage.empty()) return garbage;
  std::string text = fmt::format("{} {} {}\r\nHost: sim.example\r\n", method, path, version);
  for (const auto& [name, value] : headers)
    text += fmt::format("{}: {}\r\n", name, value);
  if (framing == Framing::Length) text += fmt::format("Content-Length: {}\r\n", body.size());
  if (framing == Framing::Chunked) text += "Transfer-Encoding: chunked\r\n";
  if (expect_continue) text += "Expect: 100-continue\r\n";
  return text + "\r\n";
}

std::string SimRequest::body_text(SimRandom& random) const {
  if (framing != Framing::Chunked) return framing == Framing::Length ? body : "";
  std::string text;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t n = random.between(1, std::min<std::size_t>(body.size() - at, 9000));
    text += fmt::format("{:x}{}\r\n", n, random.chance(0.1) ? ";name=value" : "");
    text.append(body, at, n);
    text += "\r\n";
    at += n;
  }
  return text + "0\r\n" + (random.chance(0.2) ? "X-Trailer: t\r\n" : "") + "\r\n";
}

SimClient::SimClient(SimLoop& loop, const net::Endpoint& server, SimClientPlan plan)
    : loop_(loop), server_(server), plan_(std::move(plan)) {
  for (auto* timer : {&deadline_, &pace_, &leave_, &think_, &continue_})
    *timer = loop_.make_timer(*this);
}

SimClient::~SimClient() = default;

void SimClient::start() {
  deadline_->start(plan_.deadline);
  connecting_ = loop_.connect(server_, plan_.connect_timeout, *this);
}

void SimClient::on_connected(std::unique_ptr<net::Stream> stream) {
  if (done()) return;  // what is in the bin may still speak until the turn ends
  loop_.discard(std::move(connecting_));
  stream_ = std::move(stream);
  stream_->set_events(this);
  stream_->start_reading();
  if (plan_.leave_after.count() > 0) leave_->start(std::chrono::ceil<Duration>(plan_.leave_after));
  queue_requests();
}

void SimClient::on_connect_failed(const Error&) {
  if (done()) return;
  loop_.discard(std::move(connecting_));
  finish(Outcome::NotConnected);
}

void SimClient::queue_requests() {
  if (plan_.pipelined) {
    while (next_ < plan_.requests.size() && !waits_for_continue_)
      queue_next();
  } else if (next_ < plan_.requests.size()) {
    queue_next();
  }
  send_some();
}

void SimClient::queue_next() {
  const SimRequest& request = plan_.requests[next_++];
  parser_.expect(request.method);
  outgoing_ += request.head_text();
  std::string body = request.garbage.empty() ? request.body_text(loop_.world().random()) : "";
  if (request.expect_continue && !body.empty()) {
    held_body_ = std::move(body);
    waits_for_continue_ = true;
    continue_->start(Duration(1000));  // RFC 9110 10.1.1: not for ever
  } else {
    outgoing_ += body;
  }
}

void SimClient::send_some() {
  if (!stream_) return;
  std::size_t n = outgoing_.size() - outgoing_sent_;
  const bool slow = plan_.slow_bytes && slow_sent_ < plan_.slow_limit;
  if (slow) {
    if (pace_->running()) return;
    n = std::min<std::size_t>(n, loop_.world().random().between(1, 7));
    slow_sent_ += n;
  }
  ByteQueue bytes;
  bytes.append_copy(std::string_view(outgoing_).substr(outgoing_sent_, n));
  outgoing_sent_ += n;
  if (!bytes.empty()) stream_->write(bytes);
  if (outgoing_sent_ < outgoing_.size()) {
    pace_->start(std::chrono::ceil<Duration>(loop_.world().draw(plan_.slow_every)));
    return;
  }
  outgoing_.clear();
  outgoing_sent_ = 0;
  if (waits_for_continue_) return;
  sent_ = next_;
  if (plan_.half_close && next_ == plan_.requests.size() && !shut_) {
    shut_ = true;
    stream_->shut_down();
  }
}

void SimClient::on_data(std::span<const std::byte> data) {
  const std::size_t before = parser_.complete();
  parser_.feed(as_text(data));
  if (!parser_.error().empty()) {
    finish(Outcome::BadAnswer);
    return;
  }
  if (waits_for_continue_) {  // any answer ends the waiting; a final one too: we send all the same
    waits_for_continue_ = false;
    continue_->stop();
    outgoing_ += std::exchange(held_body_, {});
    if (plan_.pipelined) {
      queue_requests();
    } else {
      send_some();
    }
  }
  if (plan_.stops_reading && !parser_.responses().empty()) stream_->stop_reading();
  if (parser_.complete() == plan_.requests.size()) {
    finish(Outcome::Finished);
  } else if (parser_.complete() > before && !plan_.pipelined && parser_.complete() == next_) {
    if (plan_.think.count() > 0) {
      think_->start(std::chrono::ceil<Duration>(plan_.think));
    } else {
      queue_requests();
    }
  }
}

void SimClient::on_end() {
  parser_.end(true);
  finish(parser_.complete() == plan_.requests.size() ? Outcome::Finished : Outcome::Closed);
}

void SimClient::on_failed(const Error&) {
  parser_.end(false);
  finish(Outcome::Broken);
}

void SimClient::on_timer(net::Timer& timer) {
  if (done()) return;
  if (&timer == pace_.get()) {
    send_some();
  } else if (&timer == think_.get()) {
    queue_requests();
  } else if (&timer == continue_.get()) {
    waits_for_continue_ = false;
    outgoing_ += std::exchange(held_body_, {});
    if (plan_.pipelined) {
      queue_requests();
    } else {
      send_some();
    }
  } else if (&timer == leave_.get()) {
    if (stream_ && plan_.leave_by_reset) stream_->reset_on_close();
    finish(Outcome::Left);
  } else {
    finish(Outcome::GaveUp);
  }
}

void SimClient::finish(Outcome outcome) {
  if (done()) return;
  outcome_ = outcome;
  for (auto* timer : {&deadline_, &pace_, &leave_, &think_, &continue_})
    loop_.discard(std::move(*timer));
  loop_.discard(std::move(connecting_));
  if (stream_) stream_->set_events(nullptr);
  loop_.discard(std::move(stream_));
}

}  // namespace gatescope::test
