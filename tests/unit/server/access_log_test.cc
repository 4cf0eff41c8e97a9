// Access logs, asked of a whole server.

#include "proxy/http/access_log.h"

#include <sys/mount.h>
#include <unistd.h>
#include <zlib.h>

#include "tests/support/catch.h"
#include "tests/unit/server/site_fixture.h"

using namespace gatescope;
using namespace gatescope::test;

namespace {

std::string gunzip_all(const std::string& text) {
  std::string out;
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  REQUIRE(::inflateInit2(&stream, MAX_WBITS + 16) == Z_OK);
  while (stream.avail_in > 0) {
    char part[4096];
    stream.next_out = reinterpret_cast<Bytef*>(part);
    stream.avail_out = sizeof part;
    const int result = ::inflate(&stream, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END) break;
    out.append(part, sizeof part - stream.avail_out);
    if (result == Z_STREAM_END) ::inflateReset(&stream);  // the next member
  }
  ::inflateEnd(&stream);
  return out;
}

}  // namespace

TEST_CASE("values are escaped byte by byte as nginx does") {
  using http::LogEscape;
  struct Row {
    std::string_view value, plain, json;
  };
  using namespace std::string_view_literals;
  const Row rows[] = {{"plain ~ text", "plain ~ text", "plain ~ text"},
                      {"", "", ""},
                      {"a\"b\\c", "a\\x22b\\x5Cc", "a\\\"b\\\\c"},
                      {"\r\n\t\b\f", "\\x0D\\x0A\\x09\\x08\\x0C", "\\r\\n\\t\\b\\f"},
                      {"\0\x01\x1f"sv, "\\x00\\x01\\x1F", "\\u0000\\u0001\\u001F"},
                      {"\x7f", "\\x7F", "\x7f"},
                      {"\xc3\xa4\xff", "\\xC3\\xA4\\xFF", "\xc3\xa4\xff"}};
  for (const auto& row : rows) {
    std::string plain, json, none;
    http::append_escaped(plain, row.value, LogEscape::Default);
    http::append_escaped(json, row.value, LogEscape::Json);
    http::append_escaped(none, row.value, LogEscape::None);
    CHECK(plain == row.plain);
    CHECK(json == row.json);
    CHECK(none == row.value);
  }
}

TEST_CASE("a character is escaped wherever it stands in a value of any length") {
  for (const std::size_t size : {1u, 7u, 8u, 9u, 16u, 29u}) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string value(size, 'v');
        value[at] = static_cast<char>(c);
        const bool marks = c < 0x20 || c == '"' || c == '\\';
        std::string plain, json;
        http::append_escaped(plain, value, http::LogEscape::Default);
        http::append_escaped(json, value, http::LogEscape::Json);
        if ((plain != value) == (marks || c >= 0x7f) && (json != value) == marks) continue;
        FAIL("byte " << c << " at " << at << " of " << size);
      }
    }
  }
}

TEST_CASE("a missing value is a dash by default and nothing otherwise, an empty one is empty") {
  Site site(R"(
    log_format d "[$arg_a][$is_args][$http_none]";
    log_format j escape=json '{"a":"$arg_a"}';
    log_format n escape=none "[$arg_a]";
    server { listen 80; server_name localhost;
      access_log logs/d.log d; access_log logs/j.log j; access_log logs/n.log n;
      return 204; })");
  REQUIRE(site.load_error() == "");
  site.get("/");
  site.get("/?a=x%22\"y");
  CHECK(site.read("logs/d.log") == "[-][][-]\n[x%22\\x22y][?][-]\n");
  CHECK(site.read("logs/j.log") == "{\"a\":\"\"}\n{\"a\":\"x%22\\\"y\"}\n");
  CHECK(site.read("logs/n.log") == "[]\n[x%22\"y]\n");
}

