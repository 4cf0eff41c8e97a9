#pragma once

#include <nghttp2/nghttp2.h>

#include <memory>

#include "tests/bench/asker.h"

namespace gatescope::bench {

/// Asks for one path over HTTP/2, on so many streams of one connection at a time. The connection's
/// TLS must offer h2.
class Http2Asker final : public Wire, public LoadClient {
 public:
  struct Plan {
    std::uint16_t port = 0;
    std::string path = "/";
    int streams = 32;
    bool once = false;  // one round of requests; the connection stays
  };
  Http2Asker(Reactor& reactor, SSL_CTX* tls, Plan plan, Seen& seen);
  void tick() override;

 private:
  friend struct Http2AskerCallbacks;
  struct FreeNghttp2 {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };
  void on_open() override;
  void on_data(std::string_view data) override;
  void on_data_end() override;
  void on_closed(bool refused) override;
  void ask();
  void answered(bool ok, bool whole);
  void flush();

  const Plan plan_;
  const std::string host_ = "bench.test";
  Seen& seen_;
  std::unique_ptr<nghttp2_session, FreeNghttp2> session_;  // null: not open
  int running_ = 0;
  int to_ask_ = 0;  // beyond those that run, once the input has been read
  bool begun_ = false;
};

}  // namespace gatescope::bench
