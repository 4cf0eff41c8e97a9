// Who is turned away before anything else happens to a request on a TLS address.

#include "proxy/http/tls_rules.h"

#include "tests/support/catch.h"

using namespace gatescope;
using namespace gatescope::http;
using tls::ClientCheck;

namespace {

/// A client as the handshake left it.
class Facts final : public tls::TlsFacts {
 public:
  std::optional<std::string_view> ask(tls::TlsFact, WallTime, Arena&) const override {
    return std::nullopt;
  }
  tls::ClientVerdict client_verdict() const override { return verdict; }
  const std::string& client_rules() const override { return rules; }
  std::string server_name() const override { return name; }
  void forget_session() const override { forgotten = true; }

  tls::ClientVerdict verdict;
  std::string rules, name;
  mutable bool forgotten = false;
};

constexpr tls::ClientVerdict kNone{};
constexpr tls::ClientVerdict kGood{.presented = true};
constexpr tls::ClientVerdict kExpired{
    .presented = true, .good = false, .code = 10, .text = "certificate has expired"};
constexpr tls::ClientVerdict kForeign{
    .presented = true, .good = false, .untrusted = true, .code = 18, .text = "self-signed"};

class NoSecrets final : public tls::SecretReader {
  Result<std::string> read_secret(const std::string& path) override {
    return system_error(2, path);
  }
};

/// A server whose rules for clients are those of its depth; it needs no certificate.
struct Server {
  Server(ClientCheck check, unsigned depth) {
    server.client_check = check;
    tls::TlsSettings settings;
    settings.reject_handshake = true;
    settings.verify_client =
        check == ClientCheck::Off ? ClientCheck::Off : ClientCheck::OptionalNoCa;
    settings.verify_depth = depth;
    NoSecrets secrets;
    server.tls = std::make_shared<tls::ServedContext>(
        *tls::TlsContext::make(settings, secrets, tickets, caches));
  }
  SystemClock clock;
  tls::TicketKeys tickets{clock};
  tls::SessionCaches caches{clock};
  VirtualServer server;
};

}  // namespace

TEST_CASE("a client's certificate and what the server wants of it") {
  struct Case {
    ClientCheck check;
    tls::ClientVerdict verdict;
    int status;  // 0: let in
  };
  const Case kCases[] = {
      {ClientCheck::Off, kExpired, 0},
      {ClientCheck::Off, kNone, 0},
      {ClientCheck::On, kGood, 0},
      {ClientCheck::On, kNone, 496},
      {ClientCheck::On, kExpired, 495},
      {ClientCheck::On, kForeign, 495},
      {ClientCheck::Optional, kNone, 0},
      {ClientCheck::Optional, kGood, 0},
      {ClientCheck::Optional, kExpired, 495},
      {ClientCheck::Optional, kForeign, 495},
      {ClientCheck::OptionalNoCa, kNone, 0},
      {ClientCheck::OptionalNoCa, kForeign, 0},
      {ClientCheck::OptionalNoCa, kExpired, 495},
  };
  for (const auto& c : kCases) {
    CAPTURE(static_cast<int>(c.check), c.verdict.code, c.status);
    ListenAddress address;
    address.tls = true;
    VirtualServer server;
    server.client_check = c.check;
    Facts facts;
    facts.verdict = c.verdict;
    ConnectionInfo connection;
    connection.tls = &facts;
    const auto refusal = refused_by_tls(address, connection, server);
    CHECK((refusal ? refusal->status : 0) == c.status);
    CHECK(facts.forgotten == (c.status != 0));  // the session of one who was refused
  }
  ListenAddress address;
  address.tls = true;
  const auto plain = refused_by_tls(address, ConnectionInfo(), VirtualServer());
  REQUIRE(plain);
  CHECK(plain->status == 497);
  address.tls = false;
  CHECK(!refused_by_tls(address, ConnectionInfo(), VirtualServer()));
}

TEST_CASE("a request for another server than that of the handshake") {
  const Server verifying(ClientCheck::On, 1);
  const Server same_rules(ClientCheck::Optional, 1);
  const Server others(ClientCheck::On, 2);
  const Server open(ClientCheck::Off, 1);
  ListenAddress address;
  address.tls = true;
  address.names.set_default(verifying.server);
  struct Case {
    std::string sni, host;
    tls::ClientVerdict verdict;
    const Server& found;
    bool misdirected;
  };
  const Case kCases[] = {
      {"a.test", "a.test", kGood, verifying, false},
      {"a.test", "b.test", kGood, verifying, true},  // as nginx: the text counts, not the server
      {"a.test", "b.test", kNone, others, true},
      {"a.test", "b.test", kGood, open, false},
      {"", "b.test", kGood, same_rules, false},  // judged by the default server: the same rules
      {"", "b.test", kGood, others, true},       // ... others
      {"", "b.test", kNone, others, false},      // nothing was judged: 496 follows
      {"", "b.test", kGood, open, false},
  };
  for (const auto& c : kCases) {
    CAPTURE(c.sni, c.host);
    Facts facts;
    facts.name = c.sni;
    facts.rules = verifying.server.tls->get()->client_rules();
    facts.verdict = c.verdict;
    ConnectionInfo connection;
    connection.tls = &facts;
    const auto refusal = misdirected(address, connection, c.host, c.found.server);
    CHECK(refusal.has_value() == c.misdirected);
    if (refusal) CHECK(refusal->status == 421);
  }
  CHECK(!misdirected(address, ConnectionInfo(), "b.test", others.server));
}
