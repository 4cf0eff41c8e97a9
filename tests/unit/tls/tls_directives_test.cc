#include "certs/tls_directives.h"

#include "certs/session_caches.h"
#include "tests/support/catch.h"

using namespace gatescope;
using namespace gatescope::tls;

namespace {

conf::Directive directive(std::string name, const std::vector<std::string>& arguments,
                          unsigned line = 1) {
  conf::Directive d;
  d.name = std::move(name);
  d.place = {"/etc/g.conf", line, 5};
  for (const auto& text : arguments)
    d.arguments.push_back({text, {"/etc/g.conf", line, 20}, false});
  return d;
}

/// An http level with one server in it.
struct Loaded {
  Loaded() {
    add_tls_directives(schema);
    loader.emplace(schema, "/usr", "/etc");
  }
  std::string load(const conf::Directive& d, conf::Scope& scope) {
    const auto done = loader->load({d}, scope);
    return done ? "" : done.error().detail;
  }
  const TlsDirectives& resolved() {
    schema.resolve(http);
    return server.get<TlsDirectives>();
  }
  conf::Schema schema;
  std::optional<conf::Loader> loader;
  conf::Scope http{nullptr, conf::Context::Http, nullptr};
  conf::Scope& server = http.add_child(conf::Context::Server, nullptr);
};

}  // namespace

TEST_CASE("without directives, nginx's defaults") {
  Loaded l;
  const auto settings = to_settings(l.resolved());
  REQUIRE(settings);
  CHECK(settings->pairs.empty());
  CHECK(settings->tls12);
  CHECK(settings->tls13);
  CHECK(!settings->tls11);
  CHECK(settings->session_timeout == std::chrono::minutes(5));
  CHECK(settings->session_cache == "none");
  CHECK(settings->buffer_size == 16384);
}

TEST_CASE("a server takes what http says, and replaces arrays as a whole") {
  Loaded l;
  CHECK(l.load(directive("ssl_certificate", {"http.pem"}), l.http) == "");
  CHECK(l.load(directive("ssl_certificate_key", {"http.key"}), l.http) == "");
  CHECK(l.load(directive("ssl_protocols", {"TLSv1.3"}), l.http) == "");
  CHECK(l.load(directive("ssl_session_cache", {"builtin:100", "shared:SSL:10m"}), l.http) == "");
  CHECK(l.load(directive("ssl_certificate", {"/a/rsa.pem"}), l.server) == "");
  CHECK(l.load(directive("ssl_certificate_key", {"/a/rsa.key"}), l.server) == "");
  CHECK(l.load(directive("ssl_certificate", {"ec.pem"}), l.server) == "");
  CHECK(l.load(directive("ssl_certificate_key", {"ec.key"}), l.server) == "");
  CHECK(l.load(directive("ssl_session_timeout", {"1d"}), l.server) == "");
  CHECK(l.load(directive("ssl_session_tickets", {"off"}), l.server) == "");
  CHECK(l.load(directive("ssl_prefer_server_ciphers", {"on"}), l.server) == "");
  CHECK(l.load(directive("ssl_buffer_size", {"4k"}), l.server) == "");
  CHECK(l.load(directive("ssl_dhparam", {"dh.pem"}), l.server) == "");
  const auto settings = to_settings(l.resolved());
  REQUIRE(settings);
  REQUIRE(settings->pairs.size() == 2);
  CHECK(settings->pairs[0].certificate.path == "/a/rsa.pem");
  CHECK(settings->pairs[1].certificate.path == "/etc/ec.pem");
  CHECK(settings->pairs[1].key.path == "/etc/ec.key");
  CHECK(!settings->tls12);
  CHECK(settings->tls13);
  CHECK(settings->session_cache == "builtin:100 shared:SSL:10m");
  CHECK(settings->session_timeout == std::chrono::hours(24));
  CHECK(!settings->tickets);
  CHECK(settings->prefer_server_ciphers);
  CHECK(settings->buffer_size == 4096);
  CHECK(settings->dhparam.path == "/etc/dh.pem");
}

