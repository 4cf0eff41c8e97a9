#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/net/loop.h"

namespace gatescope::test {

/// A small proxy as HTTP_PROXY and HTTPS_PROXY name one: takes absolute targets and CONNECT, and
/// goes to one place whatever they name. Owned by the test; on its loop, on a port of its own.
class ForwardProxy final : private net::AcceptEvents {
 public:
  ForwardProxy(net::Loop& loop, net::Endpoint to);
  ~ForwardProxy() override;
  std::string url() const { return "http://" + listener_->local().to_string(); }
  std::vector<std::string> requests;  // the first line of each

 private:
  class Passage;
  void on_accepted(std::unique_ptr<net::Stream> stream) override;

  net::Loop& loop_;
  const net::Endpoint to_;
  std::unique_ptr<net::Listener> listener_;
  std::vector<std::unique_ptr<Passage>> passages_;  // until the end: they are few
};

}  // namespace gatescope::test
