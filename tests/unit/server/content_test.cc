// What filters make of answers, asked of a whole server: conditions, ranges, fields, encodings.

#include "proxy/http/encoding.h"
#include "tests/support/catch.h"
#include "tests/unit/server/site_fixture.h"

using namespace gatescope;
using namespace gatescope::test;

namespace {

std::string hundred_lines() {
  std::string text;
  for (int i = 0; i < 100; ++i)
    text += "X" + std::string(i < 10 ? "00" : "0") + std::to_string(i) + "XXXXXX";
  return text;
}

std::string dechunked(std::string body) {
  std::string text;
  while (true) {
    const auto line = body.find("\r\n");
    if (line == std::string::npos) return text + " (cut)";
    const auto size = std::stoul(body.substr(0, line), nullptr, 16);
    if (size == 0) return text;
    text += body.substr(line + 2, size);
    body.erase(0, line + 2 + size + 2);
  }
}

std::string gunzipped(std::string_view encoded) {
  http::GzipDecoder decoder;
  std::string plain;
  if (auto decoded = decoder.decode(encoded, 1u << 24, plain); !decoded)
    return decoded.error().detail;
  return plain;
}

}  // namespace

TEST_CASE("conditions of a request, in the order of RFC 9110", "[both]") {
  Site site(R"(server { listen 80; root $folder/html;
    location /text { add_header ETag '"text"'; return 200 hello; }
    location /before/ { if_modified_since before; alias $folder/html/; }
    location /off/ { if_modified_since off; alias $folder/html/; }
  })");
  REQUIRE(site.load_error() == "");
  site.write("html/a.txt", "0123456789");
  const auto whole = site.get("/a.txt");
  const auto tag = field_of_answer(whole, "ETag"), date = field_of_answer(whole, "Last-Modified");
  const std::string past = "Sun, 06 Nov 1994 08:49:37 GMT",
                    future = "Wed, 06 Nov 2090 08:49:37 GMT";
  struct Case {
    std::string target, fields;
    int status;
  };
  const Case cases[] = {
      {"/a.txt", "If-None-Match: " + tag, 304},
      {"/a.txt", "If-None-Match: W/" + tag, 304},
      {"/a.txt", "If-None-Match: \"x\", " + tag, 304},
      {"/a.txt", "If-None-Match: *", 304},
      {"/a.txt", "If-None-Match: \"x\"", 200},
      {"/a.txt", "If-Modified-Since: " + date, 304},
      {"/a.txt", "If-Modified-Since: " + future, 200},  // exact, not before
      {"/before/a.txt", "If-Modified-Since: " + future, 304},
      {"/before/a.txt", "If-Modified-Since: " + past, 200},
      {"/off/a.txt", "If-Modified-Since: " + date, 200},
      {"/a.txt", "If-Modified-Since: yesterday", 200},
      {"/a.txt", "If-Match: " + tag, 200},
      {"/a.txt", "If-Match: *", 200},
      {"/a.txt", "If-Match: \"x\"", 412},
      {"/a.txt", "If-Match: W/" + tag, 412},
      {"/a.txt", "If-Unmodified-Since: " + date, 200},
      {"/a.txt", "If-Unmodified-Since: " + past, 412},
      // If-Match stands above If-Unmodified-Since, If-None-Match above If-Modified-Since
      {"/a.txt", "If-Match: " + tag + "\r\nIf-Unmodified-Since: " + past, 200},
      {"/a.txt", "If-None-Match: \"x\"\r\nIf-Modified-Since: " + date, 200},
      {"/a.txt", "If-None-Match: " + tag + "\r\nIf-Modified-Since: " + past, 304},
      {"/a.txt", "If-Match: \"x\"\r\nIf-None-Match: " + tag, 412},
      {"/none", "If-Match: \"x\"", 404},
      {"/text", "If-Match: \"x\"", 412},
      {"/text", "If-None-Match: *", 304},
  };
  for (const auto& c : cases) {
    INFO(c.target << " " << c.fields);
    const auto answer = site.get(c.target, c.fields + "\r\n");
    CHECK(status_of_answer(answer) == c.status);
    if (c.status != 304) continue;
    CHECK(body_of_answer(answer).empty());
    CHECK(field_of_answer(answer, "Content-Type") == "(none)");
    CHECK(field_of_answer(answer, "Content-Length") == "(none)");
    if (c.target == "/a.txt") CHECK(field_of_answer(answer, "ETag") == tag);
  }
}

