#include "certs/expiry_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "proxy/base/time_words.h"

namespace gatescope::tls {
namespace {

using Days = std::chrono::duration<std::int64_t, std::ratio<86400>>;

struct Mark {
  int days;
  LogLevel level;
};
/// From the lowest. Zero: it has ended.
constexpr std::array kMarks{Mark{0, LogLevel::Crit},  Mark{1, LogLevel::Crit},
                            Mark{3, LogLevel::Crit},  Mark{7, LogLevel::Error},
                            Mark{14, LogLevel::Warn}, Mark{30, LogLevel::Notice}};

/// The lowest mark that is reached; null: none.
const Mark* mark_of(const CertificateInfo& info, WallTime now) {
  const auto left = info.not_after - now;
  const auto lifetime = info.not_after - info.not_before;
  for (const auto& mark : kMarks)
    if (left <= Days(mark.days)) return Days(mark.days) * 2 <= lifetime ? &mark : nullptr;
  return nullptr;
}

std::string described(const ServedCertificate& certificate) {
  return fmt::format("the certificate for {} (\"{}\", issued by {})", certificate.info.shown(),
                     certificate.source, certificate.info.issuer);
}

std::string left_in_words(const CertificateInfo& info, WallTime now) {
  if (info.not_after <= now) return "ended at " + in_words(info.not_after);
  return in_words(std::chrono::duration_cast<Duration>(info.not_after - now)) + " left";
}

bool is_temporary(const ServedCertificate& certificate) {
  return certificate.info.self_signed && certificate.source.starts_with('$');
}

/// Empty: nothing is wrong.
std::string trouble_of(const ServedCertificate& certificate, WallTime now) {
  const auto& info = certificate.info;
  if (is_temporary(certificate)) return info.shown() + ": a temporary certificate";
  if (now < info.not_before)
    return info.shown() + ": not valid before " + in_words(info.not_before);
  if (info.not_after - now < trouble_below(info))
    return info.shown() + ": " + left_in_words(info, now);
  return {};
}

}  // namespace

std::string CertificateHealth::line() const {
  if (!first_to_end) return {};
  const auto& info = first_to_end->info;
  std::string left = days_left < 0
                         ? "EXPIRED"
                         : fmt::format("{} day{} left", days_left, days_left == 1 ? "" : "s");
  if (is_temporary(*first_to_end)) left = "a temporary certificate";
  if (certificates == 1) return fmt::format("certificate {}: {}", info.shown(), left);
  return fmt::format("{} certificates, the first to end is {}: {}", certificates, info.shown(),
                     left);
}

ExpiryWatch::ExpiryWatch(Stats& stats)
    : stats_(stats),
      count_(stats.gauge("certificates", "certificates", "Certificates that are served.")),
      days_left_(stats.gauge("certificate_days_left", "days",
                             "Whole days until the first served certificate ends; negative: one "
                             "has ended; 0 without certificates.")),
      troubled_(stats.gauge("certificates_in_trouble", "certificates",
                            "Served certificates that have ended, soon end, or are temporary.")),
      refused_(stats.gauge("certificates_refused", "certificates",
                           "Served certificates whose successor is there and does not load.")) {}

void ExpiryWatch::look(const std::vector<ServedCertificate>& served, WallTime now, Log& log) {
  health_ = {};
  health_.certificates = served.size();
  health_.served = served;
  std::int64_t refused = 0;
  for (const auto& certificate : served) {
    say(certificate, now, log);
    refused += certificate.problem.empty() ? 0 : 1;
    if (auto trouble = trouble_of(certificate, now); !trouble.empty())
      health_.troubles.push_back(std::move(trouble));
  }
  std::erase_if(said_, [&](const auto& said) {
    return std::ranges::none_of(
        served, [&](const auto& one) { return one.info.fingerprint == said.first; });
  });
  const auto first = std::ranges::min_element(
      served, {}, [](const auto& certificate) { return certificate.info.not_after; });
  if (first != served.end()) {
    health_.first_to_end = *first;
    health_.days_left = std::chrono::floor<Days>(first->info.not_after - now).count();
  }
  count_.set(static_cast<std::int64_t>(served.size()));
  days_left_.set(health_.days_left);
  troubled_.set(static_cast<std::int64_t>(health_.troubles.size()));
  refused_.set(refused);
  show_ends(served);
}

/// One whose end has come stays: what vanishes when it has expired warns nobody.
void ExpiryWatch::show_ends(const std::vector<ServedCertificate>& served) {
  std::vector<std::pair<Labels, std::int64_t>> ends;
  for (const auto& certificate : served) {
    const auto end =
        std::chrono::floor<std::chrono::seconds>(certificate.info.not_after.time_since_epoch());
    ends.push_back(
        {{{"name", certificate.info.shown()}, {"key", certificate.info.key}}, end.count()});
  }
  stats_.replace("certificate_not_after", "timestamp",
                 "When a served certificate ends, as a Unix time in seconds.", ends);
}

void ExpiryWatch::say(const ServedCertificate& certificate, WallTime now, Log& log) {
  const auto& info = certificate.info;
  const Mark* mark = mark_of(info, now);
  if (mark == nullptr || is_temporary(certificate)) return;
  const auto [said, first] = said_.try_emplace(info.fingerprint, mark->days);
  if (!first && said->second <= mark->days) return;
  said->second = mark->days;
  if (mark->days == 0) {
    log.print(mark->level, "{} HAS EXPIRED: it ended at {}", described(certificate),
              in_words(info.not_after));
  } else {
    log.print(mark->level, "{} ends in {}, at {}", described(certificate),
              in_words(std::chrono::duration_cast<Duration>(info.not_after - now)),
              in_words(info.not_after));
  }
}

}  // namespace gatescope::tls
