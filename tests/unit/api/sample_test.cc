#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "api/sample/sequences.h"
#include "api/sample/write_sample.h"
#include "tests/support/catch.h"

namespace gatescope::api {

namespace {

namespace fs = std::filesystem;

struct Expected {
  int number;
  std::string offset;
  std::string start;
};

/// What the encyclopedia has, by ascending number: not from our own generators.
const std::vector<Expected> kExpected = {
    {5, "1,2", "1,2,2,3,2,4,2,4,3,4,2,6,2,4,4,5,2,6,2,6"},
    {10, "1,3", "1,1,2,2,4,2,6,4,6,4,10,4,12,6,8,8,16,6,18,8"},
    {27, "1,2", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20"},
    {32, "0,1", "2,1,3,4,7,11,18,29,47,76,123,199,322,521,843,1364,2207,3571,5778,9349"},
    {40, "1,1", "2,3,5,7,11,13,17,19,23,29,31,37,41,43,47,53,59,61,67,71"},
    {41, "0,3", "1,1,2,3,5,7,11,15,22,30,42,56,77,101,135,176,231,297,385,490"},
    {45, "0,4", "0,1,1,2,3,5,8,13,21,34,55,89,144,233,377,610,987,1597,2584,4181"},
    {73, "0,5", "0,0,1,1,2,4,7,13,24,44,81,149,274,504,927,1705,3136,5768,10609,19513"},
    {79, "0,2",
     "1,2,4,8,16,32,64,128,256,512,1024,2048,4096,8192,16384,32768,65536,131072,262144,524288"},
    {108, "0,3",
     "1,1,2,5,14,42,132,429,1430,4862,16796,58786,208012,742900,2674440,9694845,35357670,129644790,"
     "477638700,1767263190"},
    {110, "0,3",
     "1,1,2,5,15,52,203,877,4140,21147,115975,678570,4213597,27644437,190899322,1382958545,"
     "10480142147,82864869804,682076806159,5832742205057"},
    {111, "0,4",
     "1,1,1,2,5,16,61,272,1385,7936,50521,353792,2702765,22368256,199360981,1903757312,19391512145,"
     "209865342976,2404879675441,29088885112832"},
    {120, "0,4", "0,1,1,2,1,2,2,3,1,2,2,3,2,3,3,4,1,2,2,3"},
    {129, "0,3",
     "0,1,2,5,12,29,70,169,408,985,2378,5741,13860,33461,80782,195025,470832,1136689,2744210,"
     "6625109"},
    {142, "0,3",
     "1,1,2,6,24,120,720,5040,40320,362880,3628800,39916800,479001600,6227020800,87178291200,"
     "1307674368000,20922789888000,355687428096000,6402373705728000"},
    {166, "0,4",
     "1,0,1,2,9,44,265,1854,14833,133496,1334961,14684570,176214841,2290792932,32071101049,"
     "481066515734,7697064251745,130850092279664,2355301661033953"},
    {203, "1,2", "1,3,4,7,6,12,8,15,13,18,12,28,14,24,24,31,18,39,20,42"},
    {217, "0,3", "0,1,3,6,10,15,21,28,36,45,55,66,78,91,105,120,136,153,171,190"},
    {244, "0,2",
     "1,3,9,27,81,243,729,2187,6561,19683,59049,177147,531441,1594323,4782969,14348907,43046721,"
     "129140163,387420489,1162261467"},
    {290, "0,3", "0,1,4,9,16,25,36,49,64,81,100,121,144,169,196,225,256,289,324,361"},
    {292, "0,3", "0,1,4,10,20,35,56,84,120,165,220,286,364,455,560,680,816,969,1140,1330"},
    {326, "0,3", "0,1,5,12,22,35,51,70,92,117,145,176,210,247,287,330,376,425,477,532"},
    {330, "0,3", "0,1,5,14,30,55,91,140,204,285,385,506,650,819,1015,1240,1496,1785,2109,2470"},
    {384, "0,3", "0,1,6,15,28,45,66,91,120,153,190,231,276,325,378,435,496,561,630,703"},
    {578, "0,3",
     "0,1,8,27,64,125,216,343,512,729,1000,1331,1728,2197,2744,3375,4096,4913,5832,6859"},
    {720, "1,3", "0,1,2,2,3,3,4,4,4,4,5,5,6,6,6,6,7,7,8,8"},
    {796, "1,1", "3,1,4,1,5,9,2,6,5,3,5,8,9,7,9,3,2,3,8,4"},
    {931, "0,9", "1,0,0,1,0,1,1,1,2,2,3,4,5,7,9,12,16,21,28,37"},
    {984, "0,2",
     "1,2,6,20,70,252,924,3432,12870,48620,184756,705432,2704156,10400600,40116600,155117520,"
     "601080390,2333606220,9075135300,35345263800"},
    {1006, "0,3",
     "1,1,2,4,9,21,51,127,323,835,2188,5798,15511,41835,113634,310572,853467,2356779,6536382,"
     "18199284"},
    {1045, "0,4",
     "0,1,1,3,5,11,21,43,85,171,341,683,1365,2731,5461,10923,21845,43691,87381,174763"},
    {1113, "1,1", "2,7,1,8,2,8,1,8,2,8,4,5,9,0,4,5,2,3,5,3"},
    {1221, "1,6", "0,1,1,1,1,2,1,1,1,2,1,2,1,2,2,1,1,2,1,2"},
    {1222, "1,4", "0,1,1,2,1,2,1,3,2,2,1,3,1,2,2,4,1,3,1,3"},
    {1223, "1,2", "1,2,2,4,2,4,2,4,6,2,6,4,2,4,6,6,2,6,4,2"},
    {1462, "1,2", "1,2,2,3,3,4,4,4,5,5,5,6,6,6,6,7,7,7,7,8"},
    {1511, "1,2", "1,2,1,3,1,2,1,4,1,2,1,3,1,2,1,5,1,2,1,3"},
    {2808, "1,1", "4,6,8,9,10,12,14,15,16,18,20,21,22,24,25,26,27,28,30,32"},
    {5117, "1,2", "1,2,3,5,6,7,10,11,13,14,15,17,19,21,22,23,26,29,30,31"},
    {5132, "0,3", "0,1,3,6,2,7,13,20,12,21,11,22,10,23,9,24,8,25,43,62"},
    {6577, "1,3", "0,1,7,2,5,8,16,3,19,6,14,9,9,17,17,4,12,20,20,7"},
    {7318, "0,5", "1,1,1,1,2,1,1,3,3,1,1,4,6,4,1,1,5,10,10,5"},
    {8683, "1,1", "1,-1,-1,0,-1,1,-1,0,0,1,-1,0,-1,1,1,0,-1,0,-1,0"},
    {10060, "0,1", "0,1,1,0,1,0,0,1,1,0,0,1,0,1,1,0,1,0,0,1"},
};

/// Digits 991 to 1000 after the point of pi; a sum of rounding errors would show here.
constexpr std::string_view kEndOfPi = "2164201989";

struct TemporaryDir {
  TemporaryDir() {
    std::string name = (fs::temp_directory_path() / "gatescope-sample-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp() " + name);
    path = name;
  }
  TemporaryDir(const TemporaryDir&) = delete;
  TemporaryDir& operator=(const TemporaryDir&) = delete;
  ~TemporaryDir() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }

  fs::path path;
};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::string join(const SampleTerms& terms) {
  std::string text;
  for (const mpz_class& term : terms)
    text += (text.empty() ? "" : ",") + term.get_str();
  return text;
}

const SampleSequence& sequence(int number) {
  for (const SampleSequence& row : sample_sequences())
    if (row.number == number) return row;
  throw std::runtime_error("not in the sample: " + sample_id(number));
}

std::vector<std::string> ids_in(std::string_view text) {
  std::vector<std::string> ids;
  for (std::size_t at = text.find('A'); at != text.npos; at = text.find('A', at + 1)) {
    std::size_t end = std::min(text.find_first_not_of("0123456789", at + 1), text.size());
    if (end > at + 1) ids.emplace_back(text.substr(at, end - at));
  }
  return ids;
}

/// Everything under a folder: its path in there and its text.
std::map<std::string, std::string> contents(const fs::path& dir) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(dir))
    if (entry.is_regular_file()) files[entry.path().lexically_relative(dir)] = read(entry.path());
  return files;
}

