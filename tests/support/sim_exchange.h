#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/session.h"
#include "tests/support/sim_loop.h"

namespace gatescope::test {

/// The site that the simulated exchanges serve; both sides know it.
///   /small /big (300 KB) /chunked /trailers /interim (103 first) /empty (204) /delayed /slow (25
///   s) /until-close (no length, no chunks) /echo /late-echo (body wanted later) /ignore (body not
///   wanted) /refuse (413, body not wanted) /cut /cut-chunked /cut-open (no length, no chunks)
///   /reset /short (less than announced)
std::string sim_body(std::string_view path, std::string_view request_body);
int sim_status(std::string_view path);
/// Whether the site breaks this answer off.
bool sim_breaks(std::string_view path);

/// What happened to all exchanges of a test, and which rules of SessionExchange were broken.
struct SimExchangeTally {
  int made = 0, started = 0, over = 0, gone = 0, destroyed = 0, body_failed = 0, refused = 0;
  std::map<std::string, int> paths;
  std::vector<std::string> complaints;
};

/// Answers by path, with back-pressure both ways, and watches how the Session treats it. Copies the
/// request's X-Seq into the answer. Owned by the Session.
class SimExchange final : public http::SessionExchange, private net::TimerEvents {
 public:
  SimExchange(SimLoop& loop, http::ExchangeLink& link, http::RequestHead head,
              SimExchangeTally& tally);
  ~SimExchange() override;

  void start() override;
  void on_body(std::span<const std::byte> data) override;
  void on_body_end(const http::HeaderList& trailers) override;
  void on_body_failed(int status, const Error& error) override;
  void on_writable() override;
  void on_client_gone(const Error& error) override;
  void on_over() override;

 private:
  void on_timer(net::Timer& timer) override;
  void check(std::string_view event);
  void answer();
  void send_head(int status, std::optional<std::uint64_t> length);
  void send_some();
  void end(const http::HeaderList& trailers = {});
  void want_body(bool wanted);
  bool is(std::string_view path) const { return path_ == path; }

  // Constant after construction
  SimLoop& loop_;
  http::ExchangeLink& link_;
  const http::RequestHead head_;
  SimExchangeTally& tally_;
  const std::string path_;
  const std::unique_ptr<net::Timer> timer_;

  SharedBytes body_;            // what is still to be sent
  std::size_t body_limit_ = 0;  // at which /cut and its like break off
  bool started_ = false, wanted_ = false, head_sent_ = false;
  bool ended_ = false;  // send_end or cut was called, or the client has gone
  bool gone_ = false, over_ = false, body_done_ = false;
};

}  // namespace gatescope::test
