// acme_issuer and acme_certificate: what they come to, and what is refused with which words.

#include "certs/acme/acme_directives.h"

#include "certs/tls_directives.h"
#include "proxy/http/core_directives.h"
#include "proxy/http/variables.h"
#include "tests/support/catch.h"

namespace gatescope::acme::test {
namespace {

/// An http block with one issuer and whatever else is written.
struct Loaded {
  /// `issuer`: further lines of it; `server`: the lines of a server.
  Loaded(const std::string& issuer, const std::string& server) {
    add_acme_directives(schema);
    tls::add_tls_directives(schema);
    http::add_core_directives(schema);
    const std::string text = "http { acme_issuer le { uri https://ca.test/dir; " + issuer +
                             " }\nserver { " + server + " } }";
    struct OneFile final : conf::FileReader {
      std::string text;
      Result<std::string> read(const std::string&) override { return text; }
      Result<std::vector<std::string>> expand(const std::string&) override {
        return std::vector<std::string>();
      }
    } file;
    file.text = text;
    auto parsed = conf::parse_file("/etc/g.conf", {}, file);
    if (!parsed) FAIL(parsed.error().detail);
    document = std::move(*parsed);
    conf::Loader loader(schema, "/prefix/", "/etc/");
    loader.provide(variables);
    if (auto done = loader.load(document->directives, main); !done) {
      error = done.error().detail;
      return;
    }
    schema.resolve(main);
    if (auto done = resolve_certificates(main, {"", "/prefix/"}, warnings); !done)
      error = done.error().detail;
  }
  const IssuerPlan& plan() { return main.children().front()->get<AcmeHttpSettings>().plans.at(0); }
  const tls::TlsDirectives& tls() {
    return main.children().front()->children().back()->get<tls::TlsDirectives>();
  }

  conf::Schema schema;
  http::VariableTable variables;
  std::unique_ptr<conf::Document> document;
  conf::Scope main{nullptr, conf::Context::Main, nullptr};
  std::vector<conf::Warning> warnings;
  std::string error;
};

constexpr const char* kPair =
    "ssl_certificate $acme_certificate; ssl_certificate_key $acme_certificate_key;";

}  // namespace

TEST_CASE("an issuer with every word, and a certificate with names and a kind of key") {
  Loaded l(
      "contact a@b.test; contact https://b.test/form; state_path state/le; account_key rsa:3072;"
      "accept_terms_of_service; challenge tls-alpn-01; profile shortlived require;"
      "ssl_trusted_certificate ca.pem; ssl_verify off; external_account_key kid data:abcd;"
      "resolver 127.0.0.1; resolver_timeout 5s;",
      std::string("acme_certificate le B.test 192.0.2.1 [2001:db8::1] key=ecdsa:384;") + kPair);
  REQUIRE(l.error == "");
  const auto& issuer = l.plan().settings;
  CHECK(issuer.name == "le");
  CHECK(issuer.uri == "https://ca.test/dir");
  CHECK(issuer.contacts == std::vector<std::string>{"mailto:a@b.test", "https://b.test/form"});
  CHECK(issuer.state_path == "/prefix/state/le");
  CHECK(to_string(issuer.account_key_type) == "rsa:3072");
  CHECK(issuer.accepts_terms);
  CHECK(issuer.challenge == ChallengeKind::TlsAlpn);
  CHECK(issuer.profile == "shortlived");
  CHECK(issuer.profile_required);
  CHECK(issuer.trusted_certificate == "/etc/ca.pem");
  CHECK(!issuer.verify);
  CHECK(issuer.binding_kid == "kid");
  CHECK(issuer.binding_key.path == "data:abcd");
  REQUIRE(l.plan().certificates.size() == 1);
  const auto& certificate = l.plan().certificates[0];
  CHECK(certificate.identifiers == std::vector<std::string>{"b.test", "192.0.2.1", "2001:db8::1"});
  CHECK(to_string(certificate.key) == "ecdsa:384");
  CHECK(certificate.file_name().starts_with("b.test-"));
  CHECK(l.tls().certificates->at(0).path == certificate.secret_name());
  CHECK(l.tls().keys->at(0).path == certificate.secret_name());
}

TEST_CASE("names come from server_name, without those that stand for many hosts") {
  Loaded l("",
           std::string("server_name A.test www.a.test *.b.test ~^c; acme_certificate le;") + kPair);
  REQUIRE(l.error == "");
  CHECK(l.plan().certificates[0].identifiers == std::vector<std::string>{"a.test", "www.a.test"});
  CHECK(l.plan().settings.state_path == "/prefix/acme_le");
  CHECK(l.plan().settings.challenge == ChallengeKind::Http);
  CHECK(l.warnings.size() == 2);
}

TEST_CASE("a server without TLS does not mind what it inherits") {
  Loaded l(std::string("} ") + kPair + "acme_issuer two { uri https://x;", "listen 80;");
  CHECK(l.error == "");
  CHECK(l.tls().certificates->empty());
  CHECK(l.tls().keys->empty());
}

TEST_CASE("another order of the same names is the same certificate, another key is not") {
  const auto name = [](std::vector<std::string> names, const char* key) {
    return CertificateSettings{.identifiers = std::move(names), .key = *parse_key_type(key)}
        .file_name();
  };
  CHECK(name({"a", "b", "c"}, "ecdsa") == name({"a", "c", "b"}, "ecdsa:256"));
  CHECK(name({"a", "b"}, "ecdsa") != name({"a", "b", "c"}, "ecdsa"));
  CHECK(name({"a", "b"}, "ecdsa") != name({"a", "b"}, "rsa"));
}

TEST_CASE("what is refused says how to mend it") {
  struct Case {
    std::string issuer, server, says;
  };
  const Case kCases[] = {
      {"", std::string("listen 443 ssl;") + kPair,
       "\"$acme_certificate\" has no value in a server without acme_certificate"},
      {"", "acme_certificate other a.test;", "unknown acme_issuer \"other\""},
      {"", "acme_certificate le;", "there is no name that a certificate could be for"},
      {"", "acme_certificate le *.a.test;", "wildcards need the challenge dns-01"},
      {"", "acme_certificate le \"a b\";", "is no host name and no address"},
      {"", "acme_certificate le a.test key=rsa:512;", "invalid key \"rsa:512\", use ecdsa:256"},
      {"", "acme_certificate le a.test; acme_certificate le b.test;", "is duplicate"},
      {"challenge dns-01;", "", "dns-01"},
      {"account_key ecdsa:111;", "", "invalid key \"ecdsa:111\""},
      {"profile x y;", "", "invalid parameter \"y\""},
      {"state_path off;", "", "each start would order again"},
      {"} acme_issuer le { uri https://x;", "", "duplicate acme_issuer \"le\""},
      {"} acme_issuer two { ", "", "\"two\" has no uri"},
      {"} acme_issuer two { uri ftp://x; ", "", "give the URL of the authority's directory"},
  };
  for (const auto& c : kCases) {
    CAPTURE(c.issuer, c.server);
    Loaded l(c.issuer, c.server);
    INFO(l.error);
    CHECK(l.error.find(c.says) != std::string::npos);
    CHECK(l.error.find(" in /etc/g.conf:") != std::string::npos);
  }
}

}  // namespace gatescope::acme::test