fs::path primes_in(const fs::path& dir) {
  return dir / "seq" / "A000" / "A000040.seq";
}

/// The entry's lines by their tag, and the order of the tags.
struct Entry {
  std::map<char, std::string> text;
  std::string order;
};

Entry parse(const std::string& file, const std::string& id) {
  Entry entry;
  std::istringstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    INFO(line.substr(0, 80));
    REQUIRE(line.size() > 11);
    REQUIRE(line[0] == '%');
    REQUIRE(line.substr(2, 9) == " " + id + " ");
    entry.text[line[1]] = line.substr(11);
    entry.order += line[1];
  }
  return entry;
}

}  // namespace

TEST_CASE("the sample has the sequences that were asked for, in order") {
  auto rows = sample_sequences();
  REQUIRE(rows.size() == kExpected.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    CHECK(rows[i].number == kExpected[i].number);
}

TEST_CASE("each sequence starts as in the encyclopedia and has its offset") {
  for (const Expected& expected : kExpected) {
    INFO(sample_id(expected.number));
    const SampleSequence& row = sequence(expected.number);
    auto length = std::count(expected.start.begin(), expected.start.end(), ',') + 1;
    REQUIRE(length >= 15);
    SampleTerms terms = row.terms(static_cast<std::size_t>(length));
    CHECK(join(terms) == expected.start);
    CHECK(std::to_string(row.first_index) + "," + std::to_string(first_large_position(terms)) ==
          expected.offset);
  }
}

TEST_CASE("a generator gives as many terms as asked for, the shorter a start of the longer") {
  for (const SampleSequence& row : sample_sequences()) {
    INFO(sample_id(row.number));
    SampleTerms longer = row.terms(50);
    REQUIRE(longer.size() == 50);
    for (std::size_t count : {0, 1, 2, 3, 4, 49}) {
      SampleTerms shorter = row.terms(count);
      REQUIRE(shorter.size() == count);
      CHECK(std::equal(shorter.begin(), shorter.end(), longer.begin()));
    }
  }
}

TEST_CASE("far terms are right") {
  CHECK(sequence(40).terms(1000).back() == 7919);
  CHECK(sequence(720).terms(1000).back() == 168);
  CHECK(sequence(41).terms(1001).back() == mpz_class("24061467864032622473692149727991"));
  CHECK(sequence(45).terms(301).back() ==
        mpz_class("222232244629420445529739893461909967206666939096499764990979600"));
  SampleTerms pi = sequence(796).terms(1001);
  for (std::size_t i = 0; i < kEndOfPi.size(); ++i)
    CHECK(pi[991 + i] == kEndOfPi[i] - '0');
  for (std::size_t place = 762; place <= 767; ++place)
    CHECK(pi[place] == 9);
}

TEST_CASE("names, keywords and cross references are fit for the format") {
  std::set<std::string> known;
  for (const SampleSequence& row : sample_sequences())
    known.insert(sample_id(row.number));
  for (const SampleSequence& row : sample_sequences()) {
    INFO(sample_id(row.number));
    CHECK(row.keywords.find_first_not_of("abcdefghijklmnopqrstuvwxyz,") == std::string_view::npos);
    CHECK(("," + std::string(row.keywords) + ",").find(",,") == std::string::npos);
    for (std::string_view text : {row.name, row.related}) {
      CHECK(text.size() > 10);
      CHECK(text.ends_with('.'));
      CHECK(std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; }));
    }
    CHECK_FALSE(ids_in(row.related).empty());
    for (const std::string& id : ids_in(row.related)) {
      INFO(id);
      CHECK(known.contains(id));
      CHECK(id != sample_id(row.number));
    }
  }
}

