// What can be asked of a configuration before it runs.

#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

TEST_CASE("the check says what is rarely meant with its place, and -q does not") {
  ServerProcess server;
  server.configure(
      "server { listen 127.0.0.1:8080; server_name a.test; root html;\n"
      "add_header X-Frame-Options DENY;\n"
      "location /a { add_header X-A 1; }\n"
      "location /b { allow 192.0.2.1; } }");
  const auto tested = server.run({"-t"});
  CHECK(tested.status == 0);
  CHECK(contains(tested.err, "[warn]"));
  CHECK(contains(tested.err, "\"add_header X-Frame-Options\" of " + server.conf_path() +
                                 ":7:1 is lost here: write it again in this block in " +
                                 server.conf_path() + ":8:15"));
  CHECK(contains(tested.err, "\"deny all;\" behind it in " + server.conf_path() + ":9:15"));
  CHECK(contains(tested.err, "test is successful"));
  CHECK(server.run({"-t", "-q"}).err == "");
}

TEST_CASE("conf explain tells of a directive, and of one that is not there") {
  const auto known = run_gatescope({"conf", "explain", "keepalive_timeout"});
  CHECK(known.status == 0);
  CHECK(known.out.starts_with("keepalive_timeout\n\n    syntax:   keepalive_timeout "));
  CHECK(contains(known.out, "    context:  http, server, location\n"));
  const auto near = run_gatescope({"conf", "explain", "keepalive_timout"});
  CHECK(near.status == 1);
  CHECK(contains(near.err, "did you mean \"keepalive_timeout\"?"));
  const auto absent = run_gatescope({"conf", "explain", "fastcgi_pass"});
  CHECK(absent.status == 1);
  CHECK(contains(absent.err, "\"fastcgi_pass\" is not there: "));
  CHECK(run_gatescope({"conf", "explain"}).status == 1);
}

TEST_CASE("conf trace names the server, the location and the settings of a URL") {
  ServerProcess server;
  server.configure(
      "add_header X-Outer 1;\n"
      "server { listen 127.0.0.1:8080; server_name a.test *.b.test; root html;\n"
      "  add_header X-Server 2; gzip on;\n"
      "  location / { expires 1h; }\n"
      "  location = /exact { return 204; }\n"
      "  location /api/ { add_header X-Inner 3; location ~ \\.json$ { default_type x/y; } } }\n"
      "server { listen 127.0.0.1:8080 default_server; return 404; }");
  const auto trace = [&](const std::string& url) { return server.run({"conf", "trace", url}); };
  const auto place = [&](const std::string& line) { return server.conf_path() + ":" + line; };

  const auto page = trace("http://a.test:8080/gallery");
  CAPTURE(page.out, page.err);
  CHECK(page.status == 0);
  CHECK(contains(page.out, "127.0.0.1:8080"));
  CHECK(contains(page.out, place("7:1") + ": its server_name is the host"));
  CHECK(contains(page.out, place("9:3") + ": the longest beginning of the path"));
  CHECK(contains(page.out, "expires 1h;"));
  CHECK(contains(page.out, "add_header X-Outer 1;"));
  CHECK(contains(page.out, "(http, REPLACED by that of " + place("8:3") + ")"));

  const auto exact = trace("http://a.test:8080/exact");
  CHECK(contains(exact.out, "location = /exact"));
  CHECK(contains(exact.out, "the path itself"));
  CHECK(contains(exact.out, "return 204;"));

  const auto nested = trace("http://x.b.test:8080/api/v.json");
  CHECK(contains(nested.out, "a server_name with a wildcard"));
  CHECK(contains(nested.out, "the first regular expression that matches"));
  CHECK(contains(nested.out, "add_header X-Inner 3;"));
  CHECK(contains(nested.out, "add_header X-Server 2;"));

  CHECK(contains(trace("http://other.test:8080/").out, "the default server of the address"));
  const auto nobody = trace("https://a.test/");
  CHECK(nobody.status == 2);
  CHECK(contains(nobody.out, "nothing listens on port 443 with TLS; there are:\n  127.0.0.1:8080"));
  for (const char* wrong : {"a.test", "ftp://a.test/", "http://", "http://a..test/"}) {
    CAPTURE(wrong);
    CHECK(trace(wrong).status == 1);
  }
}

}  // namespace gatescope::integration