TEST_CASE("a certificate without a key is an error with a place") {
  Loaded l;
  CHECK(l.load(directive("ssl_certificate", {"/x"}, 7), l.server) == "");
  const auto settings = to_settings(l.resolved());
  REQUIRE(!settings);
  CHECK(settings.error().detail ==
        "no \"ssl_certificate_key\" is defined for certificate \"/x\" in /etc/g.conf:7:5");
}

TEST_CASE("wrong words say what would be right") {
  struct Case {
    std::string name;
    std::vector<std::string> arguments;
    std::string error;  // how it begins
  };
  const Case kCases[] = {
      {"ssl_protocols", {"TLSv1.4"}, "invalid value \"TLSv1.4\" in \"ssl_protocols\" directive"},
      {"ssl_protocols", {"SSLv3"}, "\"ssl_protocols\" directive leaves no protocol"},
      {"ssl_session_cache",
       {"shared:SSL"},
       "\"ssl_session_cache\" directive: invalid session cache \"shared:SSL\""},
      {"ssl_session_cache",
       {"shared:SSL:1k"},
       "\"ssl_session_cache\" directive: session cache \"shared:SSL:1k\" is too small"},
      {"ssl_session_tickets", {"yes"}, "invalid value \"yes\""},
      {"ssl_verify_client", {"maybe"}, "invalid value \"maybe\" in \"ssl_verify_client\""},
      {"ssl_verify_depth", {"-1"}, "invalid value \"-1\" in \"ssl_verify_depth\""},
      {"ssl_reject_handshake", {"1"}, "invalid value \"1\""},
      {"ssl_early_data", {"on"}, "\"ssl_early_data\" directive: early data is not accepted"},
      {"ssl_buffer_size", {"0"}, "invalid value \"0\" in \"ssl_buffer_size\" directive"},
      {"ssl_certificate", {"data:$cert"}, "variables are not supported"},
      {"ssl_certificate", {"/c/$ssl_server_name"}, "variables are not supported"},
      {"ssl_certificate_key", {"engine:pkcs11:x"}, "\"engine:\" is not supported"},
      {"ssl",
       {"on"},
       "\"ssl\" directive is obsolete, use the \"listen ... ssl\" directive instead"},
      {"ssl", {"off"}, "\"ssl\" directive is obsolete, remove it"},
  };
  for (const auto& c : kCases) {
    Loaded l;
    const std::string error = l.load(directive(c.name, c.arguments), l.server);
    CAPTURE(error, c.error);
    CHECK(error.starts_with(c.error));
    CHECK(error.find(" in /etc/g.conf:1:") != std::string::npos);
  }
  Loaded l;
  CHECK(l.load(directive("ssl_ciphers", {"HIGH"}), l.server) == "");
  CHECK(l.load(directive("ssl_ciphers", {"LOW"}), l.server).find("duplicate") != std::string::npos);
}

TEST_CASE("stapling is accepted with a warning") {
  Loaded l;
  CHECK(l.load(directive("ssl_stapling", {"off"}), l.server) == "");
  CHECK(l.loader->warnings().empty());
  CHECK(l.load(directive("ssl_stapling", {"on"}), l.server) == "");
  CHECK(l.load(directive("ssl_stapling_verify", {"on"}), l.server) == "");
  CHECK(l.load(directive("ssl_stapling_file", {"/x"}), l.server) == "");
  CHECK(l.load(directive("ssl_stapling_responder", {"http://x"}), l.server) == "");
  CHECK(l.load(directive("ssl_protocols", {"SSLv3", "TLSv1.2"}), l.server) == "");
  CHECK(l.loader->warnings().size() == 5);
}

