// ACME inside a whole server: http-01 answers, reloads while an order is under way.

#include "tests/support/catch.h"
#include "tests/unit/server/site_fixture.h"

namespace gatescope::test {
namespace {

const std::string kIssuer =
    "acme_issuer le { uri https://authority.test/dir; accept_terms_of_service; }\n";
const std::string kAcmeSite =
    "server { listen 80; server_name a.test; acme_certificate le; deny all; return 301 "
    "https://a.test/; }\n";

bool is_stored(const Site& site) {
  std::error_code none;
  for (const auto& file : std::filesystem::directory_iterator(site.folder() + "/acme_le", none))
    if (file.path().extension() == ".pem") return true;
  return false;
}

}  // namespace

TEST_CASE("http-01 is answered before a redirect, only for tokens that are being asked for") {
  Site site(kIssuer + kAcmeSite);
  REQUIRE(site.load_error() == "");
  CHECK(status_of_answer(site.get("/.well-known/acme-challenge/none")) == 301);
  auto& authority = site.authority();
  REQUIRE(site.run_until([&] { return authority.asked("/chal/") == 1; }, Duration(60'000)));
  const auto token = authority.tokens().at(0);
  const auto path = "/.well-known/acme-challenge/" + token;
  const auto answer = site.get(path);
  CHECK(status_of_answer(answer) == 200);
  CHECK(body_of_answer(answer).starts_with(token + "."));
  CHECK(field_of_answer(answer, "Content-Type") == "application/octet-stream");
  CHECK(status_of_answer(site.get("/.well-known/acme-challenge/other")) == 301);
  CHECK(status_of_answer(site.get("/.well-known/acme-challenge/")) == 301);
  CHECK(status_of_answer(site.ask("POST " + path +
                                  " HTTP/1.1\r\nHost: a.test\r\n"
                                  "Connection: close\r\n\r\n")) == 301);
  REQUIRE(site.run_until([&] { return is_stored(site); }, Duration(60'000)));
  CHECK(status_of_answer(site.get(path)) == 301);
  CHECK(authority.complaints() == std::vector<std::string>());
  CHECK(site.read("logs/error.log").find("new certificate for a.test") != std::string::npos);
}

TEST_CASE("a reload that changes nothing of an issuer lets it go on, one that does takes over") {
  Site site(kIssuer + kAcmeSite);
  auto& authority = site.authority();
  authority.rules.lifetime = std::chrono::hours(3);
  REQUIRE(site.run_until([&] { return authority.asked("/chal/") == 1; }, Duration(60'000)));
  CHECK(!site.reload(kIssuer + kAcmeSite + "server { listen 81; return 204; }\n"));
  REQUIRE(site.run_until([&] { return is_stored(site); }, Duration(60'000)));
  CHECK(authority.asked("/account") == 1);
  CHECK(authority.orders() == 1);
  // Another name: another certificate, of the same account.
  CHECK(!site.reload(kIssuer + "server { listen 80; server_name a.test b.test; "
                               "acme_certificate le; }\n"));
  REQUIRE(site.run_until([&] { return authority.issued().size() == 2; }, Duration(60'000)));
  CHECK(authority.issued()[1].names == std::vector<std::string>{"a.test", "b.test"});
  CHECK(authority.accounts() == 1);
  // Without the issuer nothing is renewed.
  CHECK(!site.reload("server { listen 80; }\n"));
  site.run_for(std::chrono::hours(3));
  CHECK(authority.issued().size() == 2);
  CHECK(authority.complaints() == std::vector<std::string>());
}

}  // namespace gatescope::test
