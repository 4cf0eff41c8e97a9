#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "certs/acme/certificate_list.h"
#include "certs/tls_probe.h"
#include "proxy/base/text.h"
#include "proxy/base/time_words.h"
#include "proxy/commands/command_server.h"
#include "proxy/commands/commands.h"
#include "proxy/commands/renew_command.h"

namespace gatescope::commands {

namespace {

constexpr int kTrouble = 2;  // exit status: something is wrong with a certificate

struct CheckAsked {
  std::string host;     // HOST[:PORT]
  std::string ca_file;  // empty: whom the system trusts
};

void print_line(std::string_view label, const std::string& text) {
  fmt::print("    {:<13}{}\n", label, text);
}

std::string end_in_words(const tls::CertificateInfo& info, WallTime now) {
  const auto left = std::chrono::duration_cast<Duration>(info.not_after - now);
  if (left.count() <= 0) return "HAS EXPIRED, at " + in_words(info.not_after);
  return fmt::format("{} left, until {}", in_words(left), in_words(info.not_after));
}

bool is_sound(const acme::ListedCertificate& one, WallTime now) {
  return one.error.empty() && one.info && one.info->not_before <= now &&
         one.info->not_after - now >= tls::trouble_below(*one.info);
}

void print(const acme::ListedCertificate& one, WallTime now) {
  fmt::print("{}\n",
             one.names.empty() ? "(no names)" : fmt::format("{}", fmt::join(one.names, ", ")));
  if (one.info) {
    print_line("ends", end_in_words(*one.info, now));
    if (one.info->not_before > now) print_line("begins", in_words(one.info->not_before));
    print_line("issuer", one.info->issuer + (one.info->self_signed ? " (itself)" : ""));
    print_line("key", one.info->key);
  } else if (one.error.empty()) {
    print_line("ends", "there is none yet");
  }
  print_line("source", one.source);
  print_line("file", one.file);
  if (!one.issuer_name.empty())
    print_line("renewal", one.renew_at ? in_words(*one.renew_at) : "as soon as possible");
  if (!one.error.empty()) {
    const auto failed = one.note && one.note->failed_at
                            ? fmt::format(" (at {})", in_words(*one.note->failed_at))
                            : std::string();
    print_line("error", one.error + failed);
    if (one.note && one.note->next_try) print_line("next try", in_words(*one.note->next_try));
  }
}

int list_certificates(bool json, const LaunchOptions& options) {
  NullLog log;
  CommandServer command(options, log);
  const auto generation = command.server().read();
  if (!generation) return failed(generation.error());
  tls::OwnSecrets files;
  const auto listed = acme::list_certificates(*(*generation)->configuration.main, files);
  const WallTime now = SystemClock().wall();
  if (json) {
    fmt::print("{}", acme::to_json(listed, now));
  } else if (listed.empty()) {
    fmt::print("no server of {} has a certificate\n", options.conf_path);
  }
  if (!json)
    for (const auto& one : listed)
      print(one, now);
  return std::ranges::all_of(listed, [&](const auto& one) { return is_sound(one, now); })
             ? 0
             : kTrouble;
}

/// "example.org", "example.org:8443", "192.0.2.7:443", "::1", "[::1]:443".
Result<tls::ProbeTarget> parse_target(const CheckAsked& asked) {
  const std::string_view text = asked.host;
  const auto wrong = [&](std::string_view why) {
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      fmt::format("\"{}\" is no HOST or HOST:PORT: {}", text, why));
  };
  tls::ProbeTarget target;
  target.ca_file = asked.ca_file;
  if (text.find_first_of("/ @") != std::string_view::npos)
    return wrong("a name or an address is wanted, no URL");
  std::string_view host = text, port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return wrong("\"]\" is missing");
    host = text.substr(1, end - 1);
    if (const auto rest = text.substr(end + 1); rest.starts_with(':')) {
      port = rest.substr(1);
    } else if (!rest.empty()) {
      return wrong("a port begins with \":\"");
    }
  } else if (std::ranges::count(text, ':') == 1) {
    host = text.substr(0, text.find(':'));
    port = text.substr(text.find(':') + 1);
  }
  if (host.empty()) return wrong("there is no host");
  target.host = lower(host);
  if (target.host.size() > 1 && target.host.ends_with('.')) target.host.pop_back();
  const bool bare_v6 = !text.starts_with('[') && std::ranges::count(text, ':') > 1;
  if (port.empty() && text.ends_with(':') && !bare_v6) return wrong("the port is missing");
  if (!port.empty()) {
    const auto number = parse_unsigned(port);
    if (!number || *number == 0 || *number > 65535) return wrong("a port is 1 to 65535");
    target.port = static_cast<std::uint16_t>(*number);
  }
  return target;
}

