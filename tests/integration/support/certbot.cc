#include "tests/integration/support/certbot.h"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "tests/integration/support/within.h"

namespace gatescope::integration {

namespace {

constexpr char kScript[] = "/usr/bin/certbot", kInterpreter[] = "/usr/bin/python3";
// It is a second or two of Python, and as long as the authority takes.
constexpr auto kCertbotPatience = 3 * kPatience;

}  // namespace

bool Certbot::installed() {
  return ::access(kScript, X_OK) == 0 && ::access(kInterpreter, X_OK) == 0;
}

Certbot::Certbot(std::string directory, const std::string& ca_file)
    : directory_(std::move(directory)) {
  ::setenv("REQUESTS_CA_BUNDLE", ca_file.c_str(), 1);
}

Outcome Certbot::obtain(const std::string& webroot, const std::vector<std::string>& names) {
  std::vector<std::string> words{"certonly",    "--webroot", "-w",           webroot,
                                 "--agree-tos", "-m",        "admin@a.test", "--no-eff-email",
                                 "--server",    directory_};
  for (const auto& name : names) {
    words.push_back("-d");
    words.push_back(name);
  }
  return run(std::move(words));
}

Outcome Certbot::renew() {
  return run({"renew", "--force-renewal", "--no-random-sleep-on-renew"});
}

Outcome Certbot::run(std::vector<std::string> words) {
  words.insert(words.begin(), kScript);
  for (const auto& [option, folder] :
       {std::pair{"--config-dir", "etc"}, std::pair{"--work-dir", "var"},
        std::pair{"--logs-dir", "log"}}) {
    words.push_back(option);
    words.push_back(dir_.path(folder));
  }
  words.push_back("-n");
  TempDir said;
  Process process(words, said.path("out"), said.path("err"), Account::Own, kInterpreter);
  const auto status = process.wait(kCertbotPatience);
  return {status.value_or(-1), said.read("out"),
          said.read("err") + dir_.read("log/letsencrypt.log")};
}

}  // namespace gatescope::integration
