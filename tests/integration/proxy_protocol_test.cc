// A load balancer before us that says who its client is: `listen ... proxy_protocol`.

#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/site_certificate.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

constexpr const char* kSays =
    "return 200 \"$remote_addr:$remote_port $proxy_protocol_addr:$proxy_protocol_port "
    "$proxy_protocol_server_addr:$proxy_protocol_server_port $realip_remote_addr "
    "'$proxy_protocol_tlv_authority' '$proxy_protocol_tlv_0x002' '$proxy_protocol_tlv_ssl_version' "
    "'$proxy_protocol_tlv_ssl_0x21' '$proxy_protocol_tlv_ssl_verify' "
    "'$proxy_protocol_tlv_0x21'\";";
const std::string kNoMore = " '' '' '' '' '' ''";

}  // namespace

TEST_CASE("the PROXY protocol: its addresses are variables, and the client's where it is trusted",
          "[both]") {
  ServerProcess server;
  FreePort port, trusting;
  server.configure("server { listen 127.0.0.1:" + port.text() + " proxy_protocol; " + kSays +
                   " }\nserver { listen 127.0.0.1:" + trusting.text() +
                   " proxy_protocol; set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol; " +
                   kSays + " }");
  server.start();
  const std::string line = "PROXY TCP4 192.0.2.7 192.0.2.1 1234 443\r\n";
  auto client = Client::tcp(port.number(), line);
  auto answer = client.get("/");
  CHECK(answer.body.starts_with("127.0.0.1:"));
  CHECK(answer.body.ends_with(" 192.0.2.7:1234 192.0.2.1:443 127.0.0.1" + kNoMore));
  CHECK(client.get("/").body == answer.body);  // once for a connection

  auto known = Client::tcp(trusting.number(), line);
  known.send("GET / HTTP/1.1\r\nHost: a\r\nproxy_protocol: 6.6.6.6\r\n\r\n");
  CHECK(known.answer().body == "192.0.2.7:1234 192.0.2.7:1234 192.0.2.1:443 127.0.0.1" + kNoMore);
  auto binary = Client::tcp(trusting.number(),
                            {"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x26"
                             "\xc0\x00\x02\x08\xc0\x00\x02\x01\x04\xd2\x01\xbb\x02\0\x05scope"
                             "\x20\0\x0f\x01\0\0\0\x12\x21\0\x07TLSv1.3",
                             54});
  CHECK(binary.get("/").body ==
        "192.0.2.8:1234 192.0.2.8:1234 192.0.2.1:443 127.0.0.1 'scope' 'scope' "
        "'TLSv1.3' 'TLSv1.3' '18' ''");
  auto unknown = Client::tcp(trusting.number(), "PROXY UNKNOWN\r\n");
  CHECK(unknown.get("/").body.ends_with(" : : 127.0.0.1" + kNoMore));

  auto rude = Client::tcp(port.number(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(rude.closed());
  CHECK(server.error_log_says("broken header: \"GET / HTTP/1.1\" while reading PROXY protocol"));
}

TEST_CASE("the PROXY protocol before TLS, and one that never comes", "[both]") {
  ServerProcess server;
  FreePort port, hasty;
  make_certificate(server.dir().path("certs"), "scope.test");
  const auto listening = [](const FreePort& on, const std::string& patience) {
    return "server { listen 127.0.0.1:" + on.text() +
           " ssl proxy_protocol; client_header_timeout " + patience +
           "; ssl_certificate certs/scope.test.pem; ssl_certificate_key certs/scope.test.key; "
           "return 200 $proxy_protocol_addr; }\n";
  };
  server.configure(listening(port, "60s") + listening(hasty, "300ms"));
  server.start();
  auto client = Client::tls(port.number(), server.dir().path("certs/ca.pem"), "scope.test", {},
                            "PROXY TCP6 2001:db8::7 ::1 1234 443\r\n");
  CHECK(client.get("/").body == "2001:db8::7");
  auto silent = Client::tcp(hasty.number());
  CHECK(silent.closed());
  auto half = Client::tcp(hasty.number(), "PROXY TCP4 1.2");
  CHECK(half.closed());
}

}  // namespace gatescope::integration
