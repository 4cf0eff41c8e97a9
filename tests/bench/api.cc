// What answers of the API cost, beside static files of the same bytes in the same run.

#include <fmt/format.h>

#include <algorithm>

#include "tests/bench/api_site.h"
#include "tests/bench/cost.h"
#include "tests/bench/scenarios.h"

namespace gatescope::bench {

using namespace std::chrono_literals;

Figures api(const Settings& settings) {
  if (settings.program.is_nginx) return {};
  const ApiSite site(settings.program, settings.loops);
  if (!site.up) return {{"api", "does not start"}};
  SSL_CTX* const tls = client_tls();
  const struct {
    const char *name, *path, *accept;
  } kCases[] = {
      {"values/A000040/128", "get_oeis_values/A000040/128", ""},
      {"values/A000040/128 br", "get_oeis_values/A000040/128", "br"},
      {"name_and_values/A000040", "get_oeis_name_and_values/A000040", ""},
      {"name_and_values/A000040 gzip", "get_oeis_name_and_values/A000040", "gzip"},
      {"name_and_values/A000040 br", "get_oeis_name_and_values/A000040", "br"},
      {"factors/A000045/100", "get_oeis_factors/A000045/100", ""},
      {"metadata/A000040", "get_oeis_metadata/A000040", ""},
      {"search/prime", "search_oeis/prime", ""},
  };
  Figures figures;
  for (const auto& c : kCases) {
    const std::string path = std::string("/api/") + c.path;
    const std::string body = site.fetch(tls, path);
    if (body.empty()) {
      figures.emplace_back(c.name, "not answered");
      continue;
    }
    site.server.write("html/same.json", body);
    const auto span = settings.quick ? 700ms : 1500ms;
    std::vector<Cost> answers, files;
    std::vector<double> ratios;
    for (int round = 0; round < (settings.quick ? 1 : 3); ++round) {
      answers.push_back(measure(tls, site.server,
                                {.port = site.port, .path = path, .accept_encoding = c.accept}, 16,
                                span));
      files.push_back(measure(
          tls, site.server, {.port = site.port, .path = "/same.json", .accept_encoding = c.accept},
          16, span));
      ratios.push_back(answers.back().us / files.back().us);
    }
    const auto median = [](auto list, auto of) {
      std::nth_element(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(list.size() / 2),
                       list.end(), [&](auto& a, auto& b) { return of(a) < of(b); });
      return of(list[list.size() / 2]);
    };
    const auto us = [](const Cost& cost) { return cost.us; };
    const auto rate = [](const Cost& cost) { return cost.rate; };
    const auto p99 = [](const Cost& cost) { return cost.p99; };
    std::uint64_t failed = 0;
    for (const auto& cost : answers)
      failed += cost.failed;
    figures.emplace_back(
        c.name,
        fmt::format("{:6} bytes: {:6.1f} us, file {:6.1f} us, x{:.2f}; {:6.0f}/s, file {:6.0f}/s; "
                    "p99 {:.1f} ms, file {:.1f} ms{}",
                    body.size(), median(answers, us), median(files, us),
                    median(ratios, [](double ratio) { return ratio; }), median(answers, rate),
                    median(files, rate), median(answers, p99), median(files, p99),
                    failed > 0 ? fmt::format("; {} FAILED", failed) : ""));
  }
  return figures;
}

}  // namespace gatescope::bench
