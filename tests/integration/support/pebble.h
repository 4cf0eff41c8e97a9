#pragma once

#include <memory>
#include <string>

#include "tests/integration/support/free_port.h"
#include "tests/integration/support/process.h"
#include "tests/integration/support/temp_dir.h"
#include "tests/support/dns_server.h"

namespace gatescope::integration {

/// A real ACME authority (Debian's package pebble), strict, that refuses nonces at random. It looks
/// for a.test and b.test at 127.0.0.1, at the two ports. Ends with this object.
class Pebble {
 public:
  /// Whether the package is here.
  static bool installed();

  /// `seconds`: that its certificates last. `bad_nonces`: percent of the good ones that it refuses;
  /// certbot bears one in a row.
  explicit Pebble(unsigned seconds, unsigned bad_nonces = 30);

  std::string directory() const { return "https://localhost:" + api_.text() + "/dir"; }
  /// Who is believed for its own server.
  std::string ca_file() const { return dir_.path("certs/ca.pem"); }
  /// Writes the authority's root certificate to a file; a new one at each start.
  std::string root_file();
  /// The authority looks for a name there from now on.
  void set_address(const std::string& name, const std::string& address) {
    dns_.set(name, {address});
  }
  /// What the owner of that key may do (RFC 8555 7.3.6); `url` is the account's.
  void close_account(const std::string& key_pem, const std::string& url);
  std::string said() const { return dir_.read("out") + dir_.read("err"); }
  /// How often it was asked for a path that begins so.
  std::size_t asked_for(const std::string& path) const;

  FreePort http, tls;  // where it expects us

 private:
  TempDir dir_;
  FreePort api_, management_;
  test::DnsServer dns_;
  std::unique_ptr<Process> process_;
};

}  // namespace gatescope::integration