TEST_CASE("ranges of files in memory and of large ones", "[both]") {
  Site site(R"(server { listen 80; root $folder/html; error_page 416 /416.html;
    location /none/ { max_ranges 0; alias $folder/html/; }
    location /two/ { max_ranges 2; alias $folder/html/; } })");
  REQUIRE(site.load_error() == "");
  site.write("html/small.txt", hundred_lines());
  std::string large;
  for (int i = 0; i < 700; ++i)
    large += hundred_lines();
  site.write("html/large.txt", large);
  site.write("html/416.html", "no such part");
  struct Case {
    std::string target, range;
    int status;
    std::vector<std::pair<std::size_t, std::size_t>> parts;  // first, length
  };
  const Case cases[] = {
      {"/small.txt", "bytes=0-8", 206, {{0, 9}}},
      {"/small.txt", "bytes=-10", 206, {{990, 10}}},
      {"/small.txt", "bytes=0-9, -10, 10-19", 206, {{0, 10}, {990, 10}, {10, 10}}},
      {"/small.txt", "bytes=0-0,0-0,5-5", 206, {{0, 1}, {0, 1}, {5, 1}}},
      {"/small.txt", "bytes=0-10001,0-0", 200, {}},
      {"/small.txt", "bytes=1000-", 416, {}},
      {"/none/small.txt", "bytes=0-8", 200, {}},
      {"/two/small.txt", "bytes=0-9,-10,10000-", 206, {{0, 10}, {990, 10}}},
      {"/two/small.txt", "bytes=0-9,-10,10-19", 200, {}},
      {"/large.txt", "bytes=65530-300000", 206, {{65530, 234471}}},
      {"/large.txt",
       "bytes=699999-,0-99,100000-400000",
       206,
       {{699999, 1}, {0, 100}, {100000, 300001}}},
      {"/large.txt", "bytes=700000-", 416, {}},
  };
  for (const auto& c : cases) {
    INFO(c.target << " " << c.range);
    const auto& content = c.target == "/large.txt" ? large : hundred_lines();
    const auto answer = site.get(c.target, "Range: " + c.range + "\r\n");
    const auto body = body_of_answer(answer);
    CHECK(status_of_answer(answer) == c.status);
    CHECK(field_of_answer(answer, "Content-Length") == std::to_string(body.size()));
    if (c.status == 200) {
      CHECK(body == content);
    } else if (c.status == 416) {
      CHECK(body == "no such part");
    } else if (c.parts.size() == 1) {
      CHECK(body == content.substr(c.parts[0].first, c.parts[0].second));
    } else {
      const auto type = field_of_answer(answer, "Content-Type");
      REQUIRE(type.starts_with("multipart/byteranges; boundary="));
      const auto boundary = type.substr(type.find('=') + 1);
      std::string expected;
      for (const auto& [first, length] : c.parts)
        expected += "\r\n--" + boundary + "\r\nContent-Type: text/plain\r\nContent-Range: bytes " +
                    std::to_string(first) + "-" + std::to_string(first + length - 1) + "/" +
                    std::to_string(content.size()) + "\r\n\r\n" + content.substr(first, length);
      CHECK(body == expected + "\r\n--" + boundary + "--\r\n");
    }
  }
  CHECK(field_of_answer(site.get("/small.txt"), "Accept-Ranges") == "bytes");
  CHECK(field_of_answer(site.get("/none/small.txt"), "Accept-Ranges") == "(none)");
  const auto head = site.ask(
      "HEAD /small.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\nConnection: close\r\n\r\n");
  CHECK(status_of_answer(head) == 200);  // RFC 9110 14.2: GET only
}

