// What HTTP/2 can carry and HTTP/1 cannot: none of it may become a second request for a backend
// that is spoken with in HTTP/1 (RFC 9113 8.2.1, 10.3; "downgrading" of the public collections).

#include <algorithm>
#include <cctype>

#include "tests/support/catch.h"
#include "tests/support/http2_frames.h"
#include "tests/unit/server/hostile_fixture.h"

using namespace gatescope::test;
using gatescope::Duration;
using namespace std::string_literals;

namespace {

const std::string kHidden = "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n";

h2::Fields base() {
  return {{":method", "POST"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/x"}};
}

std::vector<h2::Fields> heads() {
  std::vector<h2::Fields> all;
  const auto add = [&](const std::string& name, const std::string& value) {
    auto fields = base();
    fields.push_back({name, value});
    all.push_back(fields);
  };
  // Every odd byte within, before and behind names and values, ordinary and framing
  for (int c = 0; c < 256; ++c) {
    if (std::isalnum(c)) continue;
    const std::string b(1, static_cast<char>(c));
    for (const std::string name : {"transfer-encoding", "content-length", "x-y"}) {
      const std::string value = name == "content-length" ? "5" : "chunked";
      add(name + b, value);
      add(b + name, value);
      add(name.substr(0, name.size() / 2) + b + name.substr(name.size() / 2), value);
      add(name, b + value);
      add(name, value + b);
      add("x", "y" + b + name + ": " + value);
      add("x", "y\r" + b + name + ": " + value);
      add("x" + b + name, value);
    }
    // ... and within each pseudo-header
    for (std::size_t i = 0; i < 4; ++i) {
      auto fields = base();
      fields[i].second += b + "x";
      all.push_back(fields);
      fields = base();
      fields[i].second += " HTTP/1.1" + b + "\nTransfer-Encoding: chunked" + b + "\nX: y";
      all.push_back(fields);
    }
  }
  for (const std::string name : {"transfer-encoding", "connection", "upgrade", "te", "keep-alive",
                                 "proxy-connection", ":transfer-encoding", "host", "expect"})
    for (const std::string value :
         {"chunked", "identity", "close, content-length", "h2c", "a", "b", "100-continue", ""})
      add(name, value);
  for (const std::string value : {"0", "1", "5", "29", "30", "300", "+5", "-5", "5, 5", "5 5",
                                  "0x5", "5.0", "99999999999999999999", ""}) {
    add("content-length", value);
    auto twice = base();
    twice.push_back({"content-length", value});
    twice.push_back({"content-length", "5"});
    all.push_back(twice);
  }
  return all;
}

}  // namespace

TEST_CASE("hostile HTTP/2: whatever a head holds, the backend finds one request, or none") {
  for (const std::string buffering : {"on", "off"}) {
    Site site(
        "server { listen 80; http2 on; client_body_timeout 1s; location / { "
        "proxy_request_buffering " +
        buffering + "; proxy_pass http://127.0.0.1:9000; } }");
    REQUIRE(site.load_error() == "");
    Backend backend(site.loop(), 9000);
    std::size_t sent = 0, passed = 0;
    for (const auto& fields : heads())
      for (const std::string& body : {kHidden, "0\r\n\r\n" + kHidden, "hello"s}) {
        backend.clear();
        auto client = site.connect();
        client->send(h2::hello() + h2::headers(1, fields, h2::kEndHeaders) + h2::data(1, body));
        site.run_for(Duration(20));
        ++sent;
        std::size_t arrived = 0;
        for (const auto& bytes : backend.received())
          arrived += static_cast<std::size_t>(std::max(0, count_requests(bytes, {})));
        passed += arrived;
        const auto misreading = misread(backend.received());
        if (arrived <= 1 && misreading.empty()) continue;
        std::string head;
        for (const auto& [name, value] : fields)
          head += name + ": " + value + "\n";
        INFO(head << body);
        CHECK(arrived <= 1);
        CHECK(misreading == "");
      }
    CHECK(sent > 15'000);
    CHECK(passed > 1000);  // not everything is refused
  }
}
