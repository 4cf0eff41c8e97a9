#include "tests/integration/support/pebble.h"

#include <unistd.h>

#include <cstdlib>

#include "tests/integration/support/account_key.h"
#include "tests/integration/support/client.h"
#include "tests/integration/support/site_certificate.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {
constexpr char kProgram[] = "/usr/bin/pebble";
}

bool Pebble::installed() {
  return ::access(kProgram, X_OK) == 0;
}

Pebble::Pebble(unsigned seconds, unsigned bad_nonces) {
  make_certificate(dir_.path("certs"), "localhost");
  dns_.set("a.test", {"127.0.0.1"});
  dns_.set("b.test", {"127.0.0.1"});
  const auto config = dir_.write(
      "pebble.json", R"({"pebble":{"listenAddress":"127.0.0.1:)" + api_.text() +
                         R"(","managementListenAddress":"127.0.0.1:)" + management_.text() +
                         R"(","certificate":")" + dir_.path("certs/localhost.pem") +
                         R"(","privateKey":")" + dir_.path("certs/localhost.key") +
                         R"(","httpPort":)" + http.text() + R"(,"tlsPort":)" + tls.text() +
                         R"(,"ocspResponderURL":"","externalAccountBindingRequired":false,)" +
                         R"("certificateValidityPeriod":)" + std::to_string(seconds) + "}}");
  ::setenv("PEBBLE_VA_NOSLEEP", "1", 1);
  ::setenv("PEBBLE_WFE_NONCEREJECT", std::to_string(bad_nonces).c_str(), 1);
  ::setenv("PEBBLE_AUTHZREUSE", "0", 1);
  process_ = std::make_unique<Process>(
      std::vector<std::string>{"-config", config, "-strict", "-dnsserver", dns_.address()},
      dir_.path("out"), dir_.path("err"), Account::Own, kProgram);
  const bool up = within(
      kPatience, [&] { return can_connect(api_.number()) && can_connect(management_.number()); });
  INFO(said());
  REQUIRE(up);
}

std::string Pebble::root_file() {
  auto client = Client::tls(management_.number(), ca_file(), "localhost");
  const auto answer = client.get("/roots/0");
  REQUIRE(answer.status == 200);
  return dir_.write("root.pem", answer.body);
}

std::size_t Pebble::asked_for(const std::string& path) const {
  const auto log = said();
  std::size_t times = 0;
  for (auto at = log.find(" " + path); at != std::string::npos; at = log.find(" " + path, at + 1))
    if (const auto line = log.substr(at, log.find('\n', at) - at);
        line.find("calling handler") != std::string::npos)
      ++times;
  return times;
}

void Pebble::close_account(const std::string& key_pem, const std::string& url) {
  auto client = Client::tls(api_.number(), ca_file(), "localhost");
  const auto nonce = client.get("/nonce-plz", "localhost:" + api_.text()).field("Replay-Nonce");
  const auto jws = sign_request(key_pem, url, url, nonce, R"({"status":"deactivated"})");
  const auto path = url.substr(url.find('/', url.find("//") + 2));
  client.send(
      "POST " + path + " HTTP/1.1\r\nHost: localhost:" + api_.text() +
      "\r\nContent-Type: application/jose+json\r\nUser-Agent: its owner\r\nContent-Length: " +
      std::to_string(jws.size()) + "\r\n\r\n" + jws);
  const auto answer = client.answer();
  INFO(answer.head << "\n" << answer.body);
  REQUIRE(answer.status == 200);
}

}  // namespace gatescope::integration
