#pragma once

#include <string>
#include <vector>

#include "tests/bench/server.h"

namespace gatescope::bench {

struct Settings {
  Program program;
  unsigned loops = 1;                // worker_processes
  bool quick = false;                // a tenth of everything
  unsigned rounds = 5;               // of serving: how often each is measured
  std::size_t connections = 10'000;  // idle ones; 0: serving leaves them out
  std::string plot, table;           // files that serving writes: SVG, Markdown; empty: none
  std::vector<Program> beside;       // for scenarios that measure several programs in one run
};

/// What a scenario found: lines of a table, "name: value". Each takes a bounded time.
using Figures = std::vector<std::pair<std::string, std::string>>;

/// What is done most: files, handshakes, proxying, the API, idle connections; beside nginx in
/// alternation, with the same configuration.
Figures serving(const Settings& settings);
/// 1000 reloads under load: every tenth with another certificate, every tenth with a broken file.
Figures reload(const Settings& settings);
/// kill -9 of the worker under load, ten times. Needs root (a keeper, a master).
Figures crash(const Settings& settings);
/// Idle TLS connections of both versions of HTTP: what each costs.
Figures idle(const Settings& settings);
/// 1000 slow readers of 10 MB, 1000 slow writers of heads, 1000 of bodies: what each costs, and
/// what another client notices.
Figures slow(const Settings& settings);
/// CPU time per request of small answers on kept connections, and how they spread over loops.
Figures small(const Settings& settings);
/// CPU time of proxied answers: small ones, and 10 MB both ways, buffered and streamed; beside
/// others in alternation, with ratios.
Figures proxied(const Settings& settings);
/// CPU time per answer of the API, beside a static file of the same bytes.
Figures api(const Settings& settings);
/// The API with 390,000 entries: import, start, memory, and a search at each key press, alone and
/// beside a factorisation that has no end.
Figures search(const Settings& settings);

}  // namespace gatescope::bench
