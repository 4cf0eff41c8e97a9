#include "certs/password.h"

#include "tests/support/catch.h"

using namespace gatescope;

TEST_CASE("passwords match what htpasswd and crypt(3) store, and nothing broken") {
  struct Row {
    const char *password, *stored;
    bool matches;
  };
  // made with: htpasswd -nb, openssl passwd, and by hand from RFC 3174 digests
  const Row rows[] = {
      {"password", "{PLAIN}password", true},
      {"123", "{PLAIN}password", false},
      {"", "{PLAIN}", true},
      {"password", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", true},
      {"123", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", false},
      {"password", "{SSHA}yI6cZwQadOA1e+/f+T+H3eCQQhRzYWx0", true},
      {"123", "{SSHA}yI6cZwQadOA1e+/f+T+H3eCQQhRzYWx0", false},
      {"1", "{SSHA}_____wQadOA1e+/f+T+H3eCQQhRzYWx0", false},
      {"1", "{SSHA}Zm9vCg==", false},
      {"1", "{SHA}Zm9vCg==", false},
      {"password", "$apr1$salt$Xxd1irWT9ycqoYxGFn4cb.", true},
      {"123", "$apr1$salt$Xxd1irWT9ycqoYxGFn4cb.", false},
      {"1", "$apr1$", false},
      {"password", "$1$salt$qJH7.N4xYta3aEG/dfqo/0", true},
      {"123", "$1$salt$qJH7.N4xYta3aEG/dfqo/0", false},
      {"1", "$1$", false},
      {"1", "", false},
      {"1", "*0", false},
  };
  for (const auto& row : rows) {
    INFO(row.stored << " " << row.password);
    CHECK(tls::password_matches(row.password, row.stored) == row.matches);
  }
  CHECK(tls::is_slow_hash("$y$j9T$x$y"));
  CHECK_FALSE(tls::is_slow_hash("{SHA}x"));
}