TEST_CASE("nonn and sign are said of the right sequences") {
  for (const SampleSequence& row : sample_sequences()) {
    INFO(sample_id(row.number));
    bool negative = std::ranges::any_of(row.terms(200), [](const mpz_class& t) { return t < 0; });
    CHECK((row.keywords.find("sign") != std::string_view::npos) == negative);
    CHECK((row.keywords.find("nonn") != std::string_view::npos) == !negative);
  }
}

TEST_CASE("the tree is written in the internal format") {
  TemporaryDir temporary;
  const fs::path dir = temporary.path / "made" / "on the way";
  std::vector<std::size_t> progress;
  auto report = write_sample(dir, [&progress](std::size_t done, std::size_t total) {
    CHECK(total == kExpected.size());
    progress.push_back(done);
  });
  REQUIRE(report.ok());
  CHECK(report->written);
  CHECK(report->sequences == kExpected.size());
  CHECK(report->terms >= 1000 * kExpected.size());
  REQUIRE(progress.size() == kExpected.size());
  for (std::size_t i = 0; i < progress.size(); ++i)
    CHECK(progress[i] == i + 1);

  std::size_t bytes = 0;
  for (const Expected& expected : kExpected) {
    const std::string id = sample_id(expected.number);
    INFO(id);
    const SampleSequence& row = sequence(expected.number);
    const std::string file = read(dir / "seq" / id.substr(0, 4) / (id + ".seq"));
    bytes += file.size();
    REQUIRE(file.ends_with("\n"));
    Entry entry = parse(file, id);
    CHECK(entry.order == "ISTUNYKOA");
    CHECK(entry.text['I'].starts_with("#1 "));
    for (char tag : {'S', 'T'}) {
      CHECK(entry.text[tag].size() <= 70);
      CHECK(entry.text[tag].size() > 40);
      CHECK(entry.text[tag].ends_with(","));
    }
    CHECK_FALSE(entry.text['U'].ends_with(","));
    const std::string terms = entry.text['S'] + entry.text['T'] + entry.text['U'];
    CHECK(std::count(terms.begin(), terms.end(), ',') + 1 >= 1000);
    CHECK(terms.starts_with(expected.start + ","));
    CHECK(terms == join(row.terms(kSampleTerms)));
    CHECK(entry.text['N'] == row.name);
    CHECK(entry.text['Y'] == row.related);
    CHECK(entry.text['K'] == row.keywords);
    CHECK(entry.text['O'] == expected.offset);
    CHECK(entry.text['A'] == "gatescope");
  }
  CHECK(report->bytes == bytes);
  CHECK(read(dir / "README").find("https://oeis.org") != std::string::npos);
  // Nothing else: no temporary file is left behind.
  CHECK(contents(dir).size() == kExpected.size() + 2);
  CHECK(std::distance(fs::directory_iterator(dir), {}) == 3);
}

