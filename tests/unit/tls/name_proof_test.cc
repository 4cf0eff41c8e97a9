// Handshakes in which an authority looks whether a name is ours (RFC 8737), and contexts that are
// exchanged while somebody shakes hands with them.

#include "certs/served_context.h"
#include "tests/unit/tls/tls_fixture.h"

namespace gatescope::tls::test {
namespace {

/// A server that can be exchanged, and one open question.
class ProvingChooser final : public ContextChooser {
 public:
  std::shared_ptr<const TlsContext> choose(std::string_view) const override { return usual; }
  std::shared_ptr<const TlsContext> choose_proof(std::string_view name) const override {
    return name == "a.test" ? proof : nullptr;
  }
  bool offers_http2() const override { return true; }  // which a proof has nothing to do with
  std::shared_ptr<const TlsContext> usual, proof;
};

struct ProofWorld : World {
  ProofWorld() {
    chooser.usual = make(settings);
    const auto key = new_key();
    const auto certificate =
        *issue_certificate({.common_name = "proof",
                            .names = {"proof.test"},
                            .acme_proof = std::string(32, 'p'),
                            .not_before = Served::now() - std::chrono::hours(1),
                            .lifetime = std::chrono::hours(2)},
                           key.get());
    secrets.files["/proof"] = *to_pem(key.get()) + *to_pem(certificate.get());
    TlsSettings wanted;
    wanted.pairs.push_back({"/proof", "/proof"});
    wanted.alpn = {std::string(kProofProtocol)};
    chooser.proof = make(wanted);
  }
  ProvingChooser chooser;
};

}  // namespace

TEST_CASE(
    "who asks for acme-tls/1 and nothing else is shown the proof, with its critical extension") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    ProofWorld w;
    Served server(w.loop, w.chooser);
    Client client({.version = version, .alpn = {"acme-tls/1"}});
    server.pump(client);
    REQUIRE(client.connected());
    CHECK(client.alpn() == "acme-tls/1");
    CHECK(client.peer_name() == "proof.test");
    CHECK(server.user.stream->info().alpn == kProofProtocol);
    const X509Ptr peer(SSL_get1_peer_certificate(client.native()));
    const std::unique_ptr<ASN1_OBJECT, Freed<ASN1_OBJECT_free>> id(
        OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1));
    const int at = X509_get_ext_by_OBJ(peer.get(), id.get(), -1);
    REQUIRE(at >= 0);
    X509_EXTENSION* extension = X509_get_ext(peer.get(), at);
    CHECK(X509_EXTENSION_get_critical(extension) == 1);
    const ASN1_OCTET_STRING* data = X509_EXTENSION_get_data(extension);
    CHECK(std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(data)),
                      static_cast<std::size_t>(ASN1_STRING_length(data))) ==
          "\x04\x20" + std::string(32, 'p'));
  }
}

TEST_CASE("others are not shown the proof: a browser, a mixed list, another name") {
  struct Case {
    std::vector<std::string> alpn;
    std::string name;
    bool connects;
  };
  const Case kCases[] = {{{}, "a.test", true},
                         {{"http/1.1"}, "a.test", true},
                         {{"acme-tls/1", "http/1.1"}, "a.test", true},
                         {{"acme-tls/1"}, "b.test", false}};
  for (const auto& c : kCases) {
    CAPTURE(c.alpn, c.name);
    ProofWorld w;
    Served server(w.loop, w.chooser);
    Client client({.name = c.name, .alpn = c.alpn});
    server.pump(client);
    CHECK(client.connected() == c.connects);
    if (c.connects) CHECK(client.peer_name() == "a.test");
  }
}

TEST_CASE("a context that is exchanged in the middle of a handshake serves it to its end") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    ProofWorld w;
    const std::weak_ptr<const TlsContext> old = w.chooser.usual;
    {
      Served server(w.loop, w.chooser);
      Client client({.version = version, .alpn = {"http/1.1"}});
      client.step();
      server.wire->deliver(client.pull());
      w.loop.turn();
      w.authority.add(w.secrets, "/a", "a.test");
      w.chooser.usual = w.make(w.settings);
      CHECK(!old.expired());
      server.pump(client);
      REQUIRE(client.connected());
      client.write("hello");
      server.pump(client);
      CHECK(server.user.received == "hello");
    }
    CHECK(old.expired());
  }
}

}  // namespace gatescope::tls::test
