#include "api/oeis_list.h"

#include <fstream>
#include <vector>

#include "proxy/http/encoding.h"
#include "tests/support/catch.h"
#include "tests/unit/api/api_fixture.h"

namespace gatescope::api {
namespace {

struct Lists {
  OpenFolder folder;
  std::vector<std::string> lines, problems;

  std::string file(const std::string& text, bool packed = false) {
    const std::string path = folder / "list";
    std::ofstream(path, std::ios::binary) << (packed ? *http::encode_whole({}, text) : text);
    return path;
  }
  Result<OeisList::Holds> read(const std::string& path) {
    lines.clear();
    problems.clear();
    auto list = OeisList::open(path);
    if (!list) return list.error();
    const auto done = list->read(
        [&](const OeisList::Line& line) {
          lines.push_back(line.id.text() + "|" + std::string(line.text));
          return true;
        },
        [&](const std::string& problem) { problems.push_back(problem); });
    if (!done) return done.error();
    return list->holds();
  }
};
using Texts = std::vector<std::string>;

const std::string kNames =
    "# OEIS Sequence Names\n# Last Modified: May  7 04:28 EDT 2016\n#\n#\n"
    "A000001 Number of groups of order n.\nA000002 allocated for X\r\n\nA397217 \n";

TEST_CASE("a list of names, packed or not") {
  Lists lists;
  for (const bool packed : {false, true}) {
    CAPTURE(packed);
    CHECK(*lists.read(lists.file(kNames, packed)) == OeisList::Holds::Names);
    CHECK(lists.lines ==
          Texts{"A000001|Number of groups of order n.", "A000002|allocated for X", "A397217|"});
    CHECK(lists.problems.empty());
  }
}

TEST_CASE("a list of terms, what is no line of one is told with its place") {
  Lists lists;
  const auto path = lists.file(
      "# x\nA000001 ,0,1,-1,\nA000002 ,12345678901234567890123,\nA000003 ,,\nA000004 ,1,x,\n"
      "A0000055 ,1,\nnonsense\nA000006 ,7");
  CHECK(*lists.read(path) == OeisList::Holds::Terms);
  CHECK(lists.lines ==
        Texts{"A000001|0,1,-1", "A000002|12345678901234567890123", "A000003|", "A000006|7"});
  REQUIRE(lists.problems.size() == 3);
  CHECK(lists.problems[0] == "\"" + path + "\" line 5 is no line of terms");
}

TEST_CASE("a long list comes whole, in pieces of any size") {
  Lists lists;
  std::string text;
  for (int i = 1; i <= 30'000; ++i)
    text += SequenceId(static_cast<unsigned>(i)).text() + " " + std::string(i % 97 + 1, 'x') + "\n";
  for (const bool packed : {false, true}) {
    REQUIRE(lists.read(lists.file(text, packed)));
    CHECK(lists.lines.size() == 30'000);
    CHECK(lists.lines.back() == "A030000|" + std::string(30'000 % 97 + 1, 'x'));
    CHECK(lists.problems.empty());
  }
}

TEST_CASE("a packed list that is cut short or damaged is an error") {
  Lists lists;
  std::string text = kNames;
  for (int i = 0; i < 5000; ++i)
    text += "A" + std::to_string(100'000 + i * 7) + " name " + std::to_string(i * i) + "\n";
  const std::string packed = *http::encode_whole({}, text);
  CHECK(!lists.read(lists.file(packed.substr(0, packed.size() - 5))));
  CHECK(!lists.read(lists.file(packed.substr(0, 30))));
  std::string damaged = packed;
  damaged[packed.size() / 2] = static_cast<char>(~damaged[packed.size() / 2]);
  CHECK(!lists.read(lists.file(damaged)));
  CHECK(lists.read(lists.file(packed)));
}

TEST_CASE("what is no list at all is refused") {
  Lists lists;
  for (const char* text : {"", "\n\n", "# only a comment", "# comment\nhello\n", "%I A000040\n",
                           "\x1f\x8b\x08", "A000040\n"}) {
    CAPTURE(text);
    CHECK(!lists.read(lists.file(text)));
  }
  CHECK(!lists.read("/nonexistent/names.gz"));
}

}  // namespace
}  // namespace gatescope::api
