#pragma once

#include <memory>
#include <string>

#include "proxy/net/loop.h"
#include "proxy/net/stream.h"

namespace gatescope::server {

/// A stream whose first bytes were read already by somebody else (TLS found plain HTTP): delivers
/// them at the end of the turn in which reading starts, then is the inner stream. Owned by the
/// Connection.
class ReplayStream final : public net::Stream, private net::TurnHook {
 public:
  ReplayStream(std::unique_ptr<net::Stream> inner, std::string first, net::Loop& loop)
      : inner_(std::move(inner)), first_(std::move(first)), loop_(loop) {}

  void set_events(net::StreamEvents* events) override {
    events_ = events;
    inner_->set_events(events);
  }
  void start_reading() override {
    if (first_.empty()) return inner_->start_reading();
    wanted_ = true;
    loop_.at_turn_end(*this);
  }
  void stop_reading() override {
    wanted_ = false;
    inner_->stop_reading();
  }
  Flow write(ByteQueue& bytes) override { return inner_->write(bytes); }
  std::size_t unsent() const override { return inner_->unsent(); }
  void notify_sent() override { inner_->notify_sent(); }
  void shut_down() override { inner_->shut_down(); }
  void reset_on_close() override { inner_->reset_on_close(); }
  const net::Endpoint& peer() const override { return inner_->peer(); }
  const net::Endpoint& local() const override { return inner_->local(); }

 private:
  void on_turn_end() override {
    if (!wanted_ || !events_ || first_.empty()) return;
    const std::string bytes = std::exchange(first_, {});
    inner_->start_reading();
    events_->on_data(as_bytes(bytes));
  }

  const std::unique_ptr<net::Stream> inner_;
  std::string first_;  // not delivered yet
  net::Loop& loop_;
  net::StreamEvents* events_ = nullptr;
  bool wanted_ = false;
};

}  // namespace gatescope::server
