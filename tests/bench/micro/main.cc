// bench_micro: the parts of the hot path, each alone: nanoseconds and allocations. Figures depend
// on the machine; nothing is judged here.

#include <fmt/format.h>

#include <array>
#include <cstdlib>

#include "conf/template.h"
#include "proxy/http/head_scanner.h"
#include "proxy/http/http1_writer.h"
#include "proxy/http/http2_response.h"
#include "proxy/http/prebuilt_head.h"
#include "proxy/http/router.h"
#include "proxy/http/target.h"
#include "tests/bench/micro/measure.h"

using namespace gatescope;
using namespace gatescope::http;

namespace {

/// What a browser sends for a part of a page.
constexpr std::string_view kBrowserHead =
    "GET /assets/index-4f2a90c1.js?v=3 HTTP/1.1\r\n"
    "Host: numberscope.example.org\r\n"
    "Connection: keep-alive\r\n"
    "sec-ch-ua: \"Chromium\";v=\"130\", \"Not?A_Brand\";v=\"99\"\r\n"
    "sec-ch-ua-mobile: ?0\r\n"
    "sec-ch-ua-platform: \"Linux\"\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36\r\n"
    "Accept: */*\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Sec-Fetch-Mode: no-cors\r\n"
    "Sec-Fetch-Dest: script\r\n"
    "Referer: https://numberscope.example.org/\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9\r\n"
    "\r\n";

void require(bool holds, std::string_view what) {
  if (holds) return;
  fmt::print(stderr, "bench_micro: {}\n", what);
  std::exit(1);
}

class ReadHead final : public bench::Operation {
 public:
  explicit ReadHead(std::string_view head) : head_(head) {}
  void run() override {
    require(scanner_.scan(head_) == HeadScanner::Verdict::Complete, "the head is refused");
    const RequestHead taken = scanner_.take(head_, arena_);
    require(!taken.target.empty(), "no target");
    scanner_.reset();
    arena_.reset();
  }

 private:
  const std::string_view head_;
  NullLog log_;
  HeadScanner scanner_{{}, log_};
  Arena arena_;
};

class ReadTarget final : public bench::Operation {
 public:
  void run() override {
    const auto target = normalise_target("/assets/index-4f2a90c1.js?v=3", true, arena_);
    require(target.ok() && parse_host("numberscope.example.org:8443", arena_), "no target or host");
    arena_.reset();
  }

 private:
  Arena arena_;
};

/// A site's locations: some exact ones, some folders, and the regex for what may be cached.
class FindLocation final : public bench::Operation {
 public:
  FindLocation(std::string path, Location::Kind expected)
      : path_(std::move(path)), expected_(expected) {
    for (const auto* pattern : {"/", "/favicon.ico", "/index.html", "/robots.txt", "/status"})
      add(root_.exact, pattern, Location::Kind::Exact);
    for (const auto* pattern : {"/", "/.well-known/", "/api/", "/assets/", "/doc/", "/docs/",
                                "/fonts/", "/images/", "/old/", "/private/", "/videos/"})
      add(root_.prefixes, pattern, Location::Kind::Prefix);
    add(root_.prefixes, "/static/", Location::Kind::PrefixNoRegex);
    add(root_.regexes, "\\.(css|js|woff2?)$", Location::Kind::Regex);
    root_.regexes.back()->regex = std::make_unique<conf::Regex>(
        conf::Regex::compile(root_.regexes.back()->pattern, false).value());
  }
  void run() override {
    const auto found = find_location(root_, path_, captures_);
    require(found.location != nullptr && found.location->kind == expected_, "another location");
  }

 private:
  static void add(std::vector<std::unique_ptr<Location>>& list, const char* pattern,
                  Location::Kind kind) {
    list.push_back(std::make_unique<Location>());
    list.back()->pattern = pattern;
    list.back()->kind = kind;
  }
  const std::string path_;
  const Location::Kind expected_;
  Location root_;
  conf::Captures captures_;
};

class FindServer final : public bench::Operation {
 public:
  FindServer() {
    names_.set_default(servers_[0]);
    names_.add("numberscope.example.org", servers_[1]);
    names_.add("*.example.net", servers_[2]);
  }
  void run() override {
    require(&names_.find("numberscope.example.org") == &servers_[1], "another server");
    require(&names_.find("www.example.net") == &servers_[2], "another server");
  }

