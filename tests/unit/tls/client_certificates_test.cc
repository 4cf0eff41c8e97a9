// ssl_verify_client and its family, and what requests are told of the client.

#include "tests/unit/tls/tls_fixture.h"

using namespace gatescope;
using namespace gatescope::tls;
using namespace gatescope::tls::test;

namespace {

/// A server that asks for certificates signed by `authority`.
struct AskingWorld : World {
  explicit AskingWorld(ClientCheck check = ClientCheck::Optional) {
    secrets.files["/ca"] = authority.root_pem();
    settings.verify_client = check;
    settings.client_certificate = "/ca";
    use(settings);
  }
  void use(const TlsSettings& wanted) {
    context = make(wanted);
    chooser.contexts[""] = context.get();
  }
};

/// A connection after its handshake.
struct Visit {
  Visit(World& world, const Client::Options& options)
      : client(options), server(world.loop, world.chooser) {
    server.pump(client);
    REQUIRE(server.user.done);
    server.user.write("hello");
    server.pump(client);
    verdict = server.user.stream->facts().client_verdict();
  }
  Client client;
  Served server;
  ClientVerdict verdict;
};

}  // namespace

TEST_CASE("a client's certificate is judged, and no verdict ends the handshake") {
  AskingWorld world;
  Authority strangers;
  const std::string good = world.authority.client("good");
  const std::string expired = world.authority.client("old", true);
  const std::string foreign = strangers.client("foreign");
  struct Case {
    std::string certificate;
    bool presented, good, untrusted;
    std::string verify;
  };
  const Case kCases[] = {
      {"", false, true, false, "NONE"},
      {good, true, true, false, "SUCCESS"},
      {expired, true, false, false, "FAILED:certificate has expired"},
      {foreign, true, false, true, "FAILED:unable to verify the first certificate"},
  };
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const auto& c : kCases) {
      CAPTURE(version, c.verify);
      Visit visit(world, {.version = version, .certificate = c.certificate});
      CHECK(visit.client.authorities() == 1);
      CHECK(visit.verdict.presented == c.presented);
      CHECK(visit.verdict.good == c.good);
      CHECK(visit.verdict.untrusted == c.untrusted);
      CHECK(visit.server.fact(TlsFact::ClientVerify) == c.verify);
    }
  }
}

TEST_CASE("authorities that are only trusted are not named to clients, double ones are, once") {
  AskingWorld world;
  world.settings.client_certificate = {};
  world.settings.trusted_certificate = "/ca";
  world.use(world.settings);
  const std::string good = world.authority.client("good");
  Visit trusted(world, {.certificate = good});
  CHECK(trusted.client.authorities() <= 0);
  CHECK(trusted.verdict.good);

  world.secrets.files["/twice"] = world.authority.root_pem() + world.authority.root_pem();
  world.settings.client_certificate = "/twice";
  world.use(world.settings);
  CHECK(Visit(world, {}).client.authorities() == 1);
}

TEST_CASE("revoked certificates") {
  AskingWorld world;
  const std::string client = world.authority.client("somebody");
  world.settings.crl = "/crl";
  world.secrets.files["/crl"] = world.authority.crl(false);
  world.use(world.settings);
  CHECK(Visit(world, {.certificate = client}).verdict.good);

  world.secrets.files["/crl"] = world.authority.crl(true);
  world.use(world.settings);
  Visit revoked(world, {.certificate = client});
  CHECK(!revoked.verdict.good);
  CHECK(revoked.verdict.text == "certificate revoked");
}

TEST_CASE("a session is only resumed where the same clients are believed") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    AskingWorld world;
    const std::string certificate = world.authority.client("somebody");
    Visit first(world, {.version = version, .certificate = certificate});
    REQUIRE(first.client.session() != nullptr);

    world.use(world.settings);  // a reload that changes nothing
    Visit same(world, {.version = version, .session = first.client.session()});
    CHECK(same.client.resumed());
    CHECK(same.server.fact(TlsFact::ClientVerify) == "SUCCESS");
    CHECK(same.server.fact(TlsFact::ClientSDn) == "CN=somebody");

    // The same certificate of the server, but a revocation list has come: judged anew.
    Visit before(world, {.version = version, .certificate = certificate});
    world.settings.crl = "/crl";
    world.secrets.files["/crl"] = world.authority.crl(true);
    world.use(world.settings);
    Visit after(
        world,
        {.version = version, .session = before.client.session(), .certificate = certificate});
    CHECK(!after.client.resumed());
    CHECK(after.verdict.text == "certificate revoked");
  }
}

