// bench_load GATESCOPE [options] [SCENARIO...]:
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
constexpr Scenario kScenarios[] = {{"serving", serving}, {"small", small},   {"reload", reload},
                                   {"crash", crash},     {"idle", idle},     {"slow", slow},
                                   {"api", api},         {"search", search}, {"proxied", proxied}};

void print(const Scenario& scenario, const Settings& settings) {
  fmt::print("{:8} {}, worker_processes {}\n", scenario.name, settings.program.name,
             settings.loops);
  for (const auto& [name, value] : scenario.run(settings))
    fmt::print("    {:42} {}\n", name, value);
  std::fflush(stdout);
}

unsigned number(const char* text) {
  return static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  std::vector<std::string> wanted;
  Settings ours;
  std::string nginx;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool more = i + 1 < argc;
    if (word == "--nginx" && more) {
      nginx = argv[++i];
    } else if (word == "--haproxy" && more) {
      ours.beside.push_back({.name = "haproxy", .path = argv[++i], .is_haproxy = true});
    } else if (word == "--loops" && more) {
      ours.loops = number(argv[++i]);
    } else if (word == "--rounds" && more) {
      ours.rounds = std::max(1u, number(argv[++i]));
    } else if (word == "--connections" && more) {
      ours.connections = number(argv[++i]);
    } else if (word == "--plot" && more) {
      ours.plot = argv[++i];
    } else if (word == "--table" && more) {
      ours.table = argv[++i];
    } else if (word == "--quick") {
      ours.quick = true;
      ours.rounds = 1;
      ours.connections = 1000;
    } else if (ours.program.path.empty()) {
      ours.program = {"gatescope", word};
    } else {
      wanted.push_back(word);
    }
  }
  if (ours.program.path.empty()) {
    fmt::print(stderr,
               "usage: bench_load GATESCOPE [--nginx PATH] [--haproxy PATH] [--loops N] [--quick]\n"
               "  [--rounds N] [--connections N] [--plot SVG] [--table MARKDOWN] [SCENARIO...]\n");
    return 2;
  }
  if (!nginx.empty()) ours.beside.insert(ours.beside.begin(), {"nginx", nginx, true});
  raise_descriptors();
  for (const auto& scenario : kScenarios) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), scenario.name) == wanted.end())
      continue;
    print(scenario, ours);
    if (nginx.empty() || scenario.run == serving || scenario.run == proxied) continue;
    Settings other = ours;
    other.program = {"nginx", nginx, true};
    print(scenario, other);
  }
  return 0;
}
