#pragma once

// An API whose database is taken away. Whatever is asked meanwhile is answered whole or told to
// come again.

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tests/unit/api/module_fixture.h"

namespace gatescope::api {

inline constexpr unsigned kFirst = 41, kLast = 60;

inline std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::string path_of(unsigned number) {
  return "/api/get_oeis_values/" + SequenceId(number).text() + "/0";
}

inline std::string answer_of(unsigned number) {
  const std::string n = std::to_string(number);
  return "{\"id\":\"" + SequenceId(number).text() + "\",\"name\":\"Number " + n +
         ".\",\"values\":{\"1\":\"" + n + "\",\"2\":\"-1\"}}\n";
}

struct LossFixture : ModuleFixture {
  std::unique_ptr<http::Handler> handler;
  std::string cached;  // the answer that is in memory

  /// `database`: the directive; none: an embedded one. `state`: its folder; none: our own.
  explicit LossFixture(const std::string& database = {}, const std::string& state = {}) {
    for (unsigned n = kFirst; n <= kLast + 1; ++n)
      write_entry(n, std::to_string(n) + ",-1", "Number " + std::to_string(n) + ".");
    handler =
        start("state_dir " + (state.empty() ? folder / "state" : state) +
              "; numberscope { oeis off; oeisdata " + (folder / "data") + "; " + database + " }");
    // Who begins to listen looks at everything again
    CHECK(until([&] { return counter("database_listens") == 1; }));
    cached = get_at_last(*handler, path_of(40));
    CHECK(cached.starts_with("200 "));
  }

  std::vector<std::unique_ptr<Asked>> ask(unsigned first, unsigned last) {
    std::vector<std::unique_ptr<Asked>> asked;
    for (unsigned n = first; n <= last; ++n)
      asked.push_back(std::make_unique<Asked>(*loop, *handler, path_of(n)));
    return asked;
  }
  static long ended(const std::vector<std::unique_ptr<Asked>>& asked) {
    return std::count_if(asked.begin(), asked.end(), [](const auto& a) { return a->writer.ended; });
  }
  void check_memory() {
    const Asked asked(*loop, *handler, path_of(40));
    CHECK(asked.writer.ended);  // at once: no turn of the loop is needed
    CHECK("200 " + asked.writer.body == cached);
  }
  /// The same when the database may be back, and is asked whether that is still right.
  void check_known() { CHECK(get(*handler, path_of(40)) == cached); }
  static void check_come_again(const Asked& asked) {
    CHECK(asked.writer.status_code == 503);
    CHECK(asked.writer.header("Retry-After") == "5");
    CHECK(asked.writer.header("Cache-Control") == "no-store");
  }
  /// Waits until all are answered, whole or told to come again.
  void check_in_order(const std::vector<std::unique_ptr<Asked>>& asked, unsigned first) {
    REQUIRE(
        until([&] { return ended(asked) == static_cast<long>(asked.size()); }, Duration(10'000)));
    for (std::size_t i = 0; i < asked.size(); ++i) {
      INFO(first + i);
      if (asked[i]->writer.status_code == 200)
        CHECK(asked[i]->writer.body == answer_of(first + static_cast<unsigned>(i)));
      else
        check_come_again(*asked[i]);
    }
  }
  /// All is well again, without anybody's help.
  void check_recovered() {
    check_known();
    for (unsigned n = kFirst; n <= kLast; ++n)
      CHECK(get_at_last(*handler, path_of(n)) == "200 " + answer_of(n));
    CHECK(get_at_last(*handler, path_of(kLast + 1)) == "200 " + answer_of(kLast + 1));
    CHECK(counter("api_sequences_waiting") == 0);
  }
};

}  // namespace gatescope::api
