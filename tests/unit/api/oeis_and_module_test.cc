// The whole of the API with an OEIS that answers, fails, and is asked by two gatescopes.

#include <algorithm>

#include "tests/support/oeis_stand_in.h"
#include "tests/unit/api/module_fixture.h"
#include "tests/unit/api/pg_cluster.h"

namespace gatescope::api {
namespace {

using test::OeisReply;
using test::OeisStandIn;

constexpr std::string_view kText = "text/plain; charset=utf-8";

TEST_CASE("what a browser is told when OEIS fails, and that nothing of it is kept") {
  ModuleFixture f;
  OeisStandIn oeis(*f.loop);
  const auto handler =
      f.start("state_dir " + (f.folder / "state") + "; numberscope { oeis " + oeis.url() + "; }");
  CHECK(f.get_at_last(*handler, "/api/get_oeis_values/A000001/1").starts_with("200 Error: "));
  // What others may have changed before is heard of: only then nothing that is known is forgotten.
  REQUIRE(f.until([&] { return f.counter("database_listens") > 0; }));
  const auto whole = OeisReply::sized(200, kText, "1 1\n2 2\n");
  auto slow = OeisReply::sized(200, kText, std::string(1000, '7'));
  slow.drip = Duration(20);
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
  struct Case {
    OeisReply reply;
    std::string told;
  };
  const Case cases[] = {
      {OeisStandIn::not_found(), "B-file for ID 'A0000NN' not found in OEIS."},
      {OeisReply::sized(500, "text/html", "oops"), "500 Server Error: Internal Server Error"},
      {slow, "Timeout"},
      {OeisReply(whole).cut_off(whole.bytes.size() - 5), "No connection"},
      {OeisReply::redirect("/A000014/b000014.txt"), "Too many redirects"},
      {{.bytes = head + "Content-Length: 1073741824\r\n\r\n", .noise = 1u << 30},
       "Answer too large"},
      {OeisReply::sized(200, "text/html; charset=utf-8", "<html>1 1"),
       "Unexpected content type text/html; charset=utf-8"},
      {OeisReply::sized(200, "application/json", "[]"), "Unexpected content type application/json"},
      {OeisReply::sized(200, kText, "1 1\n2 two\n"), "Unparseable b-file line for ID 'A0000NN'"},
      {OeisReply::sized(200, kText, ""), "No terms found for ID 'A0000NN'."},
      {OeisStandIn::too_fast(),
       "503 Server Error: Service Unavailable"},  // the last: it rests then
  };
  unsigned number = 10;
  for (const Case& c : cases) {
    const std::string id = SequenceId(number).text(), digits = std::to_string(number++);
    std::string told = c.told;
    if (const auto place = told.find("NN"); place != std::string::npos)
      told.replace(place, 2, digits);
    INFO(id << " " << told);
    oeis.reply_to("/" + id + "/b" + id.substr(1) + ".txt", c.reply);
    // A slow machine may be late where OEIS takes most of the deadline; then it is known already
    std::optional<Asked> held;
    for (int turn = 0; turn < 3 && (!held || held->writer.status_code == 503); ++turn) {
      held.emplace(*f.loop, *handler, "/api/get_oeis_values/" + id + "/5");
      REQUIRE(f.until([&] { return held->writer.ended; }));
    }
    const Asked& asked = *held;
    CHECK(asked.writer.status_code == 200);
    CHECK(asked.writer.body.starts_with("Error: " + told));
    CHECK(asked.writer.sent.content_type == kText);
    CHECK(asked.writer.header("Cache-Control") == "no-store");
    CHECK(asked.writer.header("Access-Control-Allow-Origin") == "*");
  }
  oeis.behave();
  // What did not answer in time may do so later; what it does not know it is not asked for again.
  const auto times = [&](unsigned n) {
    const std::string id = SequenceId(n).text();
    return std::count_if(oeis.requests.begin(), oeis.requests.end(), [&](const auto& request) {
      return request.target == "/" + id + "/b" + id.substr(1) + ".txt";
    });
  };
  const std::string again = f.get(*handler, "/api/get_oeis_values/A000010/5");
  CAPTURE(again, f.log.text());
  CHECK(again.find("not found in OEIS") != std::string::npos);
  CHECK(times(10) == 1);
}

/// Another gatescope on the same loop, as it would be on another machine.
struct Gatescope {
  ModuleFixture& world;
  Stats stats;
  OwnLogOpener logs;
  LogFiles log_files{logs};
  ApiModule module;
  Loaded loaded;
  std::unique_ptr<http::Handler> handler;

  Gatescope(ModuleFixture& w, const std::string& text)
      : world(w), module(*w.loop, stats, log_files, w.clock), loaded(module, text) {
    handler = std::move(module.make(loaded.scope()).value());
    REQUIRE(module.apply(loaded.main, w.shared_log()));
    CHECK(w.until([&] { return counter("database_listens") == 1; }));
  }
  ~Gatescope() {
    bool stopped = false;
    module.stop([&] { stopped = true; });
    CHECK(world.until([&] { return stopped; }));
  }
  std::int64_t counter(std::string_view name) { return stats.counter(name, "", "").value(); }
};

TEST_CASE("two gatescopes asked for the same at once: one fetches it, one factors it") {
  OpenFolder folder;
  PgCluster cluster(folder / "a");
  cluster.init();
  cluster.start();
  REQUIRE(cluster.running());
  ModuleFixture world;
  OeisStandIn oeis(*world.loop);
  std::string fibonacci;
  std::uint64_t a = 0, b = 1;
  for (int i = 0; i < 90; ++i) {
    fibonacci += (i == 0 ? "" : ",") + std::to_string(a);
    b = std::exchange(a, b) + b;
  }
  oeis.add_entry(45, "Fibonacci numbers.", fibonacci, 0);
  const std::string text = "state_dir " + (world.folder / "state") + "; numberscope { oeis " +
                           oeis.url() + "; database \"host=" + cluster.socket_folder() +
                           " dbname=postgres user=postgres\"; }";
  Gatescope one(world, text), two(world, text);
  const auto ask_both = [&](const std::string& path) {
    const Asked first(*world.loop, *one.handler, path), second(*world.loop, *two.handler, path);
    REQUIRE(
        world.until([&] { return first.writer.ended && second.writer.ended; }, Duration(15'000)));
    CHECK(first.writer.status_code == 200);
    CHECK(first.writer.body == second.writer.body);
    return first.writer.body;
  };
  CHECK(ask_both("/api/get_oeis_name_and_values/A000045").find(R"("89":"1779979416004714189")") !=
        std::string::npos);
  CHECK(std::count_if(oeis.requests.begin(), oeis.requests.end(), [](const auto& request) {
          return request.target == "/A000045/b000045.txt";
        }) == 1);
  const std::string factors = ask_both("/api/get_oeis_factors/A000045/0");
  CHECK(factors.find(R"("89":"[1069, 1; 1665088321800481, 1]")") != std::string::npos);
  CHECK(factors.find(kNoFactorsYet) == std::string::npos);
  const auto given = one.counter("api_numbers_given") + two.counter("api_numbers_given");
  CHECK(given == 89);  // 1 is there twice
}

}  // namespace
}  // namespace gatescope::api
