#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatescope::integration {

struct Answer {
  int status = 0;
  std::string head;  // as it came, without the empty line
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;

  std::string field(std::string_view name) const;  // of the first such; "" without one
  std::size_t count(std::string_view name) const;
};

class Http2Conversation;
class Wire;

/// Which version of HTTP a Client speaks. Tested: 2 where GATESCOPE_TEST_HTTP says so, for the
/// tests tagged [both], and then the server must speak it too: by ALPN over TLS, by the preface in
/// clear.
enum class Http { Tested, One };

/// One connection of a client that shows what really happens: blocking, with a deadline in each
/// step, no retries. Throws std::runtime_error when the server does not do what is waited for.
/// Requests are written as for HTTP/1, whatever carries them.
class Client {
 public:
  /// `first`: what is sent before any HTTP.
  static Client tcp(std::uint16_t port, std::string_view first = {}, Http http = Http::Tested);
  static Client unix_socket(const std::string& path);
  /// TLS that believes the authority in `ca_file` only and demands a certificate for `name`.
  /// `own`: the client's certificate and its key in PEM; empty: it has none.
  /// `first`: what is sent in clear before. `alpn`: the protocols it offers, as they travel; then
  /// bytes are sent as they are.
  static Client tls(std::uint16_t port, const std::string& ca_file, const std::string& name,
                    const std::string& own = {}, std::string_view first = {},
                    std::string_view alpn = {});
  Client(Client&&) noexcept;
  ~Client();

  void send(std::string_view bytes);
  /// "GET path" with Host; then answer().
  Answer get(std::string_view path, std::string_view host = "localhost",
             std::string_view more_fields = {});
  /// The next answer. `to_head`: it has no body whatever its length says.
  Answer answer(bool to_head = false);
  /// The head of the next answer alone; then take() and rest().
  Answer answer_head();
  /// Exactly `size` bytes of what follows.
  std::string take(std::size_t size);
  /// What has come, at least a byte; empty: closed.
  std::string some();
  /// All until the server closes; over HTTP/2, until the answer's end.
  std::string rest();
  /// Whether the server has closed, in order or not, with nothing more to read.
  bool closed();
  /// Whether the server has said by now that the connection ends after `answer`, the newest one.
  bool is_going(const Answer& answer) const;
  /// Whether the server says so; over HTTP/2 that is waited for.
  bool was_last(const Answer& answer);
  std::string tls_version() const;
  std::string alpn() const;  // what the server chose; empty: nothing

 private:
  Client(std::unique_ptr<Wire> wire, Http http);
  bool more();  // reads into buffer_; false: closed
  std::string line();
  void read_chunked(Answer& answer);

  std::unique_ptr<Wire> wire_;
  std::unique_ptr<Http2Conversation> http2_;  // null: HTTP/1, or bytes as they are
  std::string buffer_;
};

/// One request on a connection of its own.
Answer get(std::uint16_t port, std::string_view path, std::string_view host = "localhost",
           Http http = Http::Tested);
/// How access logs and $server_protocol call the version that is tested.
std::string protocol_name();
/// False: refused. Throws when a connection is neither taken nor refused.
bool can_connect(std::uint16_t port);

}  // namespace gatescope::integration
