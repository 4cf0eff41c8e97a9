#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "certs/dev_certificate.h"
#include "proxy/base/clock.h"
#include "proxy/base/time_words.h"
#include "proxy/commands/commands.h"

namespace gatescope::commands {

namespace {

/// `gatescope cert dev`: an authority and a certificate for trying.
class CertCommand final : public Command {
  CLI::App& declare(CLI::App& app) override {
    auto* cert = app.add_subcommand("cert", "certificates");
    auto* dev = cert->add_subcommand("dev", "make a development CA and a certificate");
    dev->add_option("--dir", folder_, "folder to write to")->required();
    dev->add_option("--name", names_, "DNS name or IP address, several allowed")->required();
    cert->require_subcommand(1);
    return *cert;
  }

  int run(const Invocation&) override {
    auto made = tls::ensure_dev_certificate(folder_, names_, SystemClock());
    if (!made) return failed(made.error());
    const auto ca = made->ca.string();
    fmt::print(
        "{} {}\n"
        "good until {}; this command makes it anew when less than 30 days are left, and a server "
        "that runs notices\n"
        "certificate authority: {}\n"
        "  curl:      curl --cacert {} https://{}/\n"
        "  chromium:  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n \"gatescope development\" -i "
        "{}\n"
        "             (package libnss3-tools; then start chromium anew)\n",
        made->made_now ? "made" : "still good:", made->certificate.string(), in_words(made->ends),
        ca, ca, names_.front(), ca);
    return 0;
  }

  std::string folder_;
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<Command> cert_command() {
  return std::make_unique<CertCommand>();
}

}  // namespace gatescope::commands
