#include "proxy/ops/status_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "proxy/base/text.h"
#include "proxy/base/time_words.h"

namespace gatescope::ops {

namespace {

using ScreenJson = nlohmann::json;

constexpr std::size_t kWidth = 80, kLabel = 15;
constexpr std::size_t kMostCertificates = 3, kMostProblems = 8;

/// A number or 0, a text or "", wherever it is missing or something else.
double number_at(const ScreenJson& json, const char* pointer) {
  const ScreenJson::json_pointer at(pointer);
  return json.contains(at) && json[at].is_number() ? json[at].get<double>() : 0;
}
long long whole_at(const ScreenJson& json, const char* pointer) {
  return static_cast<long long>(number_at(json, pointer));
}
std::string text_at(const ScreenJson& json, const char* pointer) {
  const ScreenJson::json_pointer at(pointer);
  return json.contains(at) && json[at].is_string() ? json[at].get<std::string>() : std::string();
}
bool there(const ScreenJson& json, const char* pointer) {
  const ScreenJson::json_pointer at(pointer);
  return json.contains(at) && !json[at].is_null();
}

std::string bytes_in_words(double bytes) {
  const char* const units[] = {"bytes", "KB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < std::size(units); ++unit)
    bytes /= 1024;
  return fmt::format("{:.{}f} {}", bytes, unit > 0 && bytes < 10 ? 1 : 0, units[unit]);
}

std::string ago(long long seconds) {
  if (seconds == 1) return "1 second";
  if (seconds < 120) return fmt::format("{} seconds", std::max(0LL, seconds));
  return in_words(Duration(1000 * seconds));
}

/// Builds the lines; colours only where they are wanted.
class Screen {
 public:
  explicit Screen(bool colours) : colours_(colours) {}
  enum class Tone { Plain, Good, Bad, Dim };

  void row(std::string_view label, const std::string& text, Tone tone = Tone::Plain) {
    text_ +=
        painted(fmt::format("{:<{}}", label, kLabel), Tone::Dim) + painted(cut(text), tone) + "\n";
  }
  /// As many lines as it needs, broken at blanks.
  void paragraph(std::string_view mark, std::string_view text, Tone tone) {
    std::string line(mark);
    for (const auto word : split(text, ' ')) {
      if (line.size() + 1 + word.size() > kWidth && line.size() > mark.size()) {
        text_ += painted(line, tone) + "\n";
        line.assign(mark.size(), ' ');
      }
      if (line.size() > mark.size()) line += ' ';
      line += word;
    }
    text_ += painted(line, tone) + "\n";
  }
  std::string take() && { return std::move(text_); }

 private:
  static std::string cut(const std::string& text) {
    return text.size() <= kWidth - kLabel ? text : text.substr(0, kWidth - kLabel - 3) + "...";
  }
  std::string painted(const std::string& text, Tone tone) const {
    const char* const codes[] = {"", "\033[32m", "\033[1;31m", "\033[2m"};
    if (!colours_ || tone == Tone::Plain) return text;
    return codes[static_cast<int>(tone)] + text + "\033[0m";
  }
  const bool colours_;
  std::string text_;
};

using Tone = Screen::Tone;

/// What comes from outside (names in a certificate, a file's name) may hold anything.
std::string shown(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 32 || c == 127) c = '?';
  return text;
}

void show_traffic(const ScreenJson& json, Screen& screen) {
  screen.row(
      "connections",
      fmt::format("{} open of {}, {} waiting; {} accepted", whole_at(json, "/connections/active"),
                  whole_at(json, "/connections/most"), whole_at(json, "/connections/waiting"),
                  whole_at(json, "/connections/accepted")));
  const auto window = [&](const char* name, const std::string& at) {
    const auto errors = whole_at(json, (at + "/errors").c_str());
    screen.row(name,
               fmt::format("{:.1f} requests/s, p50 {:.4g} ms, p99 {:.4g} ms, {} errors",
                           number_at(json, (at + "/requests_per_second").c_str()),
                           number_at(json, (at + "/p50_ms").c_str()),
                           number_at(json, (at + "/p99_ms").c_str()), errors),
               errors > 0 ? Tone::Bad : Tone::Plain);
  };
  window("last minute", "/last_minute");
  window("five minutes", "/last_five_minutes");
  screen.row("requests",
             fmt::format("{} since the start, {} at the moment; {} sent",
                         whole_at(json, "/requests/total"), whole_at(json, "/requests/active"),
                         bytes_in_words(number_at(json, "/bytes/sent"))));
}

void show_caches(const ScreenJson& json, Screen& screen) {
  const auto rate = [&](const std::string& at) {
    return there(json, (at + "/hit_rate").c_str())
               ? fmt::format("{:.0f} % from memory",
                             100 * number_at(json, (at + "/hit_rate").c_str()))
               : std::string("not asked yet");
  };
  std::string text =
      fmt::format("files {} ({}, {})", rate("/file_cache"), whole_at(json, "/file_cache/files"),
                  bytes_in_words(number_at(json, "/file_cache/memory")));
  if (there(json, "/api_cache")) text += ", API " + rate("/api_cache");
  screen.row("caches", text);
}

void show_api(const ScreenJson& json, Screen& screen) {
  if (there(json, "/database")) {
    const bool up = json["database"].value("up", false);
    screen.row("database",
               fmt::format("{}{}, {} jobs now, {} failures", up ? "up" : "DOWN",
                           json["database"].value("embedded", false) ? " (embedded)" : "",
                           whole_at(json, "/database/jobs"), whole_at(json, "/database/failures")),
               up ? Tone::Plain : Tone::Bad);
  }
  if (there(json, "/oeis")) {
    const auto breaker = text_at(json, "/oeis/breaker");
    screen.row(
        "OEIS",
        fmt::format("{}, {} requests, {} failures, {} waiting",
                    breaker == "closed" ? "asked when needed" : "left alone (" + breaker + ")",
                    whole_at(json, "/oeis/requests"), whole_at(json, "/oeis/failures"),
                    whole_at(json, "/oeis/waiting")),
        breaker == "closed" ? Tone::Plain : Tone::Bad);
  }
  if (there(json, "/factoring"))
    screen.row(
        "factoring",
        fmt::format("{} of {} workers busy, {} sequences and {} numbers wait",
                    whole_at(json, "/factoring/busy"), whole_at(json, "/factoring/workers"),
                    whole_at(json, "/factoring/sequences"), whole_at(json, "/factoring/numbers")));
  if (!json.contains("upstreams") || !json["upstreams"].is_array()) return;
  for (const auto& group : json["upstreams"]) {
    const auto usable = whole_at(group, "/usable"), servers = whole_at(group, "/servers");
    screen.row("upstream",
               fmt::format("{}: {} of {} servers usable, {} requests, {} failures",
                           shown(text_at(group, "/name")), usable, servers,
                           whole_at(group, "/requests"), whole_at(group, "/failures")),
               usable < servers ? Tone::Bad : Tone::Plain);
  }
}

/// Those that end first.
void show_certificates(const ScreenJson& json, Screen& screen) {
  if (!json.contains("certificates") || !json["certificates"].is_array()) return;
  std::vector<ScreenJson> all(json["certificates"].begin(), json["certificates"].end());
  std::ranges::stable_sort(all, {}, [](const auto& one) { return whole_at(one, "/not_after"); });
  for (std::size_t i = 0; i < all.size() && i < kMostCertificates; ++i) {
    const auto days = whole_at(all[i], "/days_left");
    const bool bad = days < 7 || all[i].value("temporary", false);
    screen.row(i == 0 ? "certificates" : "",
               fmt::format("{}: {}{}", shown(text_at(all[i], "/names")),
                           days < 0 ? std::string("HAS ENDED") : fmt::format("{} days left", days),
                           all[i].value("temporary", false) ? ", temporary" : ""),
               bad ? Tone::Bad : Tone::Plain);
  }
  if (all.size() > kMostCertificates)
    screen.row("", fmt::format("and {} more, which end later", all.size() - kMostCertificates));
}

void show_reload(const ScreenJson& json, long long now, Screen& screen) {
  if (!there(json, "/reloads/last"))
    return screen.row("last reload", fmt::format("none since the start (configuration {})",
                                                 whole_at(json, "/generation")));
  const bool good = json["reloads"]["last"].value("good", false);
  screen.row(
      "last reload",
      fmt::format("{} ago, {} (configuration {})", ago(now - whole_at(json, "/reloads/last/at")),
                  good ? "taken" : "REFUSED", whole_at(json, "/generation")),
      good ? Tone::Plain : Tone::Bad);
  if (!good) screen.paragraph("    ", shown(text_at(json, "/reloads/last/error")), Tone::Bad);
}

}  // namespace

Result<std::string> status_screen(std::string_view text, bool colours) {
  const auto json = ScreenJson::parse(text, nullptr, false);
  if (!json.is_object())
    return make_error(ErrorKind::Protocol, Origin::Internal,
                      "the running gatescope gave an answer that is no status: is it of another "
                      "version?");
  Screen screen(colours);
  const bool healthy = json.value("healthy", false);
  const auto now = whole_at(json, "/now");
  screen.row("gatescope", fmt::format("{} ({}), process {}, {} for {}", text_at(json, "/version"),
                                      text_at(json, "/commit"), whole_at(json, "/pid"),
                                      text_at(json, "/state"), ago(whole_at(json, "/uptime"))));
  screen.row("health", healthy ? "good" : "NOT GOOD, see below", healthy ? Tone::Good : Tone::Bad);
  show_traffic(json, screen);
  show_caches(json, screen);
  show_api(json, screen);
  show_certificates(json, screen);
  const auto lost = whole_at(json, "/log_lines_lost");
  screen.row("logs", fmt::format("{} lines lost", lost), lost > 0 ? Tone::Bad : Tone::Plain);
  screen.row("memory", bytes_in_words(number_at(json, "/memory/resident")));
  show_reload(json, now, screen);
  if (json.contains("problems") && json["problems"].is_array()) {
    std::size_t told = 0;
    for (const auto& problem : json["problems"])
      if (problem.is_string() && told++ < kMostProblems)
        screen.paragraph("  ! ", shown(problem.get<std::string>()), Tone::Bad);
    if (told > kMostProblems)
      screen.paragraph("  ! ", fmt::format("and {} more", told - kMostProblems), Tone::Bad);
  }
  return std::move(screen).take();
}

}  // namespace gatescope::ops