TEST_CASE("416 without an error page says how long the file is", "[both]") {
  Site site("server { listen 80; root $folder/html; }");
  site.write("html/a.txt", "0123456789");
  const auto answer = site.get("/a.txt", "Range: bytes=10-\r\n");
  CHECK(status_of_answer(answer) == 416);
  CHECK(field_of_answer(answer, "Content-Range") == "bytes */10");
  CHECK(field_of_answer(answer, "Content-Length") == std::to_string(body_of_answer(answer).size()));
}

TEST_CASE("add_header, add_trailer and what a level takes from the one around") {
  Site site(R"(add_header X-Outer o; add_trailer T-Outer $uri always;
    server { listen 80;
      location /plain { return 200 x; }
      location /own { add_header X-Own w; return 200 x; }
      location /merge { add_header_inherit merge; add_header X-Own w; add_header X-Own again;
                        location /merge/deep { add_header X-Deep d; return 200 x; } return 200 x; }
      location /off { add_header_inherit off; add_trailer_inherit off; return 200 x; }
      location /modified { add_header Last-Modified "Mon, 28 Sep 1970 06:00:00 GMT";
                           add_header ETag '"e"'; return 200 x; }
      location /split { add_header X-Uri $uri; return 200 x; }
      location /missing { add_header X-A a always; add_header X-B b; return 404; } })");
  REQUIRE(site.load_error() == "");
  const auto has = [](const std::string& answer, const char* text) {
    return answer.find(text) != std::string::npos;
  };
  auto answer = site.get("/plain");
  CHECK(has(answer, "X-Outer: o\r\n"));
  CHECK(answer.ends_with("\r\n0\r\nT-Outer: /plain\r\n\r\n"));
  CHECK(field_of_answer(answer, "Content-Length") == "(none)");
  CHECK_FALSE(has(site.ask("GET /plain HTTP/1.0\r\nHost: localhost\r\n\r\n"), "T-Outer"));
  CHECK_FALSE(has(site.get("/own"), "X-Outer"));
  answer = site.get("/merge");
  CHECK(has(answer, "X-Outer: o\r\nX-Own: w\r\nX-Own: again\r\n"));
  CHECK(has(site.get("/merge/deep"), "X-Outer: o\r\nX-Own: w\r\nX-Own: again\r\nX-Deep: d\r\n"));
  answer = site.get("/off");
  CHECK_FALSE(has(answer, "X-Outer"));
  CHECK(field_of_answer(answer, "Content-Length") == "1");
  answer = site.get("/modified");
  CHECK(field_of_answer(answer, "Last-Modified") == "Mon, 28 Sep 1970 06:00:00 GMT");
  CHECK(field_of_answer(answer, "ETag") == "\"e\"");
  CHECK_FALSE(has(site.get("/split%0d%0aX-Evil:1"), "\r\nX-Evil"));
  answer = site.get("/missing");
  CHECK(has(answer, "X-A: a"));
  CHECK_FALSE(has(answer, "X-B"));
}

