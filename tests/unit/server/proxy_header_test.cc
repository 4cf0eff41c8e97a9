#include "proxy/proxy_header.h"

#include "tests/support/catch.h"

namespace gatescope::server {
namespace {

std::string shown(std::string_view bytes) {
  const auto header = parse_proxy_header(bytes);
  if (!header) return header.error().detail;
  if (!*header) return "more";
  const auto& client = (*header)->client;
  return std::to_string((*header)->size) + " " +
         (client ? client->client.to_string() + " to " + client->server.to_string() : "nobody");
}

std::string binary(char version_and_command, char family, const std::string& rest) {
  std::string bytes("\r\n\r\n\0\r\nQUIT\n", 12);
  bytes += version_and_command;
  bytes += family;
  bytes += static_cast<char>(rest.size() >> 8);
  bytes += static_cast<char>(rest.size() & 0xff);
  return bytes + rest;
}

const std::string kV4("\x01\x02\x03\x04\x0a\x00\x00\x01\x10\x00\x01\xbb", 12);

TEST_CASE("version 1 of the PROXY protocol: a line") {
  CHECK(shown("PROXY TCP4 1.2.3.4 10.0.0.1 4096 443\r\nGET") == "38 1.2.3.4:4096 to 10.0.0.1:443");
  CHECK(shown("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n") == "36 [2001:db8::1]:1 to [::1]:65535");
  CHECK(shown("PROXY UNKNOWN\r\n") == "15 nobody");
  CHECK(shown("PROXY UNKNOWN ffff::1 ::1 1 2\r\n") == "31 nobody");
  for (const char* bad : {
           "PROXY TCP4 1.2.3.4 10.0.0.1 4096\r\n",
           "PROXY TCP4 ::1 10.0.0.1 4096 443\r\n",
           "PROXY TCP6 1.2.3.4 10.0.0.1 4096 443\r\n",
           "PROXY TCP4 1.2.3 10.0.0.1 4096 443\r\n",
           "PROXY TCP4 1.2.3.4 10.0.0.1 65536 443\r\n",
           "PROXY TCP4 1.2.3.4  10.0.0.1 1 443\r\n",
           "PROXY UDP4 1.2.3.4 10.0.0.1 1 2\r\n",
           "GET / HTTP/1.1\r\n",
           "PROXI",
           "\x16\x03\x01",
       }) {
    INFO(bad);
    CHECK(shown(bad).starts_with("broken header: \""));
  }
  CHECK(shown("PROXY TCP4 " + std::string(100, '1')).starts_with("broken header"));
}

TEST_CASE("version 2 of the PROXY protocol: addresses, and what else the proxy knows") {
  CHECK(shown(binary(0x21, 0x11, kV4) + "GET") == "28 1.2.3.4:4096 to 10.0.0.1:443");
  const std::string v6 = std::string(15, '\0') + '\x01' + std::string(15, '\0') + '\x02' +
                         std::string("\x00\x01\x00\x02", 4);
  CHECK(shown(binary(0x21, 0x21, v6)) == "52 [::1]:1 to [::2]:2");
  CHECK(shown(binary(0x20, 0x00, "")) == "16 nobody");                      // its own health check
  CHECK(shown(binary(0x21, 0x31, std::string(216, 'x'))) == "232 nobody");  // unix
  CHECK(shown(binary(0x21, 0x12, kV4)) == "28 nobody");                     // datagrams
  CHECK(shown(binary(0x11, 0x11, kV4)) == "unknown PROXY protocol version: 1");
  CHECK(shown(binary(0x22, 0x11, kV4)) == "unknown PROXY protocol command: 2");
  CHECK(shown(binary(0x21, 0x11, "1234")) == "header is too short for its addresses");
  CHECK(shown(binary(0x21, 0x11, std::string(4081, 'x'))) == "header is too large");
  const std::string authority("\x02\x00\x05scope", 8);
  const std::string version("\x21\x00\x07TLSv1.3", 10);
  const std::string ssl = std::string("\x20\x00\x0f\x01\x00\x00\x00\x12", 8) + version;
  const auto header = parse_proxy_header(binary(0x21, 0x11, kV4 + authority + ssl));
  REQUIRE(header);
  const auto& tlvs = (**header).client->tlvs;
  REQUIRE(tlvs.size() == 2);
  CHECK(tlvs[0] == std::pair<std::uint8_t, std::string>(0x02, "scope"));
  CHECK(tlvs[1].first == 0x20);
  CHECK(tlvs[1].second.ends_with("TLSv1.3"));
  CHECK(shown(binary(0x21, 0x11, kV4 + std::string("\x02\x00\x09scope", 8))) == "broken TLV");
  CHECK(shown(binary(0x21, 0x11, kV4 + "\x02")) == "broken TLV");
}

TEST_CASE("a header of the PROXY protocol that comes byte by byte is whole at its last byte") {
  for (const std::string& whole :
       {std::string("PROXY TCP4 1.2.3.4 10.0.0.1 4096 443\r\n"), binary(0x21, 0x11, kV4)}) {
    for (std::size_t n = 0; n < whole.size(); ++n)
      CHECK(shown(whole.substr(0, n)) == "more");
    CHECK(shown(whole) != "more");
  }
}

}  // namespace
}  // namespace gatescope::server
