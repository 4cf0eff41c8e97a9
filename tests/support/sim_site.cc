#include "tests/support/sim_site.h"

#include <utility>
#include <vector>

#include "proxy/base/text.h"

namespace gatescope::test {

class SimSite::Connection final : public http::SessionHost {
 public:
  Connection(SimSite& site, std::unique_ptr<net::Stream> stream, std::uint64_t number)
      : site_(site), stream_(std::move(stream)) {
    info_.number = number;
    info_.client = stream_->peer();
    info_.local = stream_->local();
    info_.client_address = info_.client.address();
    session_ = http::make_http1_session(*stream_, site_.loop_, *this, {});
  }
  http::Session& session() { return *session_; }

  std::unique_ptr<http::SessionExchange> make_exchange(http::ExchangeLink& link,
                                                       http::RequestHead head) override {
    if (over_) complain("an exchange after the session's end");
    ++info_.requests;
    return std::make_unique<SimExchange>(site_.loop_, link, std::move(head), site_.tally_);
  }
  const http::ConnectionInfo& info() const override { return info_; }
  Log& log() override { return site_.log_; }
  std::string_view date() override { return date_.at(site_.loop_.clock().wall()); }
  void on_idle(bool idle) override {
    if (over_) complain("idle after the session's end");
    if (idle == idle_) complain("the same idleness twice");
    idle_ = idle;
  }
  void on_session_over() override {
    if (over_) complain("a session ended twice");
    over_ = true;
    site_.remove(info_.number);
  }

 private:
  void complain(std::string what) { site_.tally_.complaints.push_back(std::move(what)); }

  SimSite& site_;
  http::ConnectionInfo info_;
  SecondText date_{date_field};
  const std::unique_ptr<net::Stream> stream_;
  std::unique_ptr<http::Session> session_;  // goes before the stream
  bool idle_ = false;
  bool over_ = false;
};

SimSite::SimSite(SimLoop& loop, const net::Endpoint& address) : loop_(loop) {
  listener_ = loop.listen(address, {}, *this).value();
}

SimSite::~SimSite() = default;

void SimSite::drop_all() {
  connections_.clear();
}

void SimSite::finish_all() {
  std::vector<http::Session*> sessions;
  for (const auto& [number, connection] : connections_)
    sessions.push_back(&connection->session());
  for (http::Session* session : sessions)
    session->finish();
}

void SimSite::on_accepted(std::unique_ptr<net::Stream> stream) {
  const std::uint64_t number = next_number_++;
  auto& connection = connections_[number];
  connection = std::make_unique<Connection>(*this, std::move(stream), number);
  connection->session().start();
}

void SimSite::remove(std::uint64_t number) {
  const auto found = connections_.find(number);
  if (found == connections_.end()) return;
  loop_.discard(std::move(found->second));
  connections_.erase(found);
}

}  // namespace gatescope::test
