// What does not load, and what it says; what a reload changes and what it leaves.

#include "tests/support/catch.h"
#include "tests/unit/server/site_fixture.h"

using namespace gatescope;
using namespace gatescope::test;

TEST_CASE("what does not load names the place and the mend") {
  const struct {
    const char* http;
    const char* says;
  } rows[] = {
      {"server { listen 80; keepalve_timeout 5; }", "did you mean \"keepalive_timeout\"?"},
      {"listen 80;", "\"listen\" directive is not allowed here"},
      {"server { listen 80; location /files { alias /srv/; } }", "would leave the folder"},
      {"server { listen 80; location / { return 200 $nothing; } }", "unknown \"nothing\" variable"},
      {"server { listen 80; location / { } location / { } }", "duplicate location \"/\""},
      {"server { listen 80; listen 80; }", "duplicate"},
      {"server { listen 99999; }", "port"},
      {"server { listen 80 default_server; } server { listen 80 default_server; }",
       "a duplicate default server"},
      {"server { listen 443 ssl; }", "no \"ssl_certificate\" is defined"},
      {"server { listen 443 ssl; ssl_certificate none.pem; ssl_certificate_key none.key; }",
       "none.pem"},
      {"server { listen 80; location ~ ( { } }", "missing closing parenthesis"},
      {"server { listen 80; error_page 200 /x; }", "between 300 and 599"},
      {"server { listen 80; access_log logs/a.log nosuch; }", "unknown log format \"nosuch\""},
      {"server { listen 80; location / { proxy_pass http://nobody.invalid; } }",
       "host not found in upstream"},
      {"server { listen 80; client_max_body_size 1x; }", "invalid value"},
      {"server { listen 80; if ($host = a) { root /x; } }", "not allowed here"},
      {"server { listen 80; location @a { } location /b { location @c { } } }",
       "server level only"},
  };
  for (const auto& row : rows) {
    INFO(row.http);
    Site site(row.http);
    INFO(site.load_error());
    CHECK(site.load_error().find(row.says) != std::string::npos);
    CHECK(site.load_error().find("site.conf:") != std::string::npos);
  }
}

TEST_CASE("a reload changes what is served, one that does not load changes nothing and says why") {
  Site site("server { listen 80; return 200 one; }");
  REQUIRE(site.load_error() == "");
  CHECK(body_of_answer(site.get("/")) == "one");
  CHECK_FALSE(site.reload("server { listen 80; return 200 two; }"));
  CHECK(body_of_answer(site.get("/")) == "two");
  const auto error = site.reload("server { listen 80; retrun 200 three; }");
  REQUIRE(error);
  CHECK(error->detail.find("did you mean \"return\"?") != std::string::npos);
  CHECK(body_of_answer(site.get("/")) == "two");
  CHECK(site.read("logs/error.log").find("the running configuration goes on") != std::string::npos);
}

TEST_CASE("a reload that names other addresses listens on the new and leaves the old") {
  Site site("server { listen 80; return 200 one; }");
  REQUIRE(site.load_error() == "");
  CHECK_FALSE(site.reload("server { listen 81; return 200 two; }"));
  CHECK(body_of_answer(site.ask("GET / HTTP/1.0\r\n\r\n", 81)) == "two");
  CHECK(site.ask("GET / HTTP/1.0\r\n\r\n", 80).starts_with("connect failed"));
}

TEST_CASE("the access log tells what happened, escaped, where and if it is asked to") {
  Site site(R"(log_format short escape=json '{"uri":"$uri","q":"$args","status":$status}';
    server { listen 80; server_name localhost;
      access_log $folder/logs/all.log short;
      location /quiet { access_log off; return 200; }
      location /bad { access_log $folder/logs/bad.log combined if=$arg_log; return 404; }
      location / { return 200 ok; } })");
  REQUIRE(site.load_error() == "");
  site.get("/a%22b?x=%22");
  site.get("/quiet");
  site.get("/bad?log=0");
  site.get("/bad?log=1", "User-Agent: a\"b\r\n");
  CHECK(site.read("logs/all.log") == "{\"uri\":\"/a\\\"b\",\"q\":\"x=%22\",\"status\":200}\n");
  const auto bad = site.read("logs/bad.log");
  CHECK(bad.find("\"GET /bad?log=1 HTTP/1.1\" 404 ") != std::string::npos);
  CHECK(bad.find("\"-\" \"a\\x22b\"\n") != std::string::npos);
  CHECK(bad.find("log=0") == std::string::npos);
}

TEST_CASE("a file that was cut off to nothing is refused, and the running configuration goes on") {
  Site site("server { listen 80; return 200 one; }");
  REQUIRE(site.load_error() == "");
  for (const char* text : {"", "# nothing but a comment\n", "worker_processes 1;\n"}) {
    INFO(text);
    const auto error = site.reload_file(text);
    REQUIRE(error);
    CHECK(error->detail.find("neither \"events\" nor \"http\"") != std::string::npos);
    CHECK(error->detail.find("site.conf:1:1") != std::string::npos);
    CHECK(body_of_answer(site.get("/")) == "one");
  }
}

TEST_CASE("a configuration that serves nobody says so") {
  Site site("");
  REQUIRE(site.load_error() == "");
  CHECK(site.read("logs/error.log").find("[warn]") != std::string::npos);
  CHECK(site.read("logs/error.log").find("nothing listens") != std::string::npos);
}

TEST_CASE("what is wrong with a log is said of its line, not of the block around it") {
  for (const char* log : {"access_log logs/a.log nosuch;", "access_log /nowhere/at/all/a.log;",
                          "error_log /nowhere/at/all/e.log;"}) {
    INFO(log);
    Site site(std::string("server { listen 80;\nlocation / {\n\n  ") + log + " } }");
    const Site plain("server { listen 80; }\nnonsense;");
    INFO(site.load_error());
    // `nonsense` stands in the second line of the block, the log in its fourth
    const auto second = plain.load_error();
    const auto line = std::stoi(second.substr(second.find("site.conf:") + 10));
    CHECK(site.load_error().find("site.conf:" + std::to_string(line + 2) + ":3") !=
          std::string::npos);
  }
}

TEST_CASE("charsets between which nothing leads are refused when the configuration loads") {
  const std::string between = "server { listen 80; charset koi8-r; source_charset windows-1251; }";
  Site without(between);
  CHECK(without.load_error().find("no \"charset_map\" between the charsets \"windows-1251\" and "
                                  "\"koi8-r\"") != std::string::npos);
  Site with("charset_map windows-1251 koi8-r { C0 E1; } " + between);
  CHECK(with.load_error() == "");
}

TEST_CASE("what nginx would do and this program does not is not passed over in silence") {
  const std::pair<const char*, const char*> rows[] = {
      {"worker_priority 10;", "Nice=10"},
      {"env HTTPS_PROXY=http://p:1;", "Environment=\"HTTPS_PROXY=http://p:1\""},
      {"worker_rlimit_core 500M;", "LimitCORE=500M"},
      {"working_directory /tmp;", "WorkingDirectory=/tmp"},
  };
  for (const auto& [text, expected] : rows) {
    INFO(text);
    Site site("server { listen 80; }", text);
    REQUIRE(site.load_error() == "");
    CHECK(site.read("logs/error.log").find(expected) != std::string::npos);
  }
  Site kept("server { listen 80; }", "env PATH;");
  CHECK(kept.read("logs/error.log").find("env") == std::string::npos);
}
