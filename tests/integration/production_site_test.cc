// The site's configuration as its maintainers and certbot left it, with the application still
// behind it: it must work unchanged. Only paths and ports are ours.

#include <sys/stat.h>

#include "tests/integration/support/backend.h"
#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/site_certificate.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

constexpr char kName[] = "numberscope.colorado.edu";

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// certbot's options-ssl-nginx.conf, without its comments.
constexpr char kCertbotOptions[] =
    "ssl_session_cache shared:le_nginx_SSL:10m;\n"
    "ssl_session_timeout 1440m;\n"
    "ssl_session_tickets off;\n"
    "ssl_protocols TLSv1.2 TLSv1.3;\n"
    "ssl_prefer_server_ciphers off;\n"
    "ssl_ciphers "
    "\"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384\";\n";

/// Debian's, of the packages before 2026; `Host` is what the client wrote.
constexpr char kProxyParams[] =
    "proxy_set_header Host $http_host;\n"
    "proxy_set_header X-Real-IP $remote_addr;\n"
    "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"
    "proxy_set_header X-Forwarded-Proto $scheme;\n";

/// The two server blocks. `at`: the folder that stands for /home/scope and /etc/letsencrypt.
std::string production_site(const std::string& at, const std::string& https,
                            const std::string& http) {
  return R"(server {
    root )" +
         at + R"(/frontscope/dist;
    index index.html;
    server_name numberscope.colorado.edu;

    location / {
        try_files $uri $uri/ /index.html =404;
    }

    location /api {
        include proxy_params;
        proxy_pass http://unix:)" +
         at + R"(/backscope.sock;
        add_header 'Access-Control-Allow-Origin' '*';
    }

    listen )" +
         https + R"( ssl; # managed by Certbot
    ssl_certificate )" +
         at + R"(/live/numberscope.colorado.edu.pem; # managed by Certbot
    ssl_certificate_key )" +
         at + R"(/live/numberscope.colorado.edu.key; # managed by Certbot
    include )" +
         at + R"(/options-ssl-nginx.conf; # managed by Certbot
    ssl_dhparam )" +
         at + R"(/ssl-dhparams.pem; # managed by Certbot

}
server {
    if ($host = numberscope.colorado.edu) {
        return 301 https://$host$request_uri;
    } # managed by Certbot


    listen )" +
         http + R"(;
    server_name numberscope.colorado.edu;
    return 404; # managed by Certbot
}
)";
}

/// The site with everything around it, not started yet.
struct Production {
  explicit Production(Account account) : server(account) {
    const auto at = server.dir().path();
    make_certificate(server.dir().path("live"), kName);
    give_to(server.dir().path("live"), account);
    server.write("options-ssl-nginx.conf", kCertbotOptions);
    server.write("ssl-dhparams.pem", dh_parameters());
    server.write("proxy_params", kProxyParams);
    server.write("frontscope/dist/index.html", "<!doctype html>the scope");
    server.write("frontscope/dist/assets/main.js", "export {};");
    server.write("frontscope/dist/doc/index.html", "<!doctype html>the guide");
    server.configure("include numberscope.conf;");
    server.write("numberscope.conf", production_site(at, https.text(), http.text()));
    backend =
        std::make_unique<Backend>(server.dir().path("backscope.sock"), [](const std::string& head) {
          return Backend::Reply{"Content-Type: application/json\r\nServer: gunicorn\r\n",
                                "{\"asked\":\"" + head.substr(0, head.find('\r')) + "\"}\n"};
        });
  }
  Client client() { return Client::tls(https.number(), server.dir().path("live/ca.pem"), kName); }

  ServerProcess server;
  FreePort https, http;
  std::unique_ptr<Backend> backend;
};

}  // namespace

TEST_CASE("the production site: -t has no error") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    Production site(account);
    const auto outcome = site.server.run({"-t"});
    INFO(outcome.err);
    CHECK(outcome.status == 0);
    CHECK_FALSE(contains(outcome.err, "[emerg]"));
    CHECK_FALSE(contains(outcome.err, "[error]"));
  }
}

TEST_CASE("the production site: the front end from disk over TLS") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    Production site(account);
    site.server.start();
    auto client = site.client();
    CHECK(client.tls_version() == "TLSv1.3");

    const auto index = client.get("/", kName);
    CHECK(index.status == 200);
    CHECK(index.field("Content-Type") == "text/html");
    CHECK(index.body == "<!doctype html>the scope");
    CHECK(client.get("/assets/main.js", kName).body == "export {};");

    const auto route = client.get("/gallery?name=Specimen&visualizer=Turtle", kName);
    CHECK(route.status == 200);
    CHECK(route.body == "<!doctype html>the scope");
    CHECK(client.get("/doc/", kName).body == "<!doctype html>the guide");
  }
}

TEST_CASE("the production site: the API through the application's socket") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    Production site(account);
    site.server.start();
    auto client = site.client();
    const auto answer =
        client.get("/api/search_oeis/prime%2Fnumber?x=1", kName, "User-Agent: test\r\n");
    CHECK(answer.status == 200);
    CHECK(answer.body == "{\"asked\":\"GET /api/search_oeis/prime%2Fnumber?x=1 HTTP/1.1\"}\n");
    CHECK(answer.field("Content-Type") == "application/json");
    CHECK(answer.field("Access-Control-Allow-Origin") == "*");
    CHECK(answer.count("Access-Control-Allow-Origin") == 1);
    CHECK(answer.field("Server") != "gunicorn");
    CHECK(client.get("/api/get_commit", kName).status == 200);

    REQUIRE(site.backend->heads().size() == 2);
    const auto head = site.backend->heads()[0];
    INFO(head);
    CHECK(contains(head, "\r\nHost: numberscope.colorado.edu\r\n"));
    CHECK(contains(head, "\r\nX-Real-IP: 127.0.0.1\r\n"));
    CHECK(contains(head, "\r\nX-Forwarded-For: 127.0.0.1\r\n"));
    CHECK(contains(head, "\r\nX-Forwarded-Proto: https\r\n"));
    CHECK(contains(head, "\r\nUser-Agent: test\r\n"));
  }
}

TEST_CASE("the production site: an application that is down is 502, and the site goes on") {
  Production site(accounts().front());
  site.server.start();
  site.backend.reset();
  auto client = site.client();
  CHECK(client.get("/api/get_commit", kName).status == 502);
  CHECK(client.get("/", kName).status == 200);
  CHECK(site.server.error_log_says("backscope.sock"));
}

TEST_CASE("the production site: plain HTTP redirects its own name and refuses others") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    Production site(account);
    site.server.start();
    const auto redirect = get(site.http.number(), "/gallery?a=%20b", kName);
    CHECK(redirect.status == 301);
    CHECK(redirect.field("Location") == "https://numberscope.colorado.edu/gallery?a=%20b");
    CHECK(get(site.http.number(), "/", "elsewhere.example").status == 404);
  }
}

}  // namespace gatescope::integration
