// What a server with all of OEIS costs, and what a search at each key press takes.

#include <fmt/format.h>
#include <sys/wait.h>

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include "tests/bench/asker.h"
#include "tests/bench/oeis/make_tree.h"
#include "tests/bench/scenarios.h"

namespace gatescope::bench {

namespace {

using namespace std::chrono_literals;

constexpr const char* kWords[] = {"prime numbers", "fibonacci", "euler totient", "1,1,2,3,5,8",
                                  "A00004",        "catalan",   "partitions",    "divisors of n",
                                  "triangular",    "fibonaci"};

// RSA-100: days of work.
constexpr const char* kHard =
    "15226050279225333605356183781326374297180681149613806886579084945801229632589528976540003506"
    "92006139";

/// Every prefix of every word, as it is typed; each `variant` (0 to 15) in letters of other sizes,
/// so that none is answered from memory.
std::vector<std::string> key_presses(unsigned variant) {
  std::vector<std::string> paths;
  for (const char* word : kWords) {
    std::string typed;
    for (std::size_t i = 0; word[i] != '\0'; ++i) {
      const bool large = (variant >> i % 4 & 1) != 0;
      typed += word[i] == ' ' ? std::string("%20")
                              : std::string(1, static_cast<char>(large ? std::toupper(word[i])
                                                                       : std::tolower(word[i])));
      paths.push_back("/api/search_oeis/" + typed);
    }
  }
  return paths;
}

Seen type(Reactor& reactor, std::uint16_t port, unsigned first_variant, unsigned variants) {
  Seen seen;
  for (unsigned v = first_variant; v < first_variant + variants; ++v) {
    Asker asker(reactor, nullptr, {.port = port, .paths = key_presses(v), .pause = 2ms}, seen);
    reactor.run_until(
        60s, [&] { return asker.done(); }, [&] { asker.tick(); });
  }
  return seen;
}

bool ask_once(Reactor& reactor, std::uint16_t port, const std::string& path) {
  Seen seen;
  Asker asker(reactor, nullptr, {.port = port, .keep = false, .paths = {path}}, seen);
  reactor.run_until(
      15s, [&] { return asker.done(); }, [&] { asker.tick(); });
  return seen.ok == 1;
}

std::string shown(Seen& seen) {
  return fmt::format("{} key presses: median {:.2f} ms, p99 {:.2f} ms, failed {}", seen.ok,
                     seen.percentile(0.5), seen.percentile(0.99), seen.failed());
}

}  // namespace

Figures search(const Settings& settings) {
  if (settings.program.is_nginx) return {};
  const std::uint32_t entries = settings.quick ? 39'000 : 390'000;
  const std::uint16_t port = free_port();
  MeasuredServer server(settings.program, "", "");
  const std::string& folder = server.folder();
  if (make_tree(folder + "/data", entries) != 0) return {{"search", "no tree"}};
  std::filesystem::create_directories(folder + "/data/seq/A900");
  std::ofstream(folder + "/data/seq/A900/A900001.seq")
      << "%I A900001\n%S A900001 " << kHard << "\n%N A900001 Hard.\n%O A900001 1,1\n";
  std::filesystem::create_directory(folder + "/state");
  std::filesystem::permissions(folder + "/state", std::filesystem::perms(0755));
  server.set_main(
      fmt::format("worker_processes {}; state_dir {}/state; numberscope {{ database embedded; "
                  "oeis off; oeisdata {}/data; factor_workers 1; }}",
                  settings.loops, folder, folder));
  server.configure(fmt::format(
      "server {{ listen 127.0.0.1:{}; location /api/ {{ numberscope_api; }} }}\n", port));
  Figures figures;
  const Time imports = now();
  const std::string import = fmt::format("{} -p {}/ -c {}/server.conf oeis import -q {}/data",
                                         settings.program.path, folder, folder, folder);
  if (std::system(import.c_str()) != 0) return {{"import", "failed: " + import}};
  figures.emplace_back(
      "import", fmt::format("{} entries in {:.1f} s", entries, ms_between(imports, now()) / 1e3));
  const Time starts = now();
  if (!server.start()) return {{"search", "does not start"}};
  Reactor reactor;
  figures.emplace_back("it listens after", fmt::format("{:.0f} ms", ms_between(starts, now())));
  while (!ask_once(reactor, port, "/api/search_oeis/fibonacci"))
    if (now() - starts > 120s) return {{"search", "no answer"}};
  figures.emplace_back("it finds after", fmt::format("{:.0f} ms", ms_between(starts, now())));
  figures.emplace_back("memory, with its index",
                       fmt::format("{:.0f} MB", static_cast<double>(server.memory()) / 1e6));
  auto alone = type(reactor, port, 0, 8);
  figures.emplace_back("search", shown(alone));
  // Partly answered after ten seconds; the work goes on in the background.
  if (!ask_once(reactor, port, "/api/get_oeis_factors/A900001/1"))
    figures.emplace_back("factors", "not answered");
  auto beside = type(reactor, port, 8, 8);
  figures.emplace_back("search beside a factorisation", shown(beside));
  figures.emplace_back("p99, beside it and alone",
                       fmt::format("x{:.2f}", beside.percentile(0.99) / alone.percentile(0.99)));
  return figures;
}

}  // namespace gatescope::bench