TEST_CASE("an entry without that many terms has no empty lines, and a huge term is not cut") {
  const SampleSequence& row = sequence(40);
  const std::string id = sample_id(row.number);
  Entry brief = parse(sample_entry(row, {2, 3, 5}), id);
  CHECK(brief.order == "ISNYKOA");
  CHECK(brief.text['S'] == "2,3,5");

  const std::string huge(100, '7');
  Entry wide = parse(sample_entry(row, {mpz_class(huge), mpz_class(huge), -1}), id);
  CHECK(wide.order == "ISTUNYKOA");
  CHECK(wide.text['S'] == huge + ",");
  CHECK(wide.text['T'] == huge + ",");
  CHECK(wide.text['U'] == "-1");
}

TEST_CASE("the offset's second number is the place of the first large term") {
  CHECK(first_large_position({0, 1, -1, -2, 5}) == 4);
  CHECK(first_large_position({0, 1, -1}) == 1);
  CHECK(first_large_position({}) == 1);
}

TEST_CASE("a tree that is up to date is left alone") {
  TemporaryDir dir;
  REQUIRE(write_sample(dir.path, {}).ok());
  write(primes_in(dir.path), "changed by hand\n");
  const auto before = contents(dir.path);
  bool called = false;
  auto again = write_sample(dir.path, [&called](std::size_t, std::size_t) { called = true; });
  REQUIRE(again.ok());
  CHECK_FALSE(again->written);
  CHECK(again->sequences == kExpected.size());
  CHECK_FALSE(called);
  CHECK(contents(dir.path) == before);
}

TEST_CASE("a tree that is not up to date is written again as a whole") {
  TemporaryDir dir;
  REQUIRE(write_sample(dir.path, {}).ok());
  const auto fresh = contents(dir.path);

  SECTION("a file is missing") {
    fs::remove(primes_in(dir.path));
  }
  SECTION("a file is empty") {
    write(primes_in(dir.path), "");
  }
  SECTION("an older program wrote it, with an entry that the sample no longer has") {
    write(dir.path / "VERSION", "gatescope sample 0\n");
    write(dir.path / "seq" / "A999" / "A999999.seq", "old\n");
    write(primes_in(dir.path), "old\n");
  }
  SECTION("a crash left no tree") {
    fs::remove_all(dir.path / "seq");
  }

  REQUIRE(contents(dir.path) != fresh);
  auto again = write_sample(dir.path, {});
  REQUIRE(again.ok());
  CHECK(again->written);
  CHECK(contents(dir.path) == fresh);
}

TEST_CASE("somebody else's tree is refused and not touched") {
  TemporaryDir dir;
  write(dir.path / "seq" / "A000" / "A000040.seq", "%I A000040\n");
  const auto before = contents(dir.path);
  auto report = write_sample(dir.path, {});
  REQUIRE_FALSE(report.ok());
  CHECK(report.error().kind == ErrorKind::Invalid);
  CHECK(report.error().detail.find((dir.path / "seq").string()) != std::string::npos);
  CHECK(contents(dir.path) == before);
}

TEST_CASE("a folder that cannot be made is an error that names it") {
  // Below a regular file: fails for root too, who may write anywhere.
  TemporaryDir dir;
  write(dir.path / "file", "text");
  const fs::path impossible = dir.path / "file" / "sample";
  auto report = write_sample(impossible, {});
  REQUIRE_FALSE(report.ok());
  CHECK(report.error().detail.find(impossible.string()) != std::string::npos);
  CHECK(report.error().detail.find("Not a directory") != std::string::npos);
}

TEST_CASE("a folder that cannot be written into is an error that names it") {
  if (::geteuid() == 0) {
    WARN("not tried: root may write anywhere");
    return;
  }
  TemporaryDir dir;
  fs::permissions(dir.path, fs::perms::owner_read | fs::perms::owner_exec);
  auto report = write_sample(dir.path, {});
  fs::permissions(dir.path, fs::perms::owner_all);
  REQUIRE_FALSE(report.ok());
  CHECK(report.error().detail.find(dir.path.string()) != std::string::npos);
}

}  // namespace gatescope::api
