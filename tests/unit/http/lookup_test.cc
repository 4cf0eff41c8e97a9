// What map and geo find, asked of their tables.

#include "proxy/http/geo.h"
#include "proxy/http/map.h"
#include "tests/support/catch.h"

using namespace gatescope;
using namespace gatescope::http;

namespace {

std::string found(const MapTable& table, std::string_view text) {
  const auto f = table.find(text);
  return f.value ? f.value->text() : "(nothing)";
}

IpNetwork network(std::string_view text) {
  return IpNetwork::parse(text).value();
}

IpAddress address(std::string_view text) {
  return IpAddress::parse(text).value();
}

std::string found(const GeoNetworks& table, std::string_view text) {
  const auto* value = table.find(address(text));
  return value ? *value : "(nothing)";
}

std::string found(const GeoRanges& table, std::string_view text) {
  const auto* value = table.find(address(text).v4_number());
  return value ? *value : "(nothing)";
}

}  // namespace

TEST_CASE("map finds a text without case, then wildcards, then expressions in order") {
  VariableTable variables;
  MapTable table;
  table.use_hostnames();
  for (const char* key :
       {"example.com", "*.example.com", "*.b.example.com", "example.*", ".both.org",
        "~^EXACT-CASE$", "~*^any-case$", "~^any", "\\default", "~^(?<name>x+)$"})
    REQUIRE(table.add(key, conf::Template::literal(key), variables).ok());
  const std::string long_text(300, 'a');
  const std::pair<const char*, const char*> rows[] = {{"example.com", "example.com"},
                                                      {"EXAMPLE.com.", "example.com"},
                                                      {"a.example.com", "*.example.com"},
                                                      {"a.b.example.com", "*.b.example.com"},
                                                      {"b.example.com", "*.example.com"},
                                                      {"example.org", "example.*"},
                                                      {"example.co.uk", "example.*"},
                                                      {"example", "(nothing)"},
                                                      {"both.org", ".both.org"},
                                                      {"www.both.org", ".both.org"},
                                                      {"EXACT-CASE", "~^EXACT-CASE$"},
                                                      {"exact-case", "(nothing)"},
                                                      {"ANY-Case", "~*^any-case$"},
                                                      {"any-other", "~^any"},
                                                      {"default", "\\default"},
                                                      {"xx", "~^(?<name>x+)$"},
                                                      {"", "(nothing)"},
                                                      {".", "(nothing)"},
                                                      {".example.com", "(nothing)"},
                                                      {long_text.c_str(), "(nothing)"}};
  for (const auto& [text, expected] : rows) {
    INFO(text);
    CHECK(found(table, text) == expected);
  }
  REQUIRE(table.set_default(conf::Template::literal("else")).ok());
  CHECK(found(table, "nowhere") == "else");
}

TEST_CASE("map refuses a key twice, two defaults and wildcards in the middle") {
  VariableTable variables;
  MapTable table;
  REQUIRE(table.add("*.a", conf::Template::literal(""), variables).ok());  // a text: no hostnames
  table.use_hostnames();
  REQUIRE(table.add("a", conf::Template::literal(""), variables).ok());
  CHECK(table.add("A", conf::Template::literal(""), variables).error().detail ==
        "conflicting parameter \"A\"");
  CHECK_FALSE(table.add("a.*.b", conf::Template::literal(""), variables).ok());
  CHECK_FALSE(table.add("~(", conf::Template::literal(""), variables).ok());
  REQUIRE(table.set_default(conf::Template::literal("")).ok());
  CHECK_FALSE(table.set_default(conf::Template::literal("")).ok());
}

TEST_CASE("geo finds the longest network, IPv4 inside IPv6 is IPv4") {
  GeoNetworks table;
  for (const char* text : {"0.0.0.0/0", "::/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3",
                           "2001:db8::/33", "::ffff:192.0.2.0/120"})
    CHECK_FALSE(table.add(network(text), text));
  const std::pair<const char*, const char*> rows[] = {
      {"9.255.255.255", "0.0.0.0/0"},        {"10.2.0.0", "10.0.0.0/8"},
      {"10.1.255.255", "10.1.0.0/16"},       {"10.1.2.3", "10.1.2.3"},
      {"::ffff:10.1.2.3", "10.1.2.3"},       {"192.0.2.77", "::ffff:192.0.2.0/120"},
      {"2001:db8:7fff::1", "2001:db8::/33"}, {"2001:db8:8000::1", "::/0"}};
  for (const auto& [text, expected] : rows) {
    INFO(text);
    CHECK(found(table, text) == expected);
  }
  CHECK(table.add(network("10.1.2.3/32"), "new") == "10.1.2.3");
  CHECK(table.remove(network("10.1.2.3")));
  CHECK_FALSE(table.remove(network("10.1.2.3")));
  CHECK(found(table, "10.1.2.3") == "10.1.0.0/16");
}