 private:
  std::array<VirtualServer, 3> servers_;
  ServerNames names_;
};

/// A cached file's.
ResponseHead file_head() {
  ResponseHead head;
  head.content_type = "text/javascript; charset=utf-8";
  head.content_length = 1024;
  head.last_modified = 1732300000;
  head.etag = "\"6740c5a0-400\"";
  head.ranges = ResponseHead::Ranges::Any;
  head.headers.add("Cache-Control", "public, max-age=31536000, immutable");
  head.headers.add("Vary", "Accept-Encoding");
  return head;
}

class WriteHttp1 final : public bench::Operation {
 public:
  explicit WriteHttp1(bool prebuilt) {
    if (!prebuilt) return;
    prebuilt_ = std::make_shared<PrebuiltHead>(head_);
    head_ = prebuilt_->head();
    head_.prebuilt = prebuilt_;
  }
  void run() override {
    out_.clear();
    write_head(out_, head_, {.server = "gatescope", .date = "Mon, 23 Nov 2026 22:13:00 GMT"});
    require(out_.ends_with("\r\n\r\n"), "no head");
  }

 private:
  ResponseHead head_ = file_head();
  std::shared_ptr<PrebuiltHead> prebuilt_;  // as a cached file and its answers share it
  std::string out_;
};

class FillHttp2 final : public bench::Operation {
 public:
  void run() override {
    fields_.clear();
    fill_response(fields_, head_, "gatescope", "Mon, 23 Nov 2026 22:13:00 GMT", arena_);
    require(fields_.size() > 5, "no fields");
    arena_.reset();
  }

 private:
  const ResponseHead head_ = file_head();
  Http2Fields fields_;
  Arena arena_;
};

/// The variables of the combined log, with values that are there.
class LogValues final : public conf::VariableNames, public conf::VariableValues {
 public:
  Result<conf::VariableId> find(std::string_view name) override {
    for (conf::VariableId id = 0; id < kTable.size(); ++id)
      if (kTable[id].first == name) return id;
    return Error{ErrorKind::Invalid, Origin::Internal, "unknown variable"};
  }
  std::optional<std::string_view> value(conf::VariableId id) override { return kTable[id].second; }

 private:
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kTable{{
      {"remote_addr", "192.0.2.17"},
      {"remote_user", "-"},
      {"time_local", "23/Nov/2026:22:13:00 +0000"},
      {"request", "GET /assets/index-4f2a90c1.js?v=3 HTTP/1.1"},
      {"status", "200"},
      {"body_bytes_sent", "1024"},
      {"http_referer", "https://numberscope.example.org/"},
      {"http_user_agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0.0.0"},
  }};
};

class LogLine final : public bench::Operation {
 public:
  LogLine()
      : line_(conf::Template::compile("$remote_addr - $remote_user [$time_local] \"$request\" "
                                      "$status $body_bytes_sent \"$http_referer\" "
                                      "\"$http_user_agent\"",
                                      values_)
                  .value()) {}
  void run() override {
    out_.clear();
    line_.append_to(out_, values_);
    require(out_.size() > 100, "no line");
  }

 private:
  LogValues values_;
  const conf::Template line_;
  std::string out_;
};

}  // namespace

int main() {
  fmt::print("micro    each part of the hot path alone\n");
  ReadHead browser(kBrowserHead), bare("GET /k HTTP/1.1\r\nHost: bench.test\r\n\r\n");
  bench::measure(fmt::format("request head of a browser, {} bytes", kBrowserHead.size()), browser);
  bench::measure("request head with a Host only", bare);
  ReadTarget target;
  bench::measure("target and Host made safe", target);
  FindServer server;
  bench::measure("server by name, exact and wildcard", server);
  FindLocation exact("/index.html", Location::Kind::Exact),
      folder("/images/a.png", Location::Kind::Prefix),
      regex("/assets/index-4f2a90c1.js", Location::Kind::Regex);
  bench::measure("location of 18: exact", exact);
  bench::measure("location of 18: prefix, behind a regex", folder);
  bench::measure("location of 18: regex", regex);
  WriteHttp1 prebuilt(true), fresh(false);
  bench::measure("HTTP/1.1 response head, prebuilt", prebuilt);
  bench::measure("HTTP/1.1 response head, field by field", fresh);
  FillHttp2 http2;
  bench::measure("HTTP/2 response fields, ready for HPACK", http2);
  LogLine line;
  bench::measure("template of a combined log line", line);
  return 0;
}