TEST_CASE("gzip and brotli for any answer", "[both]") {
  Site site(R"(gzip_vary on;
    server { listen 80; root $folder/html; default_type text/html;
      location / { gzip on; brotli on; gzip_types text/css; brotli_types text/css; }
      location /gz/ { gzip on; gzip_min_length 100; alias $folder/html/; }
      location /any/ { gzip on; gzip_types *; gzip_proxied any; gzip_disable "Old.*Browser" msie6;
                       alias $folder/html/; }
      location /said { gzip on; return 200 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; }
      location /err { gzip on; return 500; } })");
  REQUIRE(site.load_error() == "");
  const auto text = hundred_lines();
  site.write("html/a.html", text);
  site.write("html/a.css", text);
  site.write("html/a.js", text);
  site.write("html/short.html", "short");
  std::string large;
  for (int i = 0; i < 500; ++i)
    large += text;
  site.write("html/large.html", large);
  struct Case {
    std::string target, fields, encoding;
    bool vary;
  };
  const Case cases[] = {
      {"/a.html", "Accept-Encoding: gzip", "gzip", true},
      {"/a.html", "Accept-Encoding: gzip, br", "br", true},
      {"/a.html", "Accept-Encoding: gzip, br;q=0.5", "gzip", true},
      {"/a.html", "Accept-Encoding: zstd", "(none)", true},
      {"/a.html", "X: y", "(none)", true},
      {"/a.css", "Accept-Encoding: gzip", "gzip", true},
      {"/a.js", "Accept-Encoding: gzip", "(none)", false},
      {"/short.html", "Accept-Encoding: gzip", "(none)", false},
      {"/large.html", "Accept-Encoding: gzip", "gzip", true},
      {"/gz/short.html", "Accept-Encoding: gzip", "(none)", false},
      {"/gz/a.html", "Accept-Encoding: br", "(none)", true},
      {"/gz/a.html", "Accept-Encoding: gzip\r\nVia: 1.1 x", "(none)", true},
      {"/any/a.js", "Accept-Encoding: gzip\r\nVia: 1.1 x", "gzip", true},
      {"/any/a.js", "Accept-Encoding: gzip\r\nUser-Agent: An Old Browser", "(none)", true},
      {"/any/a.js", "Accept-Encoding: gzip\r\nUser-Agent: MSIE 6.0; SV1", "gzip", true},
      {"/any/a.js", "Accept-Encoding: gzip\r\nUser-Agent: MSIE 6.0", "(none)", true},
      {"/said", "Accept-Encoding: gzip", "gzip", true},
      {"/err", "Accept-Encoding: gzip", "(none)", false},
  };
  for (const auto& c : cases) {
    INFO(c.target << " " << c.fields);
    const auto answer = site.get(c.target, c.fields + "\r\n");
    CHECK(field_of_answer(answer, "Content-Encoding") == c.encoding);
    CHECK((field_of_answer(answer, "Vary") == "Accept-Encoding") == c.vary);
    if (c.encoding != "gzip" || c.target == "/said") continue;
    const bool chunked = field_of_answer(answer, "Transfer-Encoding") == "chunked";
    const auto body = body_of_answer(answer);
    CHECK(gunzipped(chunked ? dechunked(body) : body) ==
          (c.target == "/large.html" ? large : text));
  }
  const auto streamed = site.get("/large.html", "Accept-Encoding: gzip\r\nRange: bytes=0-9\r\n");
  CHECK(status_of_answer(streamed) == 200);  // nobody knows where its bytes will be
  CHECK(field_of_answer(streamed, "ETag").starts_with("W/\""));
  const auto old = site.ask("GET /a.html HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n");
  CHECK(field_of_answer(old, "Content-Encoding") == "(none)");
}

