#pragma once

#include <string>

#include "tests/integration/support/pebble.h"
#include "tests/integration/support/server_process.h"

namespace gatescope::integration {

/// A site for a.test and b.test whose certificate comes from pebble; plain HTTP is redirected. Not
/// started yet.
struct AcmeSite {
  /// `seconds`: that a certificate lasts.
  AcmeSite(const std::string& challenge, unsigned seconds, Account account = Account::Own,
           unsigned bad_nonces = 30);

  std::string folder() { return server.dir().path("acme_pebble"); }
  /// The one certificate in the state folder; "" before there is one.
  std::string stored();
  /// What is served at / under that name, by somebody who believes pebble only.
  std::string ask(const std::string& name);
  /// Waits until the log has spoken so many times of a new certificate that is used.
  bool uses(std::size_t times);
  /// The same, of one that was seen from outside.
  bool shows(std::size_t times);

  ServerProcess server;
  Pebble pebble;

 private:
  bool says(std::string_view text, std::size_t times);
};

/// Says that a test is skipped, where there is no pebble.
bool skipped_without_pebble();

}  // namespace gatescope::integration
