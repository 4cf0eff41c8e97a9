#include "proxy/upstream/upgrade_tunnel.h"

namespace gatescope::upstream {

UpgradeTunnel::UpgradeTunnel(net::Loop& loop, std::unique_ptr<net::Stream> upstream,
                             std::unique_ptr<http::ByteTunnel> client, Duration idle, Owner& owner)
    : loop_(loop),
      idle_(idle),
      owner_(owner),
      upstream_(std::move(upstream)),
      client_(std::move(client)),
      timer_(loop.make_timer(*this)) {}

UpgradeTunnel::~UpgradeTunnel() {
  if (upstream_) upstream_->set_events(nullptr);
}

void UpgradeTunnel::start(std::string early) {
  upstream_->set_events(this);
  client_->set_events(this);
  timer_->start(idle_);
  if (!early.empty()) to_client(std::move(early));
  upstream_->start_reading();
  client_->start_reading();
}

void UpgradeTunnel::to_client(std::string bytes) {
  from_upstream_ += bytes.size();
  if (client_->write(SharedBytes(std::move(bytes))) == Flow::Wait) upstream_->stop_reading();
}

void UpgradeTunnel::on_data(std::span<const std::byte> data) {
  if (state_ == State::Over) return;
  timer_->start(idle_);
  to_client(std::string(as_text(data)));
}

void UpgradeTunnel::on_tunnel_data(std::span<const std::byte> data) {
  if (state_ == State::Over) return;
  timer_->start(idle_);
  to_upstream_ += data.size();
  ByteQueue bytes;
  bytes.append_copy(as_text(data));
  if (upstream_->write(bytes) == Flow::Wait) client_->stop_reading();
}

void UpgradeTunnel::on_drained() {
  if (state_ != State::Over) client_->start_reading();
}

void UpgradeTunnel::on_tunnel_writable() {
  if (state_ != State::Over) upstream_->start_reading();
}

void UpgradeTunnel::on_end() {
  if (state_ == State::Over) return;
  client_->shut_down();
  if (state_ == State::ClientEnded) return over();
  state_ = State::UpstreamEnded;
}

void UpgradeTunnel::on_tunnel_end() {
  if (state_ == State::Over) return;
  upstream_->shut_down();
  if (state_ == State::UpstreamEnded) return over();
  state_ = State::ClientEnded;
}

void UpgradeTunnel::on_failed(const Error&) {
  over();
}
void UpgradeTunnel::on_tunnel_failed(const Error&) {
  over();
}
void UpgradeTunnel::on_timer(net::Timer&) {
  over();
}

void UpgradeTunnel::over() {
  if (state_ == State::Over) return;
  state_ = State::Over;
  timer_->stop();
  upstream_->set_events(nullptr);
  client_->set_events(nullptr);
  loop_.discard(std::move(upstream_));
  loop_.discard(std::move(client_));  // the exchange ends with it
  owner_.on_tunnel_over();
}

}  // namespace gatescope::upstream
