// Where a message ends: what RFC 9112 6 and 7 demand of a server and of a proxy, against the known
// collections of smuggling (CL.TE, TE.CL, TE.TE, CL.0, chunk extensions, sizes). What may pass goes
// through a proxy whose backend may misread in any way.

#include <cctype>

#include "tests/support/catch.h"
#include "tests/unit/server/hostile_fixture.h"

using namespace gatescope::test;
using namespace std::string_literals;

namespace {

constexpr const char* kHostileFramingSite = R"(
  server {
    listen 80;
    client_body_timeout 2s;
    location / { proxy_request_buffering $buffering; proxy_pass http://127.0.0.1:9000; }
    location /local { return 200 "local"; }
  })";

const std::string kNext = "GET /evil HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

std::string with(const std::string& fields, const std::string& body = "",
                 const std::string& line = "POST / HTTP/1.1") {
  return line + "\r\nHost: a\r\n" + fields + "\r\n" + body;
}
std::string length(const std::string& value) {
  return with("Content-Length: " + value + "\r\nConnection: close\r\n", "hello");
}
/// A chunked request with this Transfer-Encoding line; what a reader of lengths would take for the
/// next request stands in its body.
std::string coding(const std::string& line) {
  return with(line + "\r\n", "0\r\n\r\n") + kNext;
}
std::string chunks(const std::string& body) {
  return with("Transfer-Encoding: chunked\r\nConnection: close\r\n", body);
}

}  // namespace

