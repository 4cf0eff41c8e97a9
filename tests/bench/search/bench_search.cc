// What search costs and how well it ranks on real lists:
//   bench_search names.gz stripped.gz [--seq FOLDER] [--entries N] [--judge] [--find TERM]

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <string_view>

#include "api/search_index.h"
#include "tests/bench/search/entries.h"
#include "tests/unit/api/search_table.h"

namespace {

using namespace gatescope;
using Steady = std::chrono::steady_clock;

double ms_since(Steady::time_point begin) {
  return std::chrono::duration<double, std::milli>(Steady::now() - begin).count();
}

/// What this thread has computed: on a machine with other work, time on the clock says little.
double computed_ms() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

/// Resident now and at most, MB.
void print_memory(const char* when) {
  std::ifstream status("/proc/self/status");
  std::string text;
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS") || line.starts_with("VmHWM")) text += " " + line;
  std::printf("%s:%s\n", when, text.c_str());
}

void time_queries(const char* what, const api::SearchIndex& index,
                  const std::vector<std::string>& queries, int rounds) {
  std::vector<double> times, computed;
  std::string slowest;
  double most = 0;
  std::size_t found = 0;
  for (int round = 0; round < rounds; ++round) {
    for (const auto& query : queries) {
      const auto begin = Steady::now();
      const double cpu = computed_ms();
      found += index.find(query).size();
      computed.push_back(computed_ms() - cpu);
      times.push_back(ms_since(begin));
      if (computed.back() > most) {
        most = computed.back();
        slowest = query;
      }
    }
  }
  std::sort(times.begin(), times.end());
  std::sort(computed.begin(), computed.end());
  std::printf(
      "%-20s clock: median %6.3f p99 %6.3f; cpu: median %6.3f p99 %6.3f most %6.3f ms "
      "(\"%.50s\"), found %.1f\n",
      what, times[times.size() / 2], times[times.size() * 99 / 100], computed[computed.size() / 2],
      computed[computed.size() * 99 / 100], most, slowest.c_str(),
      static_cast<double>(found) / static_cast<double>(times.size()));
}

std::vector<std::string> key_presses(std::string_view text) {
  std::vector<std::string> all;
  for (std::size_t i = 1; i <= text.size(); ++i)
    all.emplace_back(text.substr(0, i));
  return all;
}

template <class Table>
void rank(const char* what, const api::SearchIndex& index, const Table& table) {
  int first = 0, third = 0;
  for (const auto& query : table) {
    const auto found = index.find(query.term);
    std::size_t place = 0;
    while (place < found.size() && found[place].id.number() != query.number)
      ++place;
    if (place == 0 && !found.empty()) ++first;
    if (place < std::min<std::size_t>(3, found.size())) ++third;
    if (place == 0 && !found.empty()) continue;
    std::printf("  \"%.*s\": expected A%06u at %zu of %zu;", static_cast<int>(query.term.size()),
                query.term.data(), query.number, place + 1, found.size());
    for (std::size_t i = 0; i < std::min<std::size_t>(2, found.size()); ++i)
      std::printf(" %s %.60s |", found[i].id.text().c_str(), found[i].name.c_str());
    std::printf("\n");
  }
  std::printf("%s: expected first %d of %zu, in the first three %d\n", what, first, table.size(),
              third);
}

void time_all(const api::SearchIndex& index, const std::vector<bench::Entry>& entries) {
  std::vector<std::string> all;
  for (const char* text : {"prime numbers", "fibonacci", "euler totient", "1,1,2,3,5,8", "A0000",
                           "fibonaci", "eulre totient", "prime nubmers"}) {
    const auto presses = key_presses(text);
    time_queries(text, index, presses, 50);
    all.insert(all.end(), presses.begin(), presses.end());
  }
  time_queries("all of these", index, all, 20);
  std::vector<std::string> letters, runs, absent, names;
  for (char a = 'a'; a <= 'z'; ++a) {
    letters.push_back({a});
    for (char b = 'a'; b <= 'z'; ++b)
      letters.push_back({a, b});
  }
  std::mt19937 random(7);
  for (int i = 0; i < 400; ++i) {
    const auto& entry = entries[random() % entries.size()];
    const auto from = entry.terms.find(',', entry.terms.size() / 4);
    if (from != std::string::npos) runs.push_back(entry.terms.substr(from + 1, 4 + random() % 30));
    absent.push_back("qzx" + std::to_string(random()) + " wvut" + std::to_string(random()));
    names.push_back(entry.name.substr(0, 60));
  }
  time_queries("letters, 1 and 2", index, letters, 3);
  time_queries("runs of any entry", index, runs, 3);
  time_queries("words nobody has", index, absent, 3);
  time_queries("beginnings of names", index, names, 3);
  time_queries("common terms", index,
               {"1", "0", "1,", "1,1", "0,0", "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,7,3,1",
                "1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,1,1,1,1", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2,1",
                "1,2,3,4,5,6,7,8,9,10,11,12,13", "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0"},
               20);
  time_queries("stop words", index,
               {"a", "the", "of n", "number of", "a(n) = a(n-1)", "a a a a a a a a a a a a",
                "number of numbers n such that the sum of n is a number"},
               20);
}

}  // namespace

int main(int argc, char** argv) {
  std::string files[2], seq, find;
  std::size_t wanted = 0;
  int given = 0;
  bool judge = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--judge")
      judge = true;
    else if (arg == "--seq" && i + 1 < argc)
      seq = argv[++i];
    else if (arg == "--find" && i + 1 < argc)
      find = argv[++i];
    else if (arg == "--entries" && i + 1 < argc)
      wanted = std::strtoul(argv[++i], nullptr, 10);
    else if (given < 2)
      files[given++] = arg;
  }
  if (given < 2) {
    std::fprintf(stderr,
                 "usage: bench_search names.gz stripped.gz [--seq FOLDER] [--entries N] [--judge] "
                 "[--find TERM]\n");
    return 2;
  }
  auto entries = bench::read_entries(files[0], files[1], seq);
  const std::size_t real = entries.size();
  if (wanted > 0) bench::enlarge(entries, wanted);
  print_memory("lists read");
  double begin = computed_ms();
  api::SearchIndex::Builder builder;
  for (const auto& e : entries)
    builder.add({e.number, e.name, e.terms, e.refs, e.core, e.nice});
  const double added = computed_ms() - begin;
  begin = computed_ms();
  const auto index = builder.build(false);
  std::printf(
      "%zu entries (%zu real), %zu words, %zu terms: collected in %.0f ms, built in %.0f ms "
      "(cpu), "
      "%.1f MB\n",
      index->entries(), real, index->words(), index->terms(), added, computed_ms() - begin,
      static_cast<double>(index->bytes()) / 1e6);
  print_memory("built");
  if (!find.empty()) {
    for (const auto& found : index->find(find))
      std::printf("%s %s\n", found.id.text().c_str(), found.name.c_str());
    return 0;
  }
  rank("half to tune with", *index, api::kTuning);
  if (judge) rank("half to judge", *index, api::kJudging);
  time_all(*index, entries);
  return 0;
}