TEST_CASE("the rules' digest tells what clients are judged by") {
  AskingWorld world;
  const std::string rules = world.context->client_rules();
  CHECK(!rules.empty());
  auto settings = world.settings;
  settings.verify_client = ClientCheck::On;  // the verdict is the same, its use is not
  CHECK(world.make(settings)->client_rules() == rules);
  settings.verify_depth = 2;
  CHECK(world.make(settings)->client_rules() != rules);
  settings = world.settings;
  world.secrets.files["/other"] = Authority().root_pem();
  settings.trusted_certificate = "/other";
  CHECK(world.make(settings)->client_rules() != rules);
  settings.verify_client = ClientCheck::Off;
  CHECK(world.make(settings)->client_rules().empty());
}

TEST_CASE("what the client's certificate says, as nginx prints it") {
  AskingWorld world;
  const std::string certificate = world.authority.client("an O, \"ther\"");
  Visit visit(world, {.certificate = certificate});
  const auto fact = [&](TlsFact f) { return visit.server.fact(f); };
  const std::string pem = certificate.substr(0, certificate.find("-----BEGIN PRIVATE"));
  CHECK(fact(TlsFact::ClientRawCert) == pem);
  const std::string tabbed = fact(TlsFact::ClientCert);
  CHECK(tabbed.starts_with("-----BEGIN CERTIFICATE-----\n\tMII"));
  CHECK(tabbed.ends_with("\n\t-----END CERTIFICATE-----"));
  const std::string escaped = fact(TlsFact::ClientEscapedCert);
  CHECK(escaped.starts_with("-----BEGIN%20CERTIFICATE-----%0AMII"));
  CHECK(escaped.find_first_of("+/= \n") == std::string::npos);
  CHECK(fact(TlsFact::ClientSDn) == "CN=an O\\, \\\"ther\\\"");
  CHECK(fact(TlsFact::ClientSDnLegacy) == "/CN=an O, \"ther\"");
  CHECK(fact(TlsFact::ClientIDn) == "CN=Root");
  CHECK(fact(TlsFact::ClientIDnLegacy) == "/CN=Root");
  CHECK(fact(TlsFact::ClientFingerprint).size() == 40);
  CHECK(fact(TlsFact::ClientSerial).find_first_not_of("0123456789ABCDEF") == std::string::npos);
  CHECK(fact(TlsFact::ClientVStart).ends_with(" GMT"));
  CHECK(fact(TlsFact::ClientVEnd).ends_with(" GMT"));
  CHECK(fact(TlsFact::ClientVRemain) == "59");  // of 60 days, an hour of which is over
}

TEST_CASE("what the connection says, and nothing of a client without certificate") {
  World world;
  Visit visit(world, {.version = TLS1_2_VERSION, .name = "A.test.", .groups = "P-256"});
  const auto fact = [&](TlsFact f) { return visit.server.fact(f); };
  CHECK(fact(TlsFact::ServerName) == "A.test.");
  CHECK(visit.server.user.stream->facts().server_name() == "a.test");
  CHECK(world.chooser.asked.back() == "a.test");
  CHECK(fact(TlsFact::Curve) == "prime256v1");
  CHECK(fact(TlsFact::Curves) == "prime256v1");
  CHECK(fact(TlsFact::Ciphers).find("ECDHE-ECDSA-AES256-GCM-SHA384:") != std::string::npos);
  CHECK(fact(TlsFact::Ciphers).ends_with(":0x00ff") ==
        (fact(TlsFact::Ciphers).find("SCSV") == std::string::npos));
  CHECK(fact(TlsFact::SessionReused) == ".");
  CHECK(fact(TlsFact::ClientVerify) == "NONE");
  for (const auto f :
       {TlsFact::ClientCert, TlsFact::ClientRawCert, TlsFact::ClientEscapedCert, TlsFact::ClientSDn,
        TlsFact::ClientIDnLegacy, TlsFact::ClientSerial, TlsFact::ClientFingerprint,
        TlsFact::ClientVStart, TlsFact::ClientVRemain, TlsFact::AlpnProtocol, TlsFact::EarlyData}) {
    CAPTURE(static_cast<int>(f));
    CHECK(fact(f) == "(none)");
  }
  Visit again(world, {.version = TLS1_2_VERSION, .session = visit.client.session()});
  CHECK(again.server.fact(TlsFact::SessionReused) == "r");
}

TEST_CASE("a handshake for a server that rejects them ends with unrecognized_name") {
  World world;
  TlsSettings rejecting;
  rejecting.reject_handshake = true;
  const auto refusal = world.make(rejecting);
  for (const std::string name : {"b.test", ""}) {
    CAPTURE(name);
    world.chooser.contexts = {{"", refusal.get()}, {"a.test", world.context.get()}};
    Served refused(world.loop, world.chooser);
    Client client({.name = name});
    refused.pump(client);
    CHECK(!refused.user.done);
    REQUIRE(refused.user.handshake_error);
    CHECK(client.failure == SSL_R_TLSV1_UNRECOGNIZED_NAME);
    Visit accepted(world, {.name = "a.test"});
    CHECK(accepted.client.peer_name() == "a.test");
  }
}
