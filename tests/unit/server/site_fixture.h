#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "proxy/server.h"
#include "tests/support/acme_authority.h"
#include "tests/support/sim_extra.h"
#include "tests/support/sim_loop.h"

namespace gatescope::test {

/// A client that keeps its connection: sends when told, and takes what comes.
class KeptClient final : private net::ConnectEvents, private net::StreamEvents {
 public:
  KeptClient(SimWorld& world, SimLoop& loop, std::uint16_t port = 80);
  ~KeptClient() override;
  void send(const std::string& text);
  /// What came until `part` was in it; or all that came within a minute, or until the end.
  std::string answer(const std::string& part);
  /// What came so far.
  std::string take() { return std::exchange(came_, {}); }
  bool ended() const { return ended_; }

 private:
  void on_connected(std::unique_ptr<net::Stream> stream) override;
  void on_connect_failed(const Error&) override { ended_ = true; }
  void on_data(std::span<const std::byte> data) override { came_ += as_text(data); }
  void on_end() override { ended_ = true; }
  void on_drained() override {}
  void on_failed(const Error&) override { ended_ = true; }

  SimWorld& world_;
  SimLoop& loop_;
  std::unique_ptr<net::Connecting> connecting_;
  std::unique_ptr<net::Stream> stream_;
  std::string came_;
  bool ended_ = false;
};

/// A whole server with the given configuration in the simulated world, and a client that sends raw
/// text and takes what comes until the server closes. Files lie in a folder of its own.
class Site final : public server::ServerEvents,
                   private net::ConnectEvents,
                   private net::StreamEvents,
                   private net::TimerEvents {
 public:
  /// `http`: what stands in the http block. `load_error` tells why it did not load.
  explicit Site(const std::string& http, const std::string& main = "");
  ~Site() override;
  /// "$folder" in configurations is replaced by this.
  const std::string& folder() const { return folder_; }
  void write(const std::string& name, const std::string& text);
  std::string read(const std::string& name) const;
  const std::string& load_error() const { return load_error_; }

  /// The whole answer to raw bytes; a request line alone gets "Host: localhost" and Connection:
  /// close.
  std::string ask(const std::string& request, std::uint16_t port = 80);
  /// The same request over HTTP/2, and the answer as HTTP/1 would have written it, with field names
  /// of lower case. ask() does so where GATESCOPE_TEST_HTTP=2 is in the environment, for the tests
  /// tagged [both].
  std::string ask_http2(const std::string& request, std::uint16_t port = 80);
  /// The same, one byte at a time, each in a turn of its own.
  std::string ask_bytewise(const std::string& request, std::uint16_t port = 80);
  /// Sends, waits a second, and is gone without a word; what had come by then.
  std::string ask_and_leave(const std::string& request, std::uint16_t port = 80);
  std::string get(const std::string& target, const std::string& fields = "");
  std::string start();
  server::Server& server() { return *server_; }
  SimLoop& loop() { return loop_; }
  void run_for(Duration time) { world_.run_for(time); }
  std::optional<Error> reload(const std::string& http);
  std::optional<Error> reload(const std::string& http, const std::string& main) {
    main_ = main;
    return reload(http);
  }
  /// The whole file as it is given.
  std::optional<Error> reload_file(const std::string& text);
  std::unique_ptr<KeptClient> connect(std::uint16_t port = 80) {
    return std::make_unique<KeptClient>(world_, loop_, port);
  }
  void finish() {
    loop_.post([this] { server_->finish(); });
  }
  bool stopped() const { return stopped_; }
  /// As the service manager was told last.
  const std::string& status() const { return service_.status; }
  SimSockets& sockets() { return sockets_; }
  /// What every acme_issuer asks, whatever its uri.
  AcmeAuthority& authority() { return *authority_; }
  bool run_until(const std::function<bool()>& done, Duration within) {
    return world_.run_until(done, within);
  }
  const SimLoops& more_loops() const { return more_loops_; }

 private:
  std::optional<Error> reload_file();
  struct Service final : server::ServiceManager {
    void show_status(std::string_view line) override { status = line; }
    std::string status;
  };
  void configure(const std::string& http);
  void on_server_stopped() override { stopped_ = true; }
  void on_reloaded(const Error* error) override {
    reloaded_ = true;
    reload_error_.reset();
    if (error) reload_error_ = *error;
  }
  void on_connected(std::unique_ptr<net::Stream> stream) override;
  void on_connect_failed(const Error& error) override;
  void on_data(std::span<const std::byte> data) override { answer_ += as_text(data); }
  void on_end() override { ended_ = true; }
  void on_drained() override {}
  void on_failed(const Error&) override { ended_ = true; }
  void on_timer(net::Timer&) override { send_some(); }
  void send_some();

  SimWorld world_{1};
  SimLoop loop_{world_};
  SimLoops more_loops_{world_};
  SimSockets sockets_;
  std::unique_ptr<AcmeAuthority> authority_;  // null: the configuration has no acme_issuer
  Service service_;
  conf::SystemFileReader files_;
  tls::OwnSecrets secrets_;
  OwnLogOpener logs_;
  std::string folder_, main_, load_error_;
  std::unique_ptr<server::Server> server_;
  std::unique_ptr<net::Connecting> connecting_;
  std::unique_ptr<net::Stream> stream_;
  std::unique_ptr<net::Timer> pace_;
  bool bytewise_ = false;
  Duration patience_{300'000};
  std::string request_, answer_;
  bool ended_ = false, stopped_ = false, reloaded_ = false;
  std::optional<Error> reload_error_;
};

int status_of_answer(const std::string& answer);
std::string body_of_answer(const std::string& answer);
/// The value of the first such field, or "(none)".
std::string field_of_answer(const std::string& answer, const std::string& name);

}  // namespace gatescope::test