/// Empty: none. A missing HSTS is named and is no error: HTTP may not be what is spoken there.
std::vector<std::string> troubles_of(const tls::ProbeReport& report, const tls::ProbeTarget& target,
                                     WallTime now) {
  std::vector<std::string> troubles;
  if (!report.verification.empty()) troubles.push_back(report.verification);
  if (!report.name_matches) troubles.push_back("the certificate is not for " + target.host);
  if (!report.chain.empty() &&
      report.chain.front().not_after - now < tls::trouble_below(report.chain.front()))
    troubles.push_back(end_in_words(report.chain.front(), now));
  return troubles;
}

void print(const tls::ProbeReport& report, const tls::ProbeTarget& target, WallTime now) {
  fmt::print("{}:{}\n", target.host, target.port);
  print_line("protocol", report.protocol);
  print_line("cipher", report.cipher + (report.group.empty() ? "" : ", " + report.group));
  if (!report.chain.empty()) {
    const auto& leaf = report.chain.front();
    print_line("names", fmt::format("{}", fmt::join(leaf.names, ", ")));
    print_line("host name", report.name_matches ? "matches" : "DOES NOT MATCH");
    print_line("ends", end_in_words(leaf, now));
    print_line("key", leaf.key);
    print_line("issuer", leaf.issuer);
    for (std::size_t i = 1; i < report.chain.size(); ++i)
      print_line("chain", fmt::format("{}, {}, until {}", report.chain[i].shown(),
                                      report.chain[i].key, in_words(report.chain[i].not_after)));
  }
  print_line("verification", report.verification.empty() ? "good" : report.verification);
  print_line("HSTS", report.hsts     ? *report.hsts
                     : report.status ? fmt::format("none (status {})", *report.status)
                                     : "no answer to HEAD /");
}

int check_server(const CheckAsked& asked, bool json) {
  const auto target = parse_target(asked);
  if (!target) return failed(target.error());
  const auto report = tls::probe(*target);
  if (!report) return failed(report.error());
  const WallTime now = SystemClock().wall();
  if (json) {
    fmt::print("{}", acme::to_json(*report, now));
  } else {
    print(*report, *target, now);
  }
  const auto troubles = troubles_of(*report, *target, now);
  for (const auto& trouble : troubles)
    fmt::print(stderr, "gatescope: {}:{}: {}\n", target->host, target->port, trouble);
  return troubles.empty() ? 0 : kTrouble;
}

/// `gatescope certs [list] | renew | check HOST`. The exit status: 0 all is well, 1 it could not be
/// done, 2 something is wrong with a certificate.
class CertificatesCommand final : public Command {
  enum class Action { List, Renew, Check };

  CLI::App& declare(CLI::App& app) override {
    auto* certs = app.add_subcommand("certs", "the certificates of the configuration");
    const auto add = [&](const char* name, Action action, const char* help) {
      auto* command = certs->add_subcommand(name, help);
      command->callback([this, action] { action_ = action; });
      command->fallthrough();
      return command;
    };
    certs->add_flag("--json", json_, "for programs");
    add("list", Action::List, "names, issuers, keys, days left, next renewals and errors");
    auto* renew = add("renew", Action::Renew, "obtain those of acme_issuer anew, now");
    renew->add_option("name", renew_.names, "a name of the certificate; all of them without");
    renew->add_flag("--dry-run", renew_.dry_run,
                    "only try, at the authority's directory for that; nothing is stored");
    renew->add_option("--server", renew_.directory,
                      "directory of the authority for a dry run (URL)");
    auto* check = add("check", Action::Check, "look at a server from outside");
    check->add_option("host", check_.host, "HOST or HOST:PORT")->required();
    check->add_option("--ca", check_.ca_file,
                      "who is trusted (PEM), instead of whom the system trusts");
    certs->require_subcommand(0, 1);
    certs->fallthrough();
    return *certs;
  }

  int run(const Invocation& invocation) override {
    switch (action_) {
      case Action::List:
        return list_certificates(json_, invocation.launch);
      case Action::Renew:
        return run_renew_command(renew_, invocation.launch);
      case Action::Check:
        break;
    }
    return check_server(check_, json_);
  }

  Action action_ = Action::List;
  bool json_ = false;
  RenewAsked renew_;
  CheckAsked check_;
};

}  // namespace

std::unique_ptr<Command> certificates_command() {
  return std::make_unique<CertificatesCommand>();
}

}  // namespace gatescope::commands
