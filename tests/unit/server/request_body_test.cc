// Request bodies through a whole server: kept in memory or in a file, sent to a backend (again),
// passed on as they come, refused, left behind by nobody.

#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "tests/support/catch.h"
#include "tests/unit/server/backend_fixture.h"
#include "tests/unit/server/site_fixture.h"

using namespace gatescope;
using namespace gatescope::test;

namespace {

std::string post(const std::string& target, const std::string& body,
                 const std::string& fields = "Connection: close\r\n") {
  return "POST " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string chunked(const std::string& target, const std::string& chunks,
                    const std::string& fields = "Connection: close\r\n") {
  return "POST " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields +
         "Transfer-Encoding: chunked\r\n\r\n" + chunks;
}

std::string long_body(std::size_t size) {
  std::string body(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    body[i] = static_cast<char>('a' + (i * 7 + i / 1000) % 26);
  return body;
}

std::size_t files_below(const std::string& folder) {
  std::size_t count = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, ignored))
    count += entry.is_regular_file();
  return count;
}

constexpr const char* kProxy = R"(
  upstream two { server 127.0.0.1:9000; server 127.0.0.1:9001 backup; }
  server {
    listen 80;
    client_body_buffer_size 2k;
    client_max_body_size 300k;
    client_body_temp_path bodies 1 2;
    add_header X-Body "$request_body" always;
    add_header X-File "$request_body_file" always;
    location / { proxy_pass http://127.0.0.1:9000; }
    location /named { client_body_in_file_only on; proxy_pass http://127.0.0.1:9000; }
    location /clean { client_body_in_file_only clean; proxy_pass http://127.0.0.1:9000; }
    location /stream { proxy_request_buffering off; proxy_pass http://127.0.0.1:9000; }
    location /two { proxy_pass http://two; proxy_next_upstream error non_idempotent; }
    location /text { return 200 "text"; }
    location /fails { proxy_pass http://127.0.0.1:9002; error_page 502 = @other; }
    location /fails-late { proxy_request_buffering off; proxy_pass http://127.0.0.1:9001;
                           error_page 502 = @other; }
    location @other { proxy_pass http://127.0.0.1:9000; }
    location /nowhere { client_body_temp_path /proc/none; proxy_pass http://127.0.0.1:9000; }
  })";

std::string body_seen(const Backend& backend) {
  std::string all;
  for (const auto& text : backend.received())
    if (!text.empty()) all = text;
  return body_of_answer(all);
}

}  // namespace

TEST_CASE("a body is read whole before the backend is asked, in memory or in a file") {
  Site site(kProxy);
  REQUIRE(site.load_error() == "");
  Backend backend(site.loop(), 9000);
  struct Row {
    std::string what, target, request_body;
    bool chunked, file;
  };
  const Row rows[] = {
      {"small", "/", "0123456789", false, false},
      {"as large as the buffer", "/", long_body(2048), false, false},
      {"larger", "/", long_body(2049), false, true},
      {"many times larger", "/", long_body(250'000), false, true},
      {"small, chunked", "/", "0123456789", true, false},
      {"large, chunked", "/", long_body(100'000), true, true},
      {"small, into a file", "/named", "0123456789", false, true},
      {"small, into a file for a while", "/clean", "0123456789", false, true},
      {"none after all, into a file", "/named", "", true, true},
      {"large, into a file for a while", "/clean", long_body(50'000), false, true},
  };
  for (const auto& row : rows)
    for (const bool bytewise : {false, true}) {
      if (bytewise && row.request_body.size() > 5000) continue;
      INFO(row.what << (bytewise ? ", byte by byte" : ""));
      backend.clear();
      std::string request = post(row.target, row.request_body);
      if (row.chunked) {
        std::string chunks;
        for (std::size_t at = 0; at < row.request_body.size(); at += 1000) {
          const auto piece = row.request_body.substr(at, 1000);
          char size[16];
          std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
          chunks += size + piece + "\r\n";
        }
        request = chunked(row.target, chunks + "0\r\n\r\n");
      }
      const auto answer = bytewise ? site.ask_bytewise(request) : site.ask(request);
      CHECK(status_of_answer(answer) == 200);
      CHECK(backend.requests() == 1);
      CHECK(body_seen(backend) == row.request_body);
      CHECK(field_of_answer(answer, "X-Body") == (row.file ? "(none)" : row.request_body));
      const auto file = field_of_answer(answer, "X-File");
      CHECK((file != "(none)") == row.file);
      if (row.target == "/named") {
        CHECK(site.read(file.substr(site.folder().size() + 1)) == row.request_body);
        CHECK(file.substr(site.folder().size() + 1, 7) == "bodies/");
        // levels=1:2, named by the last digits of the number
        CHECK(file.substr(file.size() - 15, 1) == file.substr(file.size() - 1));
        CHECK(file.substr(file.size() - 13, 2) == file.substr(file.size() - 3, 2));
        std::filesystem::remove(file);
      }
      site.run_for(Duration(100));
      CHECK(files_below(site.folder() + "/bodies") == 0);
    }
}

TEST_CASE("a body that was kept goes to the next server too, one that streams does not", "[both]") {
  Site site(kProxy);
  Backend first(site.loop(), 9000), second(site.loop(), 9001);
  first.close_at_once = true;
  for (const auto& body : {std::string("small"), long_body(70'000)}) {
    second.clear();
    const auto answer = site.ask(post("/two", body));
    CHECK(status_of_answer(answer) == 200);
    CHECK(body_seen(second) == body);
  }
}

TEST_CASE("an error page gets the body that the failed backend did not take", "[both]") {
  Site site(kProxy);
  Backend backend(site.loop(), 9000);
  for (const auto& body : {std::string("small"), long_body(70'000)}) {
    backend.clear();
    CHECK(status_of_answer(site.ask(post("/fails", body))) == 200);
    CHECK(body_seen(backend) == body);
  }
  Backend closes(site.loop(), 9001);
  closes.close_at_once = true;
  backend.clear();
  CHECK(status_of_answer(site.ask(post("/fails-late", "small"))) == 200);
  CHECK(body_seen(backend) == "small");
  const auto late = site.ask(post("/fails-late", long_body(100'000)));
  CHECK(status_of_answer(late) == 500);
  CHECK(site.read("logs/error.log").find("was passed on and cannot be sent again") !=
        std::string::npos);
}

TEST_CASE("a body that streams: chunks and trailers go on") {
  Site site(kProxy);
  Backend backend(site.loop(), 9000);
  const auto answer = site.ask(
      chunked("/stream", "3;x=y\r\nabc\r\n4\r\ndefg\r\n0\r\nSum: 7\r\nContent-Length: 9\r\n\r\n"));
  CHECK(status_of_answer(answer) == 200);
  CHECK(body_seen(backend) == "7\r\nabcdefg\r\n0\r\nSum: 7\r\n\r\n");
  CHECK(field_of_answer(answer, "X-Body") == "abcdefg");
  backend.clear();
  CHECK(status_of_answer(site.ask(post("/stream", long_body(200'000)))) == 200);
  CHECK(body_seen(backend) == long_body(200'000));
}

TEST_CASE("too large a body is 413, before it is read or when it has become too large") {
  Site site(kProxy);
  Backend backend(site.loop(), 9000);
  CHECK(status_of_answer(site.ask(post("/", long_body(300 * 1024)))) == 200);
  backend.clear();
  CHECK(status_of_answer(site.ask(post("/", long_body(300 * 1024 + 1)))) == 413);
  CHECK(status_of_answer(site.ask("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                                  "Content-Length: 999999999\r\n\r\n")) == 413);
  for (const std::string target : {"/", "/stream", "/named"}) {
    INFO(target);
    const auto answer =
        site.ask(chunked(target, "4c000\r\n" + long_body(0x4c000) + "\r\n0\r\n\r\n"));
    CHECK(status_of_answer(answer) == 413);
    CHECK(field_of_answer(answer, "Connection") == "close");
  }
  CHECK(backend.requests() == 0);
  CHECK(site.read("logs/error.log").find("too large chunked body") != std::string::npos);
}

TEST_CASE("a disk that takes nothing is 500, logged, and leaves nothing behind", "[both]") {
  Site site(kProxy);
  Backend backend(site.loop(), 9000);
  SECTION("no folder") {
    CHECK(status_of_answer(site.ask(post("/nowhere", long_body(5000)))) == 500);
    CHECK(site.read("logs/error.log").find("open() \"/proc/none/") != std::string::npos);
  }
  SECTION("full") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const auto handler = ::signal(SIGXFSZ, SIG_IGN);
    rlimit small = before;
    small.rlim_cur = 100'000;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    const auto answer = site.ask(post("/", long_body(250'000)));
    ::setrlimit(RLIMIT_FSIZE, &before);
    ::signal(SIGXFSZ, handler);
    CHECK(status_of_answer(answer) == 500);
    CHECK(site.read("logs/error.log").find("pwrite() \"" + site.folder() + "/bodies/") !=
          std::string::npos);
  }
  CHECK(backend.requests() == 0);
  site.run_for(Duration(100));
  CHECK(files_below(site.folder() + "/bodies") == 0);
}

TEST_CASE("a client that leaves in the middle of its body leaves no file") {
  Site site(kProxy);
  Backend backend(site.loop(), 9000);
  auto request = post("/clean", long_body(100'000));
  request.resize(60'000);
  const auto answer = site.ask_and_leave(request);
  site.run_for(Duration(1000));
  CHECK(files_below(site.folder() + "/bodies") == 0);
  CHECK(backend.received().empty());
}

TEST_CASE("bodies that nobody wants are dropped, and the connection goes on") {
  Site site(kProxy);
  const std::string four = post("/text", "0123456789", "") + post("/text", long_body(1280), "") +
                           post("/text", long_body(5120), "") + post("/text", "last");
  for (const bool bytewise : {false, true}) {
    const auto answer = bytewise ? site.ask_bytewise(four) : site.ask(four);
    std::size_t count = 0;
    for (std::size_t at = 0; (at = answer.find("HTTP/1.1 200", at)) != std::string::npos; ++at)
      ++count;
    CHECK(count == 4);
  }
}

TEST_CASE("a body that is too large is said once, however many pieces of it still come", "[both]") {
  Site site(R"(server { listen 80; server_name localhost; client_max_body_size 10;
    error_page 413 /sorry;
    location = /sorry { return 200 sorry; }
    location / { proxy_pass http://127.0.0.1:9000; proxy_request_buffering off; } })");
  REQUIRE(site.load_error() == "");
  Backend backend(site.loop(), 9000);
  std::string body;
  for (int i = 0; i < 500; ++i)
    body += "1\r\nx\r\n";
  const auto answer =
      site.ask("POST /up HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + body +
               "0\r\n\r\n");
  INFO(answer);
  CHECK(status_of_answer(answer) == 413);
  const auto log = site.read("logs/error.log");
  const auto first = log.find("too large");
  REQUIRE(first != std::string::npos);
  CHECK(log.find("too large", first + 1) == std::string::npos);
}
