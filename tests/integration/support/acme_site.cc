#include "tests/integration/support/acme_site.h"

#include <filesystem>
#include <iostream>

#include "tests/integration/support/client.h"
#include "tests/integration/support/within.h"

namespace gatescope::integration {

namespace fs = std::filesystem;

AcmeSite::AcmeSite(const std::string& challenge, unsigned seconds, Account account,
                   unsigned bad_nonces)
    : server(account), pebble(seconds, bad_nonces) {
  server.write("pebble.pem", read_file(pebble.ca_file()));
  server.configure("acme_issuer pebble { uri " + pebble.directory() +
                   "; contact a@a.test; ssl_trusted_certificate pebble.pem; challenge " +
                   challenge +
                   "; accept_terms_of_service; }\n"
                   "server { listen 127.0.0.1:" +
                   pebble.http.text() +
                   "; return 301 https://$host$request_uri; }\n"
                   "server { listen 127.0.0.1:" +
                   pebble.tls.text() +
                   " ssl; server_name a.test b.test; acme_certificate pebble;\n"
                   "ssl_certificate $acme_certificate;\n"
                   "ssl_certificate_key $acme_certificate_key; return 200 secret; }\n");
}

std::string AcmeSite::stored() {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder(), none))
    if (entry.path().extension() == ".pem") return read_file(entry.path().string());
  return {};
}

std::string AcmeSite::ask(const std::string& name) {
  return Client::tls(pebble.tls.number(), pebble.root_file(), name).get("/", name).body;
}

bool AcmeSite::uses(std::size_t times) {
  return says(": new certificate \"$acme_certificate:", times);
}

bool AcmeSite::shows(std::size_t times) {
  return says("shows the new certificate", times);
}

bool AcmeSite::says(std::string_view text, std::size_t times) {
  return within(2 * kPatience, [&] { return count(server.error_log(), text) >= times; });
}

bool skipped_without_pebble() {
  if (Pebble::installed()) return false;
  std::cout << "SKIPPED: there is no pebble here\n";
  return true;
}

}  // namespace gatescope::integration