TEST_CASE("hostile framing: Content-Length") {
  check_hostile(
      kHostileFramingSite,
      {
          {"good", length("5"), "200", 1},
          {"blanks around", length(" \t5 \t"), "200", 1},
          {"leading zeros", length("0005"), "200", 1},
          {"shorter than what comes", length("3"), "200", 1},
          {"longer than what comes", length("50"), "408", -1},
          {"plus", length("+5"), "400"},
          {"minus", length("-5"), "400"},
          {"minus zero", length("-0"), "400"},
          {"hexadecimal", length("0x5"), "400"},
          {"exponent", length("5e0"), "400"},
          {"fraction", length("5.0"), "400"},
          {"underscore", length("0_5"), "400"},
          {"letters behind", length("5a"), "400"},
          {"list of equals", length("5, 5"), "400"},
          {"list of two", length("5,6"), "400"},
          {"blank between", length("5 5"), "400"},
          {"empty", length(""), "400"},
          {"comma alone", length(","), "400"},
          {"quoted", length("\"5\""), "400"},
          {"NUL behind", length("5\0"s), "400"},
          {"vertical tab before",
           length("\x0b"
                  "5"),
           "400"},
          {"form feed behind", length("5\x0c"), "400"},
          {"no-break space",
           length("\xa0"
                  "5"),
           "400"},
          {"fullwidth digit", length("\xef\xbc\x95"), "400"},
          {"2^63", length("9223372036854775808"), "400"},
          {"2^64 + 5", length("18446744073709551621"), "400"},
          {"2^128", length("340282366920938463463374607431768211461"), "400"},
          {"300 digits", length(std::string(300, '9')), "400"},
          {"below 2^63, too large", length("9223372036854775807"), "413"},
          {"twice, equal", with("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), "400"},
          {"twice, the first shorter",
           with("Content-Length: 0\r\nContent-Length: 5\r\n", "hello") + kNext, "400"},
          {"twice, the second shorter",
           with("Content-Length: 5\r\nContent-Length: 0\r\n", "hello") + kNext, "400"},
          {"blank before the colon", with("Content-Length : 5\r\n", "hello"), "400"},
          {"tab before the colon", with("Content-Length\t: 5\r\n", "hello"), "400"},
          {"blank before the name", with("X: y\r\n Content-Length: 5\r\n", "hello"), "400"},
          {"folded", with("Content-Length:\r\n 5\r\n", "hello"), "400"},
          {"NUL in the name", with("Content-Length\0: 5\r\n"s, "hello"), "400"},
          {"bare CR behind", with("Content-Length: 5\rX: y\r\n", "hello"), "400"},
          {"bare LF behind", with("Content-Length: 5\nX: y\r\n", "hello"), "400"},
          {"underscore in the name is nobody's length",
           with("Content_Length: " + std::to_string(kNext.size()) + "\r\n") + kNext, "200 200", 2,
           "Content_Length"},
          {"body of GET that looks like a request",
           with("Content-Length: " + std::to_string(kNext.size()) + "\r\nConnection: close\r\n",
                kNext, "GET / HTTP/1.1"),
           "200", 1},
          {"dropped body that looks like a request",
           with("Content-Length: " + std::to_string(kNext.size()) + "\r\n", kNext,
                "POST /local HTTP/1.1") +
               "GET /local HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
           "200 200"},
          {"body of HEAD",
           with("Content-Length: 5\r\n", "hello", "HEAD /local HTTP/1.1") +
               "GET /local HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
           "200 (bad)|200 200"},
          {"two requests, the first with a body", with("Content-Length: 5\r\n", "hello") + kNext,
           "200 200", 2},
          {"length named in Connection",
           with("Content-Length: 5\r\nConnection: close, Content-Length\r\n", "hello"), "200", 1},
          {"1.0 with a length", with("Content-Length: 5\r\n", "hello", "POST / HTTP/1.0"), "200",
           1},
      });
}

TEST_CASE("hostile framing: Transfer-Encoding") {
  const auto t = [](const std::string& value) { return coding("Transfer-Encoding: " + value); };
  check_hostile(
      kHostileFramingSite,
      {
          {"good", t("chunked"), "200 200", 2},
          {"case", coding("tRANSFER-eNCODING: cHuNkEd"), "200 200", 2},
          {"tab", coding("Transfer-Encoding:\tchunked"), "200 200", 2},
          {"blank behind", t("chunked \t"), "200 200", 2},
          {"no blank", coding("Transfer-Encoding:chunked"), "200 200", 2},
          {"CL.TE", with("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nG"),
           "400"},
          {"TE.CL",
           with("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
                "5c\r\n" + kNext + "\r\n0\r\n\r\n"),
           "400"},
          {"with a length of 0",
           with("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", "0\r\n\r\n"), "400"},
          {"with a bad length",
           with("Transfer-Encoding: chunked\r\nContent-Length: x\r\n", "0\r\n\r\n"), "400"},
          {"TE.TE", coding("Transfer-Encoding: chunked\r\nTransfer-Encoding: cow"), "400"},
          {"TE.TE, the other way", coding("Transfer-Encoding: cow\r\nTransfer-Encoding: chunked"),
           "400"},
          {"twice", coding("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), "400"},
          {"TE.TE with identity",
           coding("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"), "400"},
          {"xchunked", t("xchunked"), "501"},
          {"chunkedx", t("chunkedx"), "501"},
          {"chunk", t("chunk"), "501"},
          {"identity", t("identity"), "501"},
          {"gzip", t("gzip"), "501"},
          {"gzip, chunked", t("gzip, chunked"), "501"},
          {"chunked, gzip", t("chunked, gzip"), "501"},
          {"chunked, identity", t("chunked, identity"), "501"},
          {"identity, chunked", t("identity, chunked"), "501"},
          {"chunked, chunked", t("chunked, chunked"), "501"},
          {"chunked and a comma", t("chunked,"), "501"},
          {"comma first", t(",chunked"), "501"},
          {"parameter", t("chunked;q=1"), "501"},
          {"quotes", t("\"chunked\""), "501"},
          {"single quotes", t("'chunked'"), "501"},
          {"brackets", t("[chunked]"), "501"},
          {"empty", coding("Transfer-Encoding:"), "501"},
          {"name twice in the line", t("Transfer-Encoding: chunked"), "501"},
          {"vertical tab",
           t("\x0b"
             "chunked"),
           "400"},
          {"form feed",
           t("\x0c"
             "chunked"),
           "400"},
          {"NUL before", t("\0chunked"s), "400"},
          {"NUL behind", t("chunked\0"s), "400"},
          {"control in the name", coding("\x01Transfer-Encoding: chunked"), "400"},
          {"high byte before",
           t("\xa0"
             "chunked"),
           "501"},
          {"DEL behind", t("chunked\x7f"), "400"},
          {"bare CR before", t("\rchunked"), "400"},
          {"bare CR in another field", coding("X: y\rTransfer-Encoding: chunked"), "400"},
          {"bare LF in another field", coding("X: y\nTransfer-Encoding: chunked"), "400"},
          {"LF CR", coding("X: y\n\rTransfer-Encoding: chunked"), "400"},
          {"blank before the colon", coding("Transfer-Encoding : chunked"), "400"},
          {"tab before the colon", coding("Transfer-Encoding\t: chunked"), "400"},
          {"line end before the colon", coding("Transfer-Encoding\r\n : chunked"), "400"},
          {"blank before the name", coding("X: y\r\n Transfer-Encoding: chunked"), "400"},
          {"folded value", coding("Transfer-Encoding:\r\n chunked"), "400"},
          {"folded behind", coding("Transfer-Encoding: chunked\r\n , identity"), "400"},
          {"underscore is nobody's",
           with("Transfer_Encoding: chunked\r\nContent-Length: 5\r\n"
                "Connection: close\r\n",
                "0\r\n\r\n"),
           "200", 1, "Transfer_Encoding"},
          {"dot for dash is nobody's",
           with("Transfer.Encoding: chunked\r\nContent-Length: 5\r\n"
                "Connection: close\r\n",
                "0\r\n\r\n"),
           "200", 1, "Transfer.Encoding"},
          {"NUL in the name", coding("Transfer\0-Encoding: chunked"s), "400"},
          {"colon twice", coding("Transfer-Encoding:: chunked"), "501"},
          {"equals for the colon", coding("Transfer-Encoding= chunked"), "400"},
          {"in 1.0", with("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "POST / HTTP/1.0"), "400"},
          {"in 1.0 with a length",
           with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n",
                "POST / HTTP/1.0"),
           "400"},
          {"in GET",
           with("Transfer-Encoding: chunked\r\nConnection: close\r\n", "0\r\n\r\n",
                "GET / HTTP/1.1"),
           "200", 1},
          {"in OPTIONS",
           with("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "OPTIONS / HTTP/1.1") + kNext,
           "200 200", 2},
          {"named in Connection",
           with("Transfer-Encoding: chunked\r\nConnection: close, Transfer-Encoding\r\n",
                "5\r\nhello\r\n0\r\n\r\n"),
           "200", 1},
          {"TE is not passed on",
           with("TE: chunked, trailers\r\nConnection: close, TE\r\n", "", "GET / HTTP/1.1"), "200",
           1, "TE:"},
      });
}

TEST_CASE("hostile framing: chunks") {
  check_hostile(
      kHostileFramingSite,
      {
          {"good", chunks("5\r\nhello\r\n0\r\n\r\n"), "200", 1},
          {"upper and lower hex", chunks("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"), "200",
           1},
          {"zeros before", chunks("0000000000000005\r\nhello\r\n000\r\n\r\n"), "200", 1},
          {"a chunk that looks like a request",
           chunks("3c\r\n" + kNext.substr(0, 60) + std::string(60 - kNext.size(), 'x') +
                  "\r\n0\r\n\r\n"),
           "200", 1},
          {"extension", chunks("5;a=b\r\nhello\r\n0\r\n\r\n"), "200", 1, "a=b"},
          {"quoted extension", chunks("5;a=\"b;c\"\r\nhello\r\n0\r\n\r\n"), "200", 1, "b;c"},
          {"extension of the last chunk", chunks("5\r\nhello\r\n0;a=b\r\n\r\n"), "200", 1, "a=b"},
          {"bare LF in an extension", chunks("5;\nx\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"bare LF behind a semicolon, a chunk within",
           chunks("5;\nxx\r\n2d\r\n0\r\n\r\n" + kNext), "400", -1},
          {"bare CR in an extension", chunks("5;\rx\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"NUL in an extension", chunks("5;\0\r\nhello\r\n0\r\n\r\n"s), "400", -1},
          {"line end in a quoted extension", chunks("5;a=\"\r\nhello\r\n0\r\n\r\n"), "200", 1},
          {"blank before the semicolon", chunks("5 ;a\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"0x", chunks("0x5\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"0X0", chunks("5\r\nhello\r\n0X0\r\n\r\n"), "400", -1},
          {"plus", chunks("+5\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"minus", chunks("-5\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"minus zero", chunks("5\r\nhello\r\n-0\r\n\r\n"), "400", -1},
          {"underscore", chunks("0_5\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"blank before", chunks(" 5\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"blank behind", chunks("5 \r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"tab behind", chunks("5\t\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"CR CR LF", chunks("5\r\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"LF alone", chunks("5\nhello\r\n0\r\n\r\n"), "400", -1},
          {"CR alone", chunks("5\rhello\r\n0\r\n\r\n"), "400", -1},
          {"no digits", chunks("\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"semicolon alone", chunks(";\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"not hexadecimal", chunks("g\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"decimal comma", chunks("5,0\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"17 digits", chunks("00000000000000005\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"2^64 + 5", chunks("10000000000000005\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"2^64 - 1", chunks("ffffffffffffffff\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"2^63", chunks("8000000000000000\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"data too long", chunks("4\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"data too short", chunks("6\r\nhello\r\n0\r\n\r\n"), "400", -1},
          {"LF alone behind the data", chunks("5\r\nhello\n0\r\n\r\n"), "400", -1},
          {"two bytes that are no CRLF behind the data", chunks("5\r\nhelloXX0\r\n\r\n"), "400",
           -1},
          {"no end", chunks("5\r\nhello\r\n"), "408", -1},
          {"half an end", chunks("5\r\nhello\r\n0\r\n"), "408", -1},
          {"LF alone at the end", chunks("0\r\n\n"), "400", -1},
          {"CR alone at the end", chunks("0\r\n\rX"), "400|408", -1},
          {"the rest behind the end is dropped", chunks("0\r\n\r\n") + kNext, "200", 1, "evil"},
          {"trailers", chunks("5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"), "200", 1},
          {"trailer that frames", chunks("0\r\nContent-Length: 50\r\n\r\n"), "200", 1,
           "Content-Length: 50"},
          {"trailer with another coding", chunks("0\r\nTransfer-Encoding: gzip\r\n\r\n"), "200", 1,
           "gzip"},
          {"trailer with a Host", chunks("0\r\nHost: evil\r\n\r\n"), "200", 1, "evil"},
          {"trailer with credentials", chunks("0\r\nAuthorization: evil\r\n\r\n"), "200", 1,
           "evil"},
          {"folded trailer", chunks("0\r\nX: y\r\n evil\r\n\r\n"), "400", -1},
          {"bare LF in trailers", chunks("0\r\nX: y\nZ: z\r\n\r\n"), "400", -1},
          {"bare CR in trailers", chunks("0\r\nX: y\rZ: z\r\n\r\n"), "400", -1},
          {"NUL in trailers", chunks("0\r\nX: \0\r\n\r\n"s), "400", -1},
          {"no colon in trailers", chunks("0\r\nGET /evil HTTP/1.1\r\n\r\n"), "400", -1},
          {"an endless extension", chunks("5;" + std::string(9000, 'x') + "\r\nhello\r\n0\r\n\r\n"),
           "400", -1},
      });
}

// The space that the public collections draw from (defparam/smuggler, PortSwigger's
// http-request-smuggler): every odd byte in every place around the framing fields' names and
// values, with a second framing field of the ordinary kind before or behind, and a request hidden
// in the body.
TEST_CASE("hostile framing: every byte in every place of a framing field") {
  const std::string chunked_body = "0\r\n\r\n" + kNext;
  const std::string length_field = "Content-Length: " + std::to_string(chunked_body.size());
  std::vector<std::string> raws;
  const auto add = [&](const std::string& odd, const std::string& plain, const std::string& body) {
    for (const auto& fields : {odd + "\r\n" + plain, plain + "\r\n" + odd, odd})
      raws.push_back(with(fields + "\r\nConnection: close\r\n", body));
  };
  const auto places = [&](const std::string& name, const std::string& value, const std::string& b) {
    const auto dash = name.find('-');
    const auto middle = value.size() / 2;
    return std::vector<std::string>{
        b + name + ": " + value,
        name.substr(0, dash) + b + name.substr(dash) + ": " + value,
        name.substr(0, dash) + b + name.substr(dash + 1) + ": " + value,
        name + b + ": " + value,
        name + b + value,
        name + ":" + b + value,
        name + ": " + value.substr(0, middle) + b + value.substr(middle),
        name + ": " + value + b,
        name + ": " + value + b + "x",
        "X: y" + b + name + ": " + value,
        name + ":" + b + "\r\n " + value,
        name + ": " + value + b + name + ": " + value};
  };
  for (int c = 0; c < 256; ++c) {
    if (std::isalnum(c)) continue;
    const std::string b(1, static_cast<char>(c));
    for (const auto& odd : places("Transfer-Encoding", "chunked", b))
      add(odd, length_field, chunked_body);
    for (const auto& odd : places("Content-Length", "5", b))
      add(odd, "Transfer-Encoding: chunked", chunked_body);
  }
  for (const std::string b : {"\r\n", "\n\r", "\r\r\n", "\n\n", "  ", "\t\t", "\r\n\t", " \r\n"}) {
    for (const auto& odd : places("Transfer-Encoding", "chunked", b))
      add(odd, length_field, chunked_body);
    for (const auto& odd : places("Content-Length", "5", b))
      add(odd, "Transfer-Encoding: chunked", chunked_body);
  }
  std::string site = kHostileFramingSite;
  site.replace(site.find("$buffering"), 10, "off");
  const auto passed = check_unambiguous(site, raws);
  CHECK(raws.size() > 14'000);
  CHECK(passed > 100);  // blanks, and names that are nobody's: not everything is refused
}
