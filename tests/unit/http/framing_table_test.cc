// Raw requests and what they mean, each whole and byte by byte. Every row of what llhttp accepts
// and we do not (facts.md 10) is here.

#include "tests/support/catch.h"
#include "tests/unit/http/http1_fixture.h"

using namespace gatescope;
using namespace gatescope::http;

namespace {

struct Row {
  std::string name, raw, expected;
  std::string words = {};  // of refused_because
};

const std::string kHostLine = "Host: a\r\n";
std::string get_with(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}
std::string post_to_root(std::string_view fields, std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" + std::string(body);
}
std::string line(std::string_view request_line) {
  return std::string(request_line) + "\r\n" + kHostLine + "\r\n";
}
std::string chunked(std::string_view body) {
  return post_to_root("Transfer-Encoding: chunked\r\n", body);
}
const std::string kGot = "GET / {Host=a}";
const std::string kChunked = "POST / {Host=a, Transfer-Encoding=chunked}";
using namespace std::string_literals;

const std::vector<Row> kRows = {
    // The request line
    {"plain", get_with(""), kGot},
    {"1.0 without Host", "GET / HTTP/1.0\r\n\r\n", "GET / {}"},
    {"empty lines before", "\r\n\r\n" + get_with(""), kGot},
    {"unknown method", line("BREW /pot HTTP/1.1"), "BREW /pot {Host=a}"},
    {"method with all that it may have", line("M-SEARCH_X / HTTP/1.1"), "M-SEARCH_X / {Host=a}"},
    {"method in lower case", line("get / HTTP/1.1"), "400", "client sent invalid method"},
    {"token that is no method", line("M!# / HTTP/1.1"), "400", "client sent invalid method"},
    {"protocol of others' methods", line("SOURCE / HTTP/1.1"), "SOURCE / {Host=a}"},
    {"method with a slash", line("G/T / HTTP/1.1"), "400", "client sent invalid method"},
    {"no method", line(" / HTTP/1.1"), "400", "client sent invalid method"},
    {"method only", line("GET"), "400", "client sent invalid method"},
    {"tab before the line", line("\tGET / HTTP/1.1"), "400", "client sent invalid method"},
    {"TLS hello", "\x16\x03\x01\x02", "400", "client sent invalid method"},
    {"HTTP/0.9", "GET /\r\n\r\n", "400", "client sent invalid request"},
    {"0.9 with a blank", "GET / \r\n\r\n", "400", "client sent invalid request"},
    {"two blanks before the target", line("GET  / HTTP/1.1"), "400", "client sent invalid request"},
    {"two blanks before the version", line("GET /  HTTP/1.1"), "400",
     "client sent invalid request"},
    {"blank after the version", line("GET / HTTP/1.1 "), "400", "client sent invalid request"},
    {"blank in the target", line("GET /a b HTTP/1.1"), "400", "client sent invalid request"},
    {"tab for the blank", line("GET\t/ HTTP/1.1"), "400", "client sent invalid method"},
    {"tab in the target", line("GET /a\tb HTTP/1.1"), "400", "client sent invalid request"},
    {"control in the target", line("GET /a\x01 HTTP/1.1"), "400", "client sent invalid request"},
    {"DEL in the target", line("GET /a\x7f HTTP/1.1"), "400", "client sent invalid request"},
    {"NUL in the target", line("GET /a\0b HTTP/1.1"s), "400", "client sent invalid request"},
    {"CR in the target", line("GET /a\rb HTTP/1.1"), "400", "client sent invalid request"},
    {"raw brackets", line("GET /x?a[]={1}|2^`\"<>\\ HTTP/1.1"),
     "GET /x?a[]={1}|2^`\"<>\\ {Host=a}"},
    {"bytes over 127", line("GET /\xc3\xa4 HTTP/1.1"), "GET /\xc3\xa4 {Host=a}"},
    {"fragment", line("GET /a#b HTTP/1.1"), "GET /a#b {Host=a}"},
    {"absolute form", line("GET http://a/x HTTP/1.1"), "GET http://a/x {Host=a}"},
    {"star", line("OPTIONS * HTTP/1.1"), "OPTIONS * {Host=a}"},
    {"RTSP", line("GET / RTSP/1.0"), "400", "client sent invalid request"},
    {"ICE", line("SOURCE / ICE/1.0"), "400", "client sent invalid request"},
    {"lower case http", line("GET / http/1.1"), "400", "client sent invalid request"},
    {"HTTP/1.2", line("GET / HTTP/1.2"), "505", "client sent invalid version"},
    {"HTTP/2.0", line("GET / HTTP/2.0"), "505"},
    {"HTTP/0.9 said", line("GET / HTTP/0.9"), "505"},
    {"HTTP/11", line("GET / HTTP/11"), "505"},
    {"HTTP/1.", line("GET / HTTP/1."), "400"},
    {"HTTP/", line("GET / HTTP/"), "400"},
    {"HTTP/1.1x", line("GET / HTTP/1.1x"), "400"},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
    {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "405",
     "client sent CONNECT method"},
    {"TRACE", line("TRACE / HTTP/1.1"), "405", "client sent TRACE method"},

    // Line ends
    {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", "400",
     "client sent invalid request"},
    {"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", "400",
     "client sent invalid header line"},
    {"CRLF LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", "400",
     "client sent invalid header line"},
    {"LF LF", "GET / HTTP/1.1\n\n", "400"},
    {"bare LF before", "\nGET / HTTP/1.1\r\n", "400"},
    {"bare CR after the colon", get_with("A:\rB: c\r\n"), "400", "client sent invalid header line"},
    {"bare CR in a value", get_with("A: b\rc\r\n"), "400"},
    {"bare CR in a name", get_with("A\rB: c\r\n"), "400"},
    {"CR CR LF", get_with("A: b\r\r\n"), "400"},
    {"CR CR LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", "400"},

    // Fields
    {"obs-fold", get_with("A: b\r\n c\r\n"), "400", "client sent invalid header line"},
    {"obs-fold with a tab", get_with("A: b\r\n\tc\r\n"), "400"},
    {"fold before the first", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400"},
    {"empty name", get_with(": x\r\n"), "400", "client sent invalid header line"},
    {"no colon", get_with("foo\r\n"), "400", "client sent invalid header line"},
    {"blank before the colon", get_with("A : b\r\n"), "400", "client sent invalid header line"},
    {"tab before the colon", get_with("A\t: b\r\n"), "400"},
    {"blank in a name", get_with("A B: c\r\n"), "400"},
    {"control in a name", get_with("A\x0b: b\r\n"), "400"},
    {"NUL in a name", get_with("A\0: b\r\n"s), "400"},
    {"NUL in a value", get_with("A: b\0c\r\n"s), "400"},
    {"control in a value", get_with("A: b\x01\r\n"), "400"},
    {"DEL in a value", get_with("A: b\x7f\r\n"), "400"},
    {"tab in a value", get_with("A: \t b\tc \t\r\n"), "GET / {Host=a, A=b\tc}"},
    {"bytes over 127 in a value", get_with("A: \xe4\r\n"), "GET / {Host=a, A=\xe4}"},
    {"empty value", get_with("A:\r\nB: \r\n"), "GET / {Host=a, A=, B=}"},
    {"no blank after the colon", get_with("A:b:c\r\n"), "GET / {Host=a, A=b:c}"},
    {"invalid name dropped", get_with("A(b): c\r\nD: e\r\n"), "GET / {Host=a, D=e}"},
    {"underscore dropped", get_with("A_b: c\r\n"), kGot},
    {"high byte in a name dropped", get_with("A\xe4: c\r\n"), kGot},
    {"raw brackets in Referer", get_with("Referer: http://a/?x[]={}\r\n"),
     "GET / {Host=a, Referer=http://a/?x[]={}}"},

    // Host
    {"no Host", "GET / HTTP/1.1\r\n\r\n", "400",
     "client sent HTTP/1.1 request without \"Host\" header"},
    {"two Authorizations", get_with("Authorization: Basic YTph\r\nAuthorization: Basic Yjpi\r\n"),
     "400", "client sent duplicate \"Authorization\" header"},
    {"two Hosts", get_with("Host: a\r\n"), "400", "client sent duplicate host header"},
    {"two Hosts in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nhOST: b\r\n\r\n", "400"},
    {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / {Host=}"},

    // Content-Length
    {"length", post_to_root("Content-Length: 3\r\n", "abc"),
     "POST / {Host=a, Content-Length=3} abc"},
    {"length 0", post_to_root("Content-Length: 0\r\n", ""), "POST / {Host=a, Content-Length=0}"},
    {"leading zeros", post_to_root("Content-Length: 003\r\n", "abc"),
     "POST / {Host=a, Content-Length=003} abc"},
    {"body of GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
     "GET / {Host=a, Content-Length=1} x"},
    {"unknown method with a body", "BREW / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
     "BREW / {Host=a, Content-Length=1} x"},
    {"two lengths", post_to_root("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"), "400"},
    {"two equal lengths", post_to_root("Content-Length: 3\r\ncontent-length: 3\r\n", "abc"), "400",
     "client sent duplicate \"Content-Length\" header"},
    {"length +3", post_to_root("Content-Length: +3\r\n", "abc"), "400",
     "client sent invalid \"Content-Length\" header"},
    {"length -3", post_to_root("Content-Length: -3\r\n", "abc"), "400"},
    {"length 0x3", post_to_root("Content-Length: 0x3\r\n", "abc"), "400"},
    {"length 3, 3", post_to_root("Content-Length: 3, 3\r\n", "abc"), "400"},
    {"length 3 3", post_to_root("Content-Length: 3 3\r\n", "abc"), "400"},
    {"empty length", post_to_root("Content-Length:\r\n", "abc"), "400"},
    {"length above 2^63", post_to_root("Content-Length: 9223372036854775808\r\n", "abc"), "400"},
    {"length above 2^64", post_to_root("Content-Length: 18446744073709551617\r\n", "abc"), "400"},
    {"Content-Length :", post_to_root("Content-Length : 3\r\n", "abc"), "400"},
    {"Content_Length is nothing", post_to_root("Content_Length: 3\r\n", ""), "POST / {Host=a}"},
    {"no length, no body", post_to_root("", ""), "POST / {Host=a}"},

    // Transfer-Encoding
    {"chunked", chunked("3\r\nabc\r\n0\r\n\r\n"), kChunked + " abc"},
    {"Chunked", post_to_root("Transfer-Encoding: ChunKED\r\n", "0\r\n\r\n"),
     "POST / {Host=a, Transfer-Encoding=ChunKED} "},
    {"with a length",
     post_to_root("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "400",
     "client sent \"Content-Length\" and \"Transfer-Encoding\" headers at the same time"},
    {"length behind",
     post_to_root("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), "400"},
    {"gzip, chunked", post_to_root("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), "501",
     "client sent unknown \"Transfer-Encoding\""},
    {"chunked, gzip", post_to_root("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), "501"},
    {"identity", post_to_root("Transfer-Encoding: identity\r\n", ""), "501"},
    {"xchunked", post_to_root("Transfer-Encoding: xchunked\r\n", ""), "501"},
    {"chunked;q=1", post_to_root("Transfer-Encoding: chunked;q=1\r\n", ""), "501"},
    {"\"chunked\"", post_to_root("Transfer-Encoding: \"chunked\"\r\n", ""), "501"},
    {"empty encoding", post_to_root("Transfer-Encoding:\r\n", ""), "501"},
    {"twice",
     post_to_root("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
     "400"},
    {"twice, other", post_to_root("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n", ""),
     "400"},
    {"in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
    {"Transfer_Encoding is nothing", post_to_root("Transfer_Encoding: chunked\r\n", ""),
     "POST / {Host=a}"},
    {"Transfer-Encoding :", post_to_root("Transfer-Encoding : chunked\r\n", ""), "400"},
    {"vertical tab before chunked",
     post_to_root("Transfer-Encoding: \x0b"
                  "chunked\r\n",
                  ""),
     "400"},

    // Chunks
    {"several", chunked("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), kChunked + " abc"},
    {"hex", chunked("A\r\n0123456789\r\n0\r\n\r\n"), kChunked + " 0123456789"},
    {"lower hex, zeros", chunked("00a\r\n0123456789\r\n000\r\n\r\n"), kChunked + " 0123456789"},
    {"extension", chunked("1;a=b;c=\"d\"\r\nx\r\n0;e\r\n\r\n"), kChunked + " x"},
    {"trailers", chunked("1\r\nx\r\n0\r\nA: b\r\nC:d\r\n\r\n"), kChunked + " x {A=b, C=d}"},
    {"forbidden trailers", chunked("0\r\nContent-Length: 5\r\nHost: b\r\nA: b\r\n\r\n"),
     kChunked + "  {A=b}"},
    {"bare LF after the size", chunked("1\nx\r\n0\r\n\r\n"), kChunked + " failed 400"},
    {"bare LF after the data", chunked("1\r\nx\n0\r\n\r\n"), kChunked + " x failed 400"},
    {"bare CR in the extension", chunked("1;a\rb\r\nx\r\n0\r\n\r\n"), kChunked + " failed 400"},
    {"bare LF in the extension", chunked("1;a\nb\r\nx\r\n0\r\n\r\n"), kChunked + " failed 400"},
    {"blank after the size", chunked("1 \r\nx\r\n0\r\n\r\n"), kChunked + " failed 400"},
    {"blank before the size", chunked(" 1\r\nx\r\n0\r\n\r\n"), kChunked + " failed 400"},
    {"0x1", chunked("0x1\r\nx\r\n0\r\n\r\n"), kChunked + " failed 400"},
    {"+1", chunked("+1\r\nx\r\n0\r\n\r\n"), kChunked + " failed 400"},
    {"-1", chunked("-1\r\nx\r\n0\r\n\r\n"), kChunked + " failed 400"},
    {"empty size", chunked("\r\nx\r\n0\r\n\r\n"), kChunked + " failed 400"},
    {"size of 17 digits", chunked("00000000000000001\r\nx\r\n0\r\n\r\n"), kChunked + " failed 400"},
    {"data longer than said", chunked("1\r\nxy\r\n0\r\n\r\n"), kChunked + " x failed 400"},
    {"data shorter than said", chunked("3\r\nx\r\n0\r\n\r\n"), kChunked + " x\r\n failed 400"},
    {"fold in trailers", chunked("0\r\nA: b\r\n c\r\n\r\n"), kChunked + " failed 400"},
    {"empty name in trailers", chunked("0\r\n: b\r\n\r\n"), kChunked + " failed 400"},
    {"bare CR in trailers", chunked("0\r\nA:\rb\r\n\r\n"), kChunked + " failed 400"},
    {"bare LF at the end", chunked("0\r\n\n"), kChunked + " failed 400"},

    // Expect
    {"417", get_with("Expect: tea\r\n"), "417"},
    {"two expectations", get_with("Expect: 100-continue, tea\r\n"), "417"},

    // More than one
    {"pipelined", get_with("") + post_to_root("Content-Length: 1\r\n", "x") + get_with(""),
     kGot + " | POST / {Host=a, Content-Length=1} x | " + kGot},
    {"empty lines between", get_with("") + "\r\n" + get_with(""), kGot + " | " + kGot},
    {"chunked, then another", chunked("1\r\nx\r\n0\r\n\r\n") + get_with(""),
     kChunked + " x | " + kGot},
    {"nothing behind a refused one", line("GET / HTTP/3.0") + get_with(""), "505"},
    {"nothing behind close", get_with("Connection: close\r\n") + get_with(""),
     "GET / {Host=a, Connection=close}"},
};

void check(const Row& row, const Fixture& f) {
  CHECK(f.summary() == row.expected);
  if (!row.words.empty() && !f.records.empty())
    CHECK(f.records.back().because.substr(0, row.words.size()) == row.words);
}

}  // namespace

TEST_CASE("framing table") {
  REQUIRE(kRows.size() >= 80);
  for (const Row& row : kRows) {
    {
      INFO(row.name << ", whole");
      Fixture f;
      f.feed(row.raw);
      check(row, f);
    }
    {
      INFO(row.name << ", byte by byte");
      Fixture f;
      f.feed_bytewise(row.raw);
      check(row, f);
    }
    {
      INFO(row.name << ", in two halves");
      Fixture f;
      f.feed(std::string_view(row.raw).substr(0, row.raw.size() / 2));
      f.feed(std::string_view(row.raw).substr(row.raw.size() / 2));
      check(row, f);
    }
  }
}

TEST_CASE("lenient line endings") {
  const std::vector<Row> rows = {
      {"LF only", "GET / HTTP/1.1\nHost: a\n\n", kGot},
      {"mixed", "GET / HTTP/1.1\r\nHost: a\n\r\n", kGot},
      {"empty lines before", "\n\r\n\nGET / HTTP/1.1\nHost: a\n\n", kGot},
      {"chunks", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n1\nx\n0\nA: b\n\n",
       kChunked + " x {A=b}"},
      {"a bare CR stays wrong", "GET / HTTP/1.1\nHost: a\rb\n\n", "400"},
      {"CR CR LF stays wrong", "GET / HTTP/1.1\nHost: a\r\r\n\n", "400"},
      {"obs-fold stays wrong", "GET / HTTP/1.1\nHost: a\n b\n\n", "400"},
  };
  SessionSettings settings;
  settings.lenient_line_endings = true;
  for (const Row& row : rows)
    for (const bool whole : {true, false}) {
      INFO(row.name << (whole ? ", whole" : ", byte by byte"));
      Fixture f(settings);
      whole ? f.feed(row.raw) : f.feed_bytewise(row.raw);
      check(row, f);
    }
}

TEST_CASE("invalid names: taken as they are, and with underscores") {
  SessionSettings taken;  // nginx: ignore_invalid_headers off
  taken.ignore_invalid_headers = false;
  Fixture f(taken);
  f.feed(get_with("A_b: c\r\nx!y: d\r\n"));
  CHECK(f.summary() == "GET / {Host=a, A_b=c, x!y=d}");
  Fixture smuggled(taken);
  smuggled.feed(get_with("Transfer_Encoding: chunked\r\n"));
  CHECK(smuggled.summary() == "400");

  SessionSettings underscores;
  underscores.underscores_in_headers = true;
  Fixture g(underscores);
  g.feed(get_with("A_b: c\r\n"));
  CHECK(g.summary() == "GET / {Host=a, A_b=c}");

  for (const std::string name : {"Content_Length", "transfer_encoding", "Transfer_Encoding"}) {
    Fixture h(underscores);
    h.feed(get_with(name + ": 1\r\n"));
    CHECK(h.summary() == "400");
  }

  Fixture logged;
  logged.feed(get_with("A_b: c\r\n"));
  CHECK(logged.log_lines.has("info client sent invalid header line: \"A_b: c\""));
}

TEST_CASE("limits of a head") {
  SessionSettings s;
  s.header_buffer = 64;
  s.large_buffers = 3;
  s.large_buffer = 100;
  s.max_headers = 5;
  const auto filled = [](std::size_t n) { return std::string(n, 'x'); };
  const std::vector<Row> rows = {
      {"longest line", line("GET /" + filled(100 - 16) + " HTTP/1.1"),
       "GET /" + filled(84) + " {Host=a}"},
      {"request line too long", line("GET /" + filled(85) + " HTTP/1.1"), "414",
       "client sent too long URI"},
      {"request line without end", "GET /" + filled(200), "414"},
      {"longest field", get_with("A: " + filled(95) + "\r\n"),
       "GET / {Host=a, A=" + filled(95) + "}"},
      {"field too long", get_with("A: " + filled(96) + "\r\n"), "494",
       "client sent too long header line"},
      {"field without end", "GET / HTTP/1.1\r\nA: " + filled(200), "494",
       "client sent too long header line"},
      {"head too large",
       get_with("A: " + filled(90) + "\r\nB: " + filled(90) + "\r\nC: " + filled(90) + "\r\n"),
       "494", "client sent too large request"},
      {"fields enough", get_with("A: b\r\nA: b\r\nA: b\r\nA: b\r\n"),
       "GET / {Host=a, A=b, A=b, A=b, A=b}"},
      {"too many fields", get_with("A: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n"), "400",
       "client sent too many header lines"},
      {"ignored fields count", get_with("A: b\r\nA_: b\r\nA: b\r\nA_: b\r\nA: b\r\n"), "400"},
      {"chunk line too long", chunked("1;" + filled(200) + "\r\nx\r\n0\r\n\r\n"),
       kChunked + " failed 400"},
      {"extensions too large in sum",
       chunked("1;" + filled(90) + "\r\nx\r\n1;" + filled(90) + "\r\nx\r\n1;" + filled(90) +
               "\r\nx\r\n1;" + filled(90) + "\r\nx\r\n0\r\n\r\n"),
       kChunked + " xxx failed 400"},
      {"trailers too large",
       chunked("0\r\nA: " + filled(90) + "\r\nB: " + filled(90) + "\r\nC: " + filled(90) +
               "\r\nD: " + filled(90) + "\r\n\r\n"),
       kChunked + " failed 400"},
  };
  for (const Row& row : rows)
    for (const bool whole : {true, false}) {
      INFO(row.name << (whole ? ", whole" : ", byte by byte"));
      Fixture f(s);
      whole ? f.feed(row.raw) : f.feed_bytewise(row.raw);
      check(row, f);
    }
}
