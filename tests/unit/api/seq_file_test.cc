#include "api/seq_file.h"

#include <string>

#include "tests/support/catch.h"

using namespace gatescope::api;

namespace {

std::string text_of(const Terms& terms) {
  std::string out;
  for (std::size_t i = 0; i < terms.size(); ++i)
    out += (i > 0 ? "," : "") + std::string(terms[i]);
  return out;
}

}  // namespace

TEST_CASE("an entry of oeisdata") {
  const auto entry = parse_seq_file(SequenceId(78302),
                                    "%I A078302 M1 N2 #12 Apr 08 2026 10:58:11\n"
                                    "%S A078302 1,-1,2,\n"
                                    "%T A078302 3,5,\n"
                                    "%U A078302 8,123456789012345678901234567890\n"
                                    "%N A078302 Caf\xC3\xA9 \"numbers\": n < 5.\n"
                                    "%C A078302 %N is not a name here.\n"
                                    "%Y A078302 Cf. A000045.\n"
                                    "%Y A078302   and A000032 (indented).\n"
                                    "%K A078302 sign,nice\n"
                                    "%O A078302 -43,3\n"
                                    "%A A078302 _N. N._\n");
  REQUIRE(entry);
  CHECK(entry->name == "Caf\xC3\xA9 \"numbers\": n < 5.");
  CHECK(text_of(entry->terms) == "1,-1,2,3,5,8,123456789012345678901234567890");
  CHECK(entry->offset == -43);
  CHECK(entry->xrefs == "Cf. A000045.\n  and A000032 (indented).");
  CHECK(entry->keywords == std::vector<std::string>{"sign", "nice"});
  const auto sequence = entry->first_terms();
  CHECK(sequence.source == Source::OeisData);
  CHECK(!sequence.has_all_terms());
  CHECK(sequence.shift == -43);
  CHECK(sequence.name == entry->name);
}

TEST_CASE("reserved and recycled numbers have no terms, perhaps no name") {
  const auto reserved =
      parse_seq_file(SequenceId(397217),
                     "%I A397217 #39 Sep 29 2026 20:19:41\n%S A397217 \n"
                     "%N A397217 allocated for Eric Stolee\n%K A397217 allocated\n");
  REQUIRE(reserved);
  CHECK(reserved->terms.empty());
  CHECK(reserved->name == "allocated for Eric Stolee");
  const auto recycled = parse_seq_file(
      SequenceId(395050), "%I A395050\n%S A395050 \n%N A395050 \n%K A395050 recycled\n");
  REQUIRE(recycled);
  CHECK(recycled->name.empty());
  CHECK(!recycled->first_terms().name);
}

TEST_CASE("an entry with the ends of lines of another system, and without an offset") {
  const auto entry = parse_seq_file(SequenceId(17),
                                    "%I A000017\r\n%S A000017 1,-2,\r\n%T A000017 +3\r\n"
                                    "%N A000017 Erroneous version of A000018.\r\n"
                                    "%Y A000017\r\n%K A000017 dead,core\r\n");
  REQUIRE(entry);
  CHECK(text_of(entry->terms) == "1,-2,+3");
  CHECK(entry->name == "Erroneous version of A000018.");
  CHECK(entry->xrefs.empty());
  CHECK(entry->offset == 0);
  CHECK(entry->flags() == (SeqEntry::kDead | SeqEntry::kCore));
  CHECK(entry->mentions == std::vector<std::uint32_t>{18});
}

TEST_CASE("an entry mentions others in every line, itself never") {
  const auto entry = parse_seq_file(
      SequenceId(40),
      "%I A000040 M0652 N0241 #3 Apr 08 2026 10:58:11\n%S A000040 2,3\n%N A000040 See A000045.\n"
      "%C A000040 Not A000040; A000010.\n%H A000040 <a href=\"/A000007/b000007.txt\">n</a>\n"
      "%o A000040 (PARI) A048720bi(21,i)\n%Y A000040 Cf. A000045.\n");
  REQUIRE(entry);
  CHECK(entry->mentions == std::vector<std::uint32_t>{7, 10, 45, 48720});
}

TEST_CASE("what is no such entry is an error, not half an entry") {
  for (const char* text : {"", "not a file of that kind\n", "%S A000040 1,2\n", "%I A000041\n",
                           "%I A000040\n%S A000041 1\n", "%I A000040\n%S A000040 1,x,2\n",
                           "%I A000040\n%O A000040 zero,1\n"}) {
    INFO(text);
    CHECK(!parse_seq_file(SequenceId(40), text));
  }
  CHECK(!parse_seq_file(SequenceId(40), std::string_view("%I A000040\n%N A000040 a\0b\n", 27)));
}

TEST_CASE("a name that is not UTF-8 becomes one that a database takes") {
  const auto entry =
      parse_seq_file(SequenceId(40), "%I A000040\n%N A000040 Erd\xF5s\n%Y A000040 \xE9\n");
  REQUIRE(entry);
  CHECK(entry->name == "Erd\xEF\xBF\xBDs");
  CHECK(entry->xrefs == "\xEF\xBF\xBD");
}
