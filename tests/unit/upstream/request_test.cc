#include "tests/unit/upstream/proxy_fixture.h"

namespace gatescope::upstream {

namespace {

/// What the upstream gets for one request.
std::string sent_for(std::string_view location, Get get, std::string_view body = {}) {
  Site site(location);
  INFO(site.error);
  FakeUpstream upstream(site.loop, 9000);
  auto client = site.send(get);
  site.run();
  if (!body.empty()) {
    client->body(body);
    client->body_end();
    site.run();
  }
  REQUIRE(upstream.connections.size() == 1);
  return upstream.last().received;
}

}  // namespace

TEST_CASE("request heads") {
  struct Row {
    std::string_view what, location, expected;
    Get get = {};
    std::string_view body = {};
  };
  const Row rows[] = {
      {"plain",
       "location / { proxy_pass http://127.0.0.1:9000; }",
       "GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nX: 1\r\n\r\n",
       {.target = "/a?b", .headers = {{"X", "1"}}}},
      {"1.0", "location / { proxy_pass http://127.0.0.1:9000; proxy_http_version 1.0; }",
       "GET / HTTP/1.0\r\nHost: 127.0.0.1:9000\r\nConnection: close\r\n\r\n"},
      {"hop-by-hop and Expect stay here",
       "location / { proxy_pass http://127.0.0.1:9000; }",
       "GET / HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nX: 1\r\n\r\n",
       {.headers = {{"Connection", "X-Hop, keep-alive"},
                    {"X-Hop", "1"},
                    {"Keep-Alive", "1"},
                    {"TE", "trailers"},
                    {"Upgrade", "h2c"},
                    {"Expect", "100-continue"},
                    {"Proxy-Connection", "x"},
                    {"X", "1"}}}},
      {"proxy_set_header replaces, adds and removes",
       "location / { proxy_pass http://127.0.0.1:9000; proxy_set_header Host $host; "
       "proxy_set_header X-New \"n $request_method\"; "
       "proxy_set_header X \"\"; proxy_set_header Accept $http_none; }",
       "GET / HTTP/1.1\r\nHost: site.test\r\nX-New: n GET\r\nY: 2\r\n\r\n",
       {.headers = {{"X", "1"}, {"Y", "2"}, {"accept", "*"}}}},
      {"framing cannot be set",
       "location / { proxy_pass http://127.0.0.1:9000; proxy_set_header Content-Length 99; "
       "proxy_set_header Transfer-Encoding chunked; }",
       "GET / HTTP/1.1\r\nHost: 127.0.0.1:9000\r\n\r\n"},
      {"X-Forwarded-For grows",
       "location / { proxy_pass http://127.0.0.1:9000; proxy_set_header X-Forwarded-For "
       "$proxy_add_x_forwarded_for; }",
       "GET / HTTP/1.1\r\nX-Forwarded-For: 1.1.1.1, 10.1.2.3\r\nHost: 127.0.0.1:9000\r\n\r\n",
       {.headers = {{"X-Forwarded-For", "1.1.1.1"}}}},
      {"no fields, another method, another body",
       "location / { proxy_pass http://127.0.0.1:9000; proxy_pass_request_headers off; "
       "proxy_method PUT; proxy_set_body \"b=$uri\"; }",
       "PUT /x HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nContent-Length: 4\r\n\r\nb=/x",
       {.target = "/x", .headers = {{"X", "1"}}}},
      {"a body of known length",
       "location / { proxy_pass http://127.0.0.1:9000; }",
       "POST / HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nContent-Length: 3\r\n\r\nabc",
       {.method = "POST", .length = 3},
       "abc"},
      {"a body of unknown length is read first",
       "location / { proxy_pass http://127.0.0.1:9000; }",
       "POST / HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nContent-Length: 3\r\n\r\nabc",
       {.method = "POST", .has_body = true},
       "abc"},
      {"a body of unknown length passed on as it comes",
       "location / { proxy_pass http://127.0.0.1:9000; proxy_request_buffering off; }",
       "POST / HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nTransfer-Encoding: "
       "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
       {.method = "POST", .has_body = true},
       "abc"},
      {"a body not passed on",
       "location / { proxy_pass http://127.0.0.1:9000; proxy_pass_request_body off; }",
       "POST / HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nContent-Length: 0\r\n\r\n",
       {.method = "POST", .length = 3},
       "abc"},
      {"URI part",
       "location /in/ { proxy_pass http://127.0.0.1:9000/out/; }",
       "GET /out/x%20y?z HTTP/1.1\r\nHost: 127.0.0.1:9000\r\n\r\n",
       {.target = "/in/x%20y?z"}},
      {"rewrite and no URI part",
       "location / { rewrite ^/a/(.*)$ /b/$1 break; proxy_pass http://127.0.0.1:9000; }",
       "GET /b/x?z HTTP/1.1\r\nHost: 127.0.0.1:9000\r\n\r\n",
       {.target = "/a/x?z"}},
      {"variables",
       "location / { set $port 9000; proxy_pass http://127.0.0.1:$port; }",
       "GET /a HTTP/1.1\r\nHost: 127.0.0.1:9000\r\n\r\n",
       {.target = "/a"}},
  };
  for (const auto& row : rows) {
    INFO(row.what);
    auto got = sent_for(row.location, row.get, row.body);
    // a request's variables' upstream keeps no connections
    if (const auto at = got.find("Connection: close\r\n");
        row.what == "variables" && at != std::string::npos)
      got.erase(at, 19);
    CHECK(got == row.expected);
  }
}

TEST_CASE("a chunked body for an HTTP/1.0 upstream is read first") {
  Site site(
      "location / { proxy_pass http://127.0.0.1:9000; proxy_http_version 1.0; client_max_body_size "
      "0; }");
  FakeUpstream upstream(site.loop, 9000);
  auto client = site.send({.method = "POST", .has_body = true});
  site.run();
  CHECK(client->link.wants);
  CHECK(upstream.connections.empty());
  client->body("abc");
  client->body("de");
  client->body_end();
  site.run();
  CHECK(upstream.last().received ==
        "POST / HTTP/1.0\r\nHost: 127.0.0.1:9000\r\nConnection: close\r\nContent-Length: "
        "5\r\n\r\nabcde");
}

TEST_CASE("head and first body bytes leave in one write") {
  Site site("location / { proxy_pass http://127.0.0.1:9000; }");
  FakeUpstream upstream(site.loop, 9000);
  upstream.reply = kOk;
  auto first = site.send({});
  site.run();
  REQUIRE(upstream.connections.size() == 1);
  upstream.last().reads = 0;
  auto client = site.send({.method = "POST", .length = 3});
  site.loop.turn([&] {
    client->exchange->on_body(as_bytes("abc"));
    client->exchange->on_body_end({});
  });
  site.run();
  CHECK(upstream.connections.size() == 1);
  CHECK(upstream.last().received.ends_with("\r\n\r\nabc"));
}

TEST_CASE("a line break from a variable does not become a field") {
  Site site("location / { proxy_pass http://127.0.0.1:9000; proxy_set_header X $uri; }");
  FakeUpstream upstream(site.loop, 9000);
  auto client = site.send({.target = "/a%0d%0aEvil:1"});
  site.run();
  CHECK(client->link.status == 400);
  CHECK(upstream.connections.empty());
}

TEST_CASE("configuration errors say what and where") {
  const auto error_of = [](std::string_view locations, std::string_view outside = "") {
    return Site(locations, outside).error;
  };
  CHECK(error_of("location ~ x { proxy_pass http://127.0.0.1/uri; }")
            .starts_with(
                "\"proxy_pass\" cannot have URI part in location given by regular expression"));
  CHECK(error_of("location @x { proxy_pass http://127.0.0.1/uri; }")
            .starts_with("\"proxy_pass\" cannot have URI part"));
  CHECK(error_of("location / { proxy_pass https://127.0.0.1; proxy_ssl_verify on; }")
            .find("no proxy_ssl_trusted_certificate for proxy_ssl_verify in /c:1:") == 0);
  CHECK(error_of("location / { proxy_pass https://127.0.0.1; proxy_ssl_ciphers none; }")
            .find("SSL_CTX_set_cipher_list(\"none\") failed") == 0);
  CHECK(error_of("location / { proxy_pass https://127.0.0.1; proxy_ssl_certificate $x; }")
            .find("variables are not supported in \"proxy_ssl_certificate\"") == 0);
  CHECK(error_of("location / { proxy_pass http://a.invalid; }")
            .find("host not found in upstream \"a.invalid\" in /c:1:") == 0);
  CHECK(error_of("location / { proxy_pass http://127.0.0.1; proxy_pass http://127.0.0.1; }")
            .find("\"proxy_pass\" directive is duplicate") == 0);
  CHECK(error_of("", "upstream u { }").find("no servers are inside upstream \"u\"") == 0);
  CHECK(error_of("", "upstream u { server 127.0.0.1; } upstream u { server 127.0.0.1; }")
            .find("duplicate upstream \"u\"") == 0);
  CHECK(error_of("", "upstream u { server 127.0.0.1 wight=2; }")
            .find("invalid parameter \"wight=2\"") == 0);
  CHECK(error_of("", "upstream u { server a.invalid:81; }")
            .find("host not found in upstream \"a.invalid:81\" in /c:1:") == 0);
  CHECK(error_of("location / { proxy_pass http://u:80; }", "upstream u { server 127.0.0.1; }")
            .find("upstream \"u\" may not have port 80") == 0);
  Site site("location /x/ { proxy_pass http://127.0.0.1; }");
  CHECK(site.error.empty());
  CHECK(site.scope->get<ProxySettings>().auto_redirect);
}

}  // namespace gatescope::upstream