TEST_CASE("session caches") {
  CHECK(parse_session_cache("off")->kind == SessionCache::Kind::Off);
  CHECK(parse_session_cache("none")->kind == SessionCache::Kind::None);
  CHECK(parse_session_cache("builtin")->sessions == 20480);
  CHECK(parse_session_cache("builtin:7")->sessions == 7);
  CHECK(parse_session_cache("shared:SSL:10m")->bytes == 10 << 20);
  for (const std::string_view both : {"builtin:7 shared:SSL:1m", "shared:SSL:1m builtin"}) {
    CHECK(parse_session_cache(both)->kind == SessionCache::Kind::Shared);
    CHECK(parse_session_cache(both)->name == "SSL");
  }
  for (const std::string_view bad : {"on", "builtin:", "builtin:0", "builtin:x", "shared::1m",
                                     "shared:a", "shared:a:b", "shared:a:1m:x"}) {
    CHECK(!parse_session_cache(bad));
  }
}

TEST_CASE("clients' certificates, ticket keys, commands: levels and paths") {
  Loaded l;
  CHECK(l.load(directive("ssl_verify_client", {"optional"}), l.http) == "");
  CHECK(l.load(directive("ssl_client_certificate", {"ca.pem"}), l.http) == "");
  CHECK(l.load(directive("ssl_trusted_certificate", {"more.pem"}), l.http) == "");
  CHECK(l.load(directive("ssl_crl", {"crl.pem"}), l.http) == "");
  CHECK(l.load(directive("ssl_password_file", {"passwords"}), l.http) == "");
  CHECK(l.load(directive("ssl_conf_command", {"Options", "-ServerPreference"}), l.http) == "");
  CHECK(l.load(directive("ssl_conf_command", {"certificate", "c.pem"}), l.http) == "");
  CHECK(l.load(directive("ssl_session_ticket_key", {"http.key"}), l.http) == "");
  CHECK(l.load(directive("ssl_verify_client", {"on"}, 4), l.server) == "");
  CHECK(l.load(directive("ssl_verify_depth", {"3"}), l.server) == "");
  CHECK(l.load(directive("ssl_reject_handshake", {"on"}), l.server) == "");
  CHECK(l.load(directive("ssl_early_data", {"off"}), l.server) == "");
  CHECK(l.load(directive("ssl_session_ticket_key", {"new.key"}), l.server) == "");
  CHECK(l.load(directive("ssl_session_ticket_key", {"old.key"}), l.server) == "");
  const auto settings = to_settings(l.resolved());
  REQUIRE(settings);
  CHECK(settings->verify_client == ClientCheck::On);
  CHECK(settings->verify_depth == 3);
  CHECK(settings->client_certificate.path == "/etc/ca.pem");
  CHECK(settings->trusted_certificate.path == "/etc/more.pem");
  CHECK(settings->crl.path == "/etc/crl.pem");
  CHECK(settings->password_file.path == "/etc/passwords");
  CHECK(settings->reject_handshake);
  REQUIRE(settings->commands.size() == 2);
  CHECK(settings->commands[0].value == "-ServerPreference");
  CHECK(settings->commands[1].value == "/etc/c.pem");
  REQUIRE(settings->ticket_keys.size() == 2);
  CHECK(settings->ticket_keys[0].path == "/etc/new.key");
}

TEST_CASE("a shared cache has one size in the whole configuration") {
  Loaded l;
  CHECK(l.load(directive("ssl_session_cache", {"shared:SSL:1m"}), l.http) == "");
  CHECK(l.load(directive("ssl_session_cache", {"shared:other:2m"}), l.server) == "");
  conf::Scope& second = l.http.add_child(conf::Context::Server, nullptr);
  CHECK(l.load(directive("ssl_session_cache", {"shared:SSL:2m"}, 9), second) ==
        "\"ssl_session_cache\" directive: the size 2097152 of the shared cache \"SSL\" conflicts "
        "with already declared size 1048576, write the same everywhere in /etc/g.conf:9:5");
}
