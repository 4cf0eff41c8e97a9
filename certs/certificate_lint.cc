#include "certs/certificate_lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "certs/certificate_info.h"
#include "proxy/base/text.h"
#include "proxy/base/time_words.h"

namespace gatescope::tls {

namespace {

constexpr Duration kSoon = std::chrono::hours(24 * 30);

/// RFC 6125, 6.4.3: a "*" stands for one label, the first.
bool is_for(const CertificateInfo& info, const std::string& name) {
  return std::ranges::any_of(info.names, [&](const auto& written) {
    const auto known = lower(written);
    if (known == name) return true;
    const auto dot = name.find('.');
    return known.starts_with("*.") && dot != std::string::npos &&
           known.substr(1) == name.substr(dot);
  });
}

/// The first certificate of a file, and what names it.
struct Shown {
  const conf::Directive* directive;
  CertificateInfo info;
};

std::vector<Shown> certificates_of(const conf::Lint& lint, conf::Lint::Path path) {
  // One level replaces those around, as the directive does
  for (auto block = path.rbegin(); block != path.rend(); ++block) {
    const auto written = conf::find_all_in(**block, "ssl_certificate");
    if (written.empty()) continue;
    std::vector<Shown> shown;
    for (const auto* d : written) {
      if (d->arg(0).find('$') != std::string_view::npos || d->arg(0).starts_with("data:"))
        return {};
      const auto file = lint.conf_path(d->arg(0));
      std::ifstream in(file);
      const std::string pem{std::istreambuf_iterator<char>(in), {}};
      if (auto infos = read_certificate_infos(pem, file); infos && !infos->empty())
        shown.push_back({d, std::move(infos->front())});
    }
    return shown;
  }
  return {};
}

void look_at_time(conf::Lint& lint, const Shown& shown) {
  const auto& info = shown.info;
  if (info.not_before > lint.now())
    lint.warn(shown.directive->place,
              fmt::format("the certificate for {} is not good before {}: clients refuse it until "
                          "then, or is the clock wrong?",
                          info.shown(), in_words(info.not_before)));
  if (info.not_after - lint.now() >= kSoon) return;
  lint.warn(shown.directive->place,
            info.not_after <= lint.now()
                ? fmt::format("the certificate for {} has ended at {}: renew it", info.shown(),
                              in_words(info.not_after))
                : fmt::format("the certificate for {} ends at {}, in less than 30 days: is it "
                              "renewed by itself?",
                              info.shown(), in_words(info.not_after)));
}

}  // namespace

void lint_certificates(conf::Lint& lint) {
  std::set<std::string> said;  // one certificate serves many servers
  lint.each_block([&](conf::Lint::Path path) {
    if (path.back()->name != "server") return;
    const auto leaves = certificates_of(lint, path);
    for (const auto& leaf : leaves)
      if (said.insert(leaf.info.fingerprint).second) look_at_time(lint, leaf);
    if (leaves.empty()) return;
    for (const auto* names : conf::find_all_in(*path.back(), "server_name"))
      for (const auto& argument : names->arguments) {
        const auto name = lower(argument.text);
        // Only names that can be looked up: no regex, no wildcard, no "_"
        if (name.find_first_of("~*_") != std::string::npos || name.starts_with('.') || name.empty())
          continue;
        if (std::ranges::any_of(leaves, [&](const auto& leaf) { return is_for(leaf.info, name); }))
          continue;
        lint.warn(argument.place,
                  fmt::format("no certificate of this server is for \"{}\", only for {}: browsers "
                              "will refuse it",
                              argument.text, leaves.front().info.shown()));
      }
  });
}

}  // namespace gatescope::tls