TEST_CASE("charset names and recodes, and ranges count the recoded bytes") {
  Site site(R"(types { text/html html; text/foo foo; text/koi koi; }
    charset_map B A { 58 59; }
    charset_map koi8-r utf-8 { C6 D184; }
    server { listen 80; root $folder/html; charset utf-8;
      location /a/ { charset A; source_charset B; alias $folder/html/; }
      location /gz/ { charset A; source_charset B; gzip on; alias $folder/html/; }
      location /koi/ { source_charset koi8-r; alias $folder/html/; }
      location /off/ { charset off; alias $folder/html/; }
      location /any/ { charset $arg_c; charset_types *; alias $folder/html/; }
      location /nomap/ { charset X; source_charset $arg_s; alias $folder/html/; }
      location /flowed/ { types { } default_type "text/plain; format=flowed"; alias $folder/html/; }
      location /moved { return 301 /; } })");
  REQUIRE(site.load_error() == "");
  site.write("html/x.html", std::string(40, 'X'));
  site.write("html/x.foo", "X");
  site.write("html/k.html", "\xC6");
  const auto type = [&](const std::string& target) {
    return field_of_answer(site.get(target), "Content-Type");
  };
  CHECK(type("/x.html") == "text/html; charset=utf-8");
  CHECK(type("/x.foo") == "text/foo");
  CHECK(type("/off/x.html") == "text/html");
  CHECK(type("/any/x.foo?c=B") == "text/foo; charset=B");
  CHECK(type("/any/x.foo") == "text/foo");
  CHECK(type("/nomap/x.html?s=Y") == "text/html");
  CHECK(
      site.read("logs/error.log").find("no \"charset_map\" between the charsets \"Y\" and \"X\"") !=
      std::string::npos);
  CHECK(type("/flowed/x.foo") == "text/plain; format=flowed; charset=utf-8");
  CHECK(type("/moved") == "text/html");
  CHECK(type("/a/x.html") == "text/html; charset=A");
  CHECK(body_of_answer(site.get("/a/x.html")) == std::string(40, 'Y'));
  const auto part = site.get("/a/x.html", "Range: bytes=0-1,38-\r\n");
  CHECK(status_of_answer(part) == 206);
  CHECK(part.find("\r\nContent-Type: text/html; charset=A\r\n") != std::string::npos);
  CHECK(part.find("\r\n\r\nYY\r\n--") != std::string::npos);
  const auto zipped = site.get("/gz/x.html", "Accept-Encoding: gzip\r\n");
  CHECK(gunzipped(dechunked(body_of_answer(zipped))) == std::string(40, 'Y'));
  CHECK(dechunked(body_of_answer(site.get("/koi/k.html"))) == "\xD1\x84");
}

TEST_CASE("folders are listed where autoindex is on", "[both]") {
  Site site(R"(server { listen 80; root $folder/html; autoindex on;
    location /json/ { autoindex_format jsonp; alias $folder/html/; }
    location /no/ { autoindex off; alias $folder/html/; } })");
  REQUIRE(site.load_error() == "");
  site.write("html/d/file", "12");
  site.write("html/i/index.html", "index");
  auto answer = site.get("/d/");
  CHECK(status_of_answer(answer) == 200);
  CHECK(body_of_answer(answer).find("<a href=\"file\">file</a>") != std::string::npos);
  CHECK(body_of_answer(site.get("/i/")) == "index");
  CHECK(status_of_answer(site.get("/none/")) == 404);
  CHECK(status_of_answer(site.get("/no/d/")) == 403);
  answer = site.get("/json/d/?callback=f");
  CHECK(field_of_answer(answer, "Content-Type") == "application/javascript");
  CHECK(body_of_answer(answer).starts_with("/* callback */\r\nf(["));
  CHECK(status_of_answer(site.get("/json/d/?callback=f%28")) == 400);
  answer = site.ask("HEAD /d/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK(status_of_answer(answer) == 200);
  CHECK(body_of_answer(answer).empty());
}

TEST_CASE("an alias with dots leads where the operator said, a request's dots nowhere", "[both]") {
  Site site(R"(server { listen 80; root $folder/html;
    location /up/ { alias $folder/html/../shared/; }
    location /links/ { disable_symlinks on; alias $folder/./html/../shared/; }
    location /index/ { alias $folder/html/; index $arg_i; } })");
  REQUIRE(site.load_error() == "");
  site.write("shared/a.txt", "shared");
  site.write("html/b.txt", "below");
  CHECK(body_of_answer(site.get("/up/a.txt")) == "shared");
  CHECK(body_of_answer(site.get("/links/a.txt")) == "shared");
  CHECK(status_of_answer(site.get("/up/%2e%2e/html/b.txt")) == 404);
  CHECK(status_of_answer(site.get("/index/?i=../shared/a.txt")) == 403);
  CHECK(body_of_answer(site.get("/index/?i=b.txt")) == "below");
}