TEST_CASE("what the log says of a request: lengths, status, connection, pipelining") {
  Site site(R"(
    log_format f "$status $body_bytes_sent $bytes_sent $request_length $connection_requests "
                 "$pipe $request_completion $sent_http_content_length $sent_http_connection "
                 "$server_port $request";
    server { listen 80; server_name localhost; access_log logs/f.log f;
      location /a { return 200 hello; }
      location /gone { return 444; }
      location /n { return 204; } })");
  REQUIRE(site.load_error() == "");
  const auto answer = site.ask(
      "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"
      "HEAD /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const auto first = answer.find("hello") + 5;
  CHECK(site.read("logs/f.log") == "200 5 " + std::to_string(first) +
                                       " 36 1 . OK 5 keep-alive 80 GET /a HTTP/1.1\n" + "200 0 " +
                                       std::to_string(answer.size() - first) +
                                       " 56 2 p OK 5 close 80 HEAD /a HTTP/1.1\n");
  site.write("logs/f.log", "");
  site.get("/gone");
  site.ask("BAD\r\n\r\n");
  CHECK(site.read("logs/f.log").find("444 0 0 ") == 0);
  CHECK(site.read("logs/f.log").find("\n400 ") != std::string::npos);
}

TEST_CASE("the request line is what was sent, whatever page answers in the end", "[both]") {
  Site site(R"(
    log_format f "$status $request";
    server { listen 80; server_name localhost; access_log logs/f.log f;
      error_page 405 /sorry;
      location /form { return 405; }
      location /sorry { return 200 $request_method; } })");
  REQUIRE(site.load_error() == "");
  site.ask("POST /form?a=b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const auto line = site.read("logs/f.log");
  INFO(line);
  CHECK((line == "405 POST /form?a=b HTTP/1.1\n" || line == "405 POST /form?a=b HTTP/2.0\n"));
}

TEST_CASE("of a request line that is too long the log has the beginning") {
  Site site(R"(client_header_buffer_size 64; large_client_header_buffers 2 100;
    log_format f "$status $request";
    server { listen 80; server_name localhost; access_log logs/f.log f; })");
  REQUIRE(site.load_error() == "");
  const auto line = "GET /" + std::string(300, 'x');
  site.ask(line + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(site.read("logs/f.log") == "414 " + line.substr(0, 100) + "\n");
  CHECK(site.read("logs/error.log").find("request: \"GET /xxx") != std::string::npos);
}

TEST_CASE("if=, off and the replacing of a level's logs", "[both]") {
  Site site(R"(
    map $status $loud { ~^2 0; default 1; }
    log_format f $uri;
    access_log logs/outer.log f;
    server { listen 80; server_name localhost;
      location /if { access_log logs/if.log f if=$arg_x$arg_y; return 204; }
      location /map { access_log logs/map.log f if=$loud; return 204;
                      location /map/bad { return 400; } }
      location /off { access_log off; return 204; }
      location / { return 204; } })");
  REQUIRE(site.load_error() == "");
  for (const char* target : {"/if/1", "/if/2?x=0", "/if/3?x=0&y=0", "/if/4?y=a", "/map/good",
                             "/map/bad", "/off", "/outer"})
    site.get(target);
  CHECK(site.read("logs/if.log") == "/if/3\n/if/4\n");
  CHECK(site.read("logs/map.log") == "/map/bad\n");
  CHECK(site.read("logs/outer.log") == "/outer\n");
}

TEST_CASE("a log in gzip is whole whenever it was written") {
  Site site(R"(
    log_format f $uri;
    server { listen 80; server_name localhost; access_log logs/z.gz f gzip=9 flush=2s;
             return 204; })");
  REQUIRE(site.load_error() == "");
  site.get("/1");
  site.run_for(Duration(4000));
  CHECK(gunzip_all(site.read("logs/z.gz")) == "/1\n");
  site.get("/2");
  site.run_for(Duration(4000));
  CHECK(gunzip_all(site.read("logs/z.gz")) == "/1\n/2\n");
}

TEST_CASE("a log by name: below a root that is there, within its folder, bounded") {
  Site site(R"(
    log_format f $uri;
    server { listen 80; server_name localhost;
      location /a { root $folder; access_log logs/$arg_n.log f; return 204; }
      location /no { root $folder/none; access_log logs/$arg_n.log f; return 204; }
      location /c { root $folder; open_log_file_cache max=1 min_uses=1;
                    access_log logs/c-$arg_n.log f; return 204; } })");
  REQUIRE(site.load_error() == "");
  for (const char* target :
       {"/a?n=x", "/a?n=y", "/a?n=x", "/no?n=x", "/a?n=/../../z", "/c?n=1", "/c?n=2", "/c?n=2"})
    site.get(target);
  CHECK(site.read("logs/x.log") == "/a\n/a\n");
  CHECK(site.read("logs/y.log") == "/a\n");
  CHECK(site.read("logs/c-1.log") == "/c\n");
  CHECK(site.read("logs/c-2.log") == "/c\n/c\n");
  const auto log = site.read("logs/error.log");
  CHECK(log.find("would leave its folder") != std::string::npos);
  CHECK(log.find("testing \"" + site.folder() + "/none\" existence") != std::string::npos);
}

TEST_CASE("a full disk is answered through, counted and said") {
  Site site(R"(server { listen 80; server_name localhost; access_log /dev/full;
                        error_log /dev/full debug; return 200 ok; })");
  REQUIRE(site.load_error() == "");
  for (int i = 0; i < 3; ++i)
    CHECK(body_of_answer(site.get("/")) == "ok");
  site.run_for(Duration(2000));
  const auto log = site.read("logs/error.log");  // the main level's
  CHECK(log.find("lines of the log \"/dev/full\" were lost") != std::string::npos);
  CHECK(log.find("No space left on device") != std::string::npos);
  CHECK(site.server().stats().counter("log_lines_lost", "", "").value() >= 3);
}

TEST_CASE("a disk that fills and has space again: the log goes on, no line is torn") {
  char folder[] = "/tmp/gatescope-full-XXXXXX";
  REQUIRE(::mkdtemp(folder));
  if (::mount("none", folder, "tmpfs", 0, "size=16k") != 0) {
    ::rmdir(folder);
    WARN("not root: no small file system can be made, nothing was tested");
    return;
  }
  {
    Site site(
        "log_format f \"$uri $arg_pad\"; server { listen 80; server_name localhost; "
        "access_log " +
        std::string(folder) + "/log f; return 204; }");
    REQUIRE(site.load_error() == "");
    const std::string pad(1000, 'x');
    for (int i = 0; i < 40; ++i)
      CHECK(status_of_answer(site.get("/full?pad=" + pad)) == 204);
    std::ofstream(std::string(folder) + "/log", std::ios::trunc);  // copytruncate
    CHECK(status_of_answer(site.get("/again")) == 204);
    std::ifstream file(std::string(folder) + "/log");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    CHECK((text == "/again -\n" || text == "\n/again -\n"));  // the torn line's newline may lead
  }
  ::umount(folder);
  ::rmdir(folder);
}

TEST_CASE("logs rotate by size, and several error logs each take their level") {
  Site site(R"(log_format f "$uri";
    server { listen 80; server_name localhost; access_log logs/r.log f rotate=4k keep=2;
             error_log logs/all.log info; error_log logs/crit.log crit;
             location /x { return 204; } location / { rewrite ^ $arg_none; } })");
  REQUIRE(site.load_error() == "");
  const std::string pad(1000, 'a');
  for (int i = 0; i < 9; ++i)
    site.get("/x" + pad);
  CHECK(site.read("logs/r.log").size() + site.read("logs/r.log.1").size() +
            site.read("logs/r.log.2").size() ==
        9 * 1003);
  CHECK(site.read("logs/r.log.1").size() == 4 * 1003);
  site.get("/");
  CHECK(site.read("logs/all.log").find("zero length") != std::string::npos);
  CHECK(site.read("logs/crit.log") == "");
}

TEST_CASE("logs that make no sense are refused with the mend") {
  const std::pair<const char*, const char*> rows[] = {
      {"access_log logs/a.log combined flush=1s;", "has no \"buffer=\""},
      {"access_log logs/a.log combined gzip=10;", "1 to 9"},
      {"access_log logs/a.log combined buffer=0;", "invalid buffer size"},
      {"access_log logs/$host.log combined buffer=1k;", "cannot buffer"},
      {"access_log logs/a.log combined rotate=1;", "at least 4k"},
      {"access_log logs/a.log combined gzip rotate=1m;", "cannot both compress and rotate"},
      {"access_log logs/a.log none;", "unknown log format \"none\""},
      {"access_log logs/a.log combined nonsense;", "invalid parameter \"nonsense\""},
      {"access_log off combined;", "invalid parameter"},
      {"open_log_file_cache inactive=1s;", "must have the \"max\""},
      {"open_log_file_cache max=x;", "invalid \"open_log_file_cache\" parameter"},
      {"error_log logs/e.log loud;", "debug"},
      {"error_log logs/e.log error keep=x;", "up to 999"},
  };
  for (const auto& [text, expected] : rows) {
    INFO(text);
    Site site(std::string("server { listen 80; } ") + text);
    CHECK(site.load_error().find(expected) != std::string::npos);
  }
}

TEST_CASE("$body_bytes_sent is the body, whatever carries it", "[both]") {
  Site site(R"(log_format f "$status $body_bytes_sent";
    server { listen 80; server_name localhost; access_log logs/f.log f;
      location /a { return 200 hello; }
      location /e { return 200 ""; } })");
  REQUIRE(site.load_error() == "");
  site.get("/a");
  site.get("/e");
  CHECK(site.read("logs/f.log") == "200 5\n200 0\n");
}
