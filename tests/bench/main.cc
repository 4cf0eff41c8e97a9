// bench_load GATESCOPE [--nginx PATH] [--haproxy PATH] [--loops N] [--quick] [SCENARIO...]:
// measures, and prints a table. Figures depend on the machine and on what else runs on it; nothing
// is judged here.

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "tests/bench/scenarios.h"

using namespace gatescope::bench;

namespace {

struct Scenario {
  const char* name;
  Figures (*run)(const Settings&);
};
constexpr Scenario kScenarios[] = {{"small", small},   {"reload", reload},  {"crash", crash},
                                   {"idle", idle},     {"slow", slow},      {"api", api},
                                   {"search", search}, {"proxied", proxied}};

void print(const Scenario& scenario, const Settings& settings) {
  fmt::print("{:8} {}, worker_processes {}\n", scenario.name, settings.program.name,
             settings.loops);
  for (const auto& [name, value] : scenario.run(settings))
    fmt::print("    {:42} {}\n", name, value);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  std::vector<Settings> measured;
  std::vector<std::string> wanted;
  Settings ours;
  std::string nginx;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--nginx" && i + 1 < argc) {
      nginx = argv[++i];
    } else if (word == "--haproxy" && i + 1 < argc) {
      ours.beside.push_back({.name = "haproxy", .path = argv[++i], .is_haproxy = true});
    } else if (word == "--loops" && i + 1 < argc) {
      ours.loops = static_cast<unsigned>(std::atoi(argv[++i]));
    } else if (word == "--quick") {
      ours.quick = true;
    } else if (ours.program.path.empty()) {
      ours.program = {"gatescope", word};
    } else {
      wanted.push_back(word);
    }
  }
  if (ours.program.path.empty()) {
    fmt::print(stderr,
               "usage: bench_load GATESCOPE [--nginx PATH] [--haproxy PATH] [--loops N] [--quick] "
               "[SCENARIO...]\n");
    return 2;
  }
  if (!nginx.empty()) ours.beside.insert(ours.beside.begin(), {"nginx", nginx, true});
  raise_descriptors();
  for (const auto& scenario : kScenarios) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), scenario.name) == wanted.end())
      continue;
    print(scenario, ours);
    if (nginx.empty() || scenario.run == proxied) continue;
    Settings other = ours;
    other.program = {"nginx", nginx, true};
    print(scenario, other);
  }
  return 0;
}
