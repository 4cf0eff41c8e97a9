// The tests tagged [both] are run for each version of HTTP: whether that is so.

#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/site_certificate.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

TEST_CASE("the version that is tested is what is spoken: over TLS, in clear, over a unix socket",
          "[both]") {
  ServerProcess server;
  FreePort plain, tls;
  make_certificate(server.dir().path("certs"), "scope.test");
  const auto socket = server.dir().path("site.sock");
  server.configure("server { listen 127.0.0.1:" + plain.text() + "; listen unix:" + socket +
                   "; listen 127.0.0.1:" + tls.text() +
                   " ssl; ssl_certificate certs/scope.test.pem; ssl_certificate_key "
                   "certs/scope.test.key; location / { return 200 \"$server_protocol $scheme "
                   "$host\"; } location /echo { client_max_body_size 1m; proxy_pass "
                   "http://unix:" +
                   socket + ":/length; } location /length { return 200 $content_length; } }");
  server.start();
  const std::string version = protocol_name();
  CHECK(get(plain.number(), "/").body == version + " http localhost");
  CHECK(get(plain.number(), "/", "localhost", Http::One).body == "HTTP/1.1 http localhost");
  CHECK(Client::unix_socket(socket).get("/", "a.test").body == version + " http a.test");
  auto client = Client::tls(tls.number(), server.dir().path("certs/ca.pem"), "scope.test");
  CHECK(client.get("/", "scope.test").body == version + " https scope.test");
  // Two at a time, one of them with a body; answers come to who asked
  client.send("POST /echo HTTP/1.1\r\nHost: scope.test\r\nContent-Length: 200000\r\n\r\n" +
              std::string(200'000, 'x') + "GET /x HTTP/1.1\r\nHost: b.test\r\n\r\n");
  CHECK(client.answer().body == "200000");
  CHECK(client.answer().body == version + " https b.test");
}

}  // namespace gatescope::integration
