// proxy_pass https://...: who is believed, what is shown, and what comes back when it fails.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "tests/integration/support/client.h"
#include "tests/integration/support/client_authority.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/site_certificate.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

/// A front server, and the site behind it, in one process.
struct Pair {
  ServerProcess server;
  FreePort front, behind;
  ClientAuthority strangers;

  Pair() {
    make_certificate(server.dir().path("certs"), "scope.test");
    server.write("strangers.pem", strangers.certificate());
  }
  std::string target() const { return "https://127.0.0.1:" + behind.text(); }
  /// `front`: in its server block. `back`: in that of the site, whose certificate is for
  /// scope.test.
  void start(const std::string& front_lines, const std::string& back_lines) {
    server.configure(
        "ssl_certificate certs/scope.test.pem;\n"
        "ssl_certificate_key certs/scope.test.key;\n"
        "server { listen 127.0.0.1:" +
        front.text() + ";\n" + front_lines + "}\nserver { listen 127.0.0.1:" + behind.text() +
        " ssl;\n" + back_lines + "}\n");
    server.start();
  }
  Answer ask(const std::string& path) { return get(front.number(), path); }
};

}  // namespace

TEST_CASE("an https upstream: answers come whole, connections are kept, sessions taken up again",
          "[both]") {
  Pair pair;
  pair.server.write("html/large", std::string(3u << 20, 'x'));
  const std::string pass = "proxy_pass " + pair.target() + ";";
  pair.start("location /kept/ { " + pass + " }\nlocation /once/ { " + pass +
                 " }\nlocation /large { " + pass + " } location /echo { " + pass + " }",
             R"(root html; location /kept/ { return 200 "$connection $scheme"; }
    location /once/ { keepalive_timeout 0; return 200 "$ssl_session_reused $ssl_protocol"; }
    location /echo { return 200 $content_length; }
    ssl_session_cache shared:x:1m;)");
  const auto first = pair.ask("/kept/");
  CHECK(first.status == 200);
  CHECK(first.body.ends_with(" https"));
  CHECK(pair.ask("/kept/").body == first.body);  // the same connection
  CHECK(pair.ask("/large").body == std::string(3u << 20, 'x'));
  // The first may use a kept connection, the second is the first with a handshake of this location.
  CHECK(pair.ask("/once/").body.ends_with(" TLSv1.3"));
  CHECK(pair.ask("/once/").body == ". TLSv1.3");
  CHECK(pair.ask("/once/").body == "r TLSv1.3");
  auto client = Client::tcp(pair.front.number());
  const std::string body(1u << 20, 'y');
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n" + body);
  const auto echoed = client.answer();
  CHECK(echoed.status == 200);
  CHECK(echoed.body == std::to_string(body.size()));
}

TEST_CASE(
    "an https upstream: who does not verify believes anybody, who does believes the right one",
    "[both]") {
  Pair pair;
  const std::string pass = "proxy_pass " + pair.target() + ";";
  const std::string verify = pass + " proxy_ssl_verify on; ";
  pair.start("location /anybody { " + pass + " }\nlocation /right { " + verify +
                 "proxy_ssl_trusted_certificate certs/ca.pem; proxy_ssl_name scope.test; }\n"
                 "location /name { " +
                 verify +
                 "proxy_ssl_trusted_certificate certs/ca.pem; proxy_ssl_name other.test; }\n"
                 "location /address { " +
                 verify + "proxy_ssl_trusted_certificate certs/ca.pem; }\nlocation /authority { " +
                 verify +
                 "proxy_ssl_trusted_certificate strangers.pem; proxy_ssl_name scope.test; }\n"
                 "location /sni { " +
                 pass +
                 " proxy_ssl_server_name on; proxy_ssl_name $arg_name; }\nlocation /port { " +
                 pass + " proxy_ssl_server_name on; proxy_ssl_name scope.test:8443; }",
             "return 200 \"name '$ssl_server_name'\";");
  CHECK(pair.ask("/anybody").body == "name ''");
  CHECK(pair.ask("/right").body == "name ''");
  CHECK(pair.ask("/sni?name=scope.test").body == "name 'scope.test'");
  CHECK(pair.ask("/sni?name=other.test").body == "name 'other.test'");
  CHECK(pair.ask("/port").body == "name 'scope.test'");
  CHECK(pair.ask("/name").status == 502);
  CHECK(pair.server.error_log_says(
      "upstream SSL certificate does not match \"other.test\" while SSL handshaking to upstream"));
  CHECK(pair.ask("/address").status == 502);
  CHECK(pair.server.error_log_says("upstream SSL certificate does not match \"127.0.0.1\""));
  CHECK(pair.ask("/authority").status == 502);
  CHECK(pair.server.error_log_says("upstream SSL certificate verify error: ("));
  CHECK(pair.server.error_log_says("upstream: \"" + pair.target() + "/authority\""));
}

TEST_CASE("an https upstream that asks for a certificate is shown ours", "[both]") {
  Pair pair;
  ClientAuthority clients;
  pair.server.write("clients.pem", clients.certificate());
  pair.server.write("own.pem", clients.issue("the front"));
  const std::string pass = "proxy_pass " + pair.target() + ";";
  pair.start("location /none { " + pass + " }\nlocation /own { " + pass +
                 " proxy_ssl_certificate own.pem; proxy_ssl_certificate_key own.pem;\n"
                 "location /own/not { " +
                 pass + " proxy_ssl_certificate \"\"; } }",
             "ssl_client_certificate clients.pem; ssl_verify_client on;\n"
             "return 200 $ssl_client_s_dn;");
  CHECK(pair.ask("/none").status == 400);
  CHECK(pair.ask("/own").body.find("the front") != std::string::npos);
  CHECK(pair.ask("/none").status == 400);  // no connection is shared
  CHECK(pair.ask("/own/not").status == 400);
}

TEST_CASE("an upstream that does not speak TLS, or says nothing at all", "[both]") {
  Pair pair;
  FreePort plain;
  const auto silent = pair.server.dir().path("silent.sock");
  pair.start("location /plain { proxy_pass https://127.0.0.1:" + plain.text() +
                 "; }\nlocation /silent { proxy_connect_timeout 300ms; proxy_pass https://unix:" +
                 silent + "; }\n}\nserver { listen 127.0.0.1:" + plain.text() + ";",
             "return 200 x;");
  CHECK(pair.ask("/plain").status == 502);
  CHECK(pair.server.error_log_says("while SSL handshaking to upstream"));
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  silent.copy(address.sun_path, sizeof(address.sun_path) - 1);
  REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  std::filesystem::permissions(silent, std::filesystem::perms(0777));
  REQUIRE(::listen(listener, 5) == 0);
  CHECK(pair.ask("/silent").status == 504);
  CHECK(pair.server.error_log_says(
      "upstream timed out (110: Connection timed out) while SSL handshaking to upstream"));
  ::close(listener);
}

}  // namespace gatescope::integration