TEST_CASE("networks are refused when they are none") {
  for (const char* text :
       {"", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/x", "x", "1.2.3.4/-1"}) {
    INFO(text);
    CHECK_FALSE(IpNetwork::parse(text).ok());
  }
  CHECK(network("10.1.2.3/8").had_host_bits);
  CHECK(network("10.1.2.3/8").base == address("10.0.0.0"));
  CHECK(network("2001:db8:ffff::/31").base == address("2001:db8::"));
}

TEST_CASE("a range inside another takes its part, crossing ones are refused") {
  using Added = GeoRanges::Added;
  GeoRanges table;
  CHECK(table.add(100, 200, "outer") == Added::New);
  CHECK(table.add(120, 130, "inner") == Added::New);
  CHECK(table.add(100, 105, "begin") == Added::New);
  CHECK(table.add(195, 200, "end") == Added::New);
  CHECK(table.add(120, 130, "again") == Added::Replaced);
  CHECK(table.add(190, 210, "crosses") == Added::Overlaps);
  CHECK(table.add(90, 100, "crosses") == Added::Overlaps);
  CHECK(table.add(0, 0xffffffff, "around") == Added::Overlaps);
  CHECK(table.add(201, 0xffffffff, "rest") == Added::New);
  const std::pair<std::uint32_t, const char*> rows[] = {
      {99, "(nothing)"}, {100, "begin"}, {105, "begin"},      {106, "outer"}, {119, "outer"},
      {120, "again"},    {130, "again"}, {131, "outer"},      {194, "outer"}, {195, "end"},
      {200, "end"},      {201, "rest"},  {0xffffffff, "rest"}};
  for (const auto& [number, expected] : rows) {
    INFO(number);
    const auto* value = table.find(number);
    CHECK((value ? *value : "(nothing)") == expected);
  }
  CHECK(table.remove(120, 130));
  CHECK_FALSE(table.remove(100, 200));  // it is in parts now
  CHECK(found(table, "0.0.0.125") == "(nothing)");
  CHECK_FALSE(parse_range("10.0.0.2-10.0.0.1"));
  CHECK_FALSE(parse_range("10.0.0.2"));
}

TEST_CASE("the address behind trusted proxies") {
  const std::vector<IpNetwork> trusted{network("127.0.0.1"), network("10.0.0.0/8")};
  struct Row {
    const char* client;
    std::vector<std::string_view> forwarded;
    bool recursive;
    const char* expected;
  };
  const Row rows[] = {
      {"192.0.2.1", {"198.51.100.1"}, true, "192.0.2.1"},
      {"127.0.0.1", {}, true, "127.0.0.1"},
      {"127.0.0.1", {"198.51.100.1"}, false, "198.51.100.1"},
      {"127.0.0.1", {"198.51.100.1, 10.0.0.1"}, false, "10.0.0.1"},
      {"127.0.0.1", {"198.51.100.1, 10.0.0.1"}, true, "198.51.100.1"},
      {"127.0.0.1", {"203.0.113.9, 198.51.100.1", "10.0.0.1"}, true, "198.51.100.1"},
      {"127.0.0.1", {"10.0.0.2,10.0.0.1"}, true, "10.0.0.2"},
      {"127.0.0.1", {"unknown, 10.0.0.1"}, true, "10.0.0.1"},
      {"127.0.0.1", {" , 198.51.100.1 ,"}, true, "198.51.100.1"}};
  for (const auto& row : rows) {
    INFO(row.client << " " << row.expected);
    CHECK(address_behind(address(row.client), row.forwarded, trusted, row.recursive) ==
          address(row.expected));
  }
}
