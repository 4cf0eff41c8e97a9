#include "tests/integration/support/production_site.h"

#include "tests/integration/support/site_certificate.h"

namespace gatescope::integration {

namespace {

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
                            const std::string& http, const std::string& of_api) {
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
)" + of_api +
         R"(
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

}  // namespace

ProductionSite::ProductionSite(Account account, const std::string& of_api) : server(account) {
  const auto at = server.dir().path();
  make_certificate(server.dir().path("live"), kSiteName);
  give_to(server.dir().path("live"), account);
  server.write("options-ssl-nginx.conf", kCertbotOptions);
  server.write("ssl-dhparams.pem", dh_parameters());
  server.write("proxy_params", kProxyParams);
  server.write("frontscope/dist/index.html", "<!doctype html>the scope");
  server.write("frontscope/dist/assets/main.js", "export {};");
  server.write("frontscope/dist/doc/index.html", "<!doctype html>the guide");
  server.configure("include numberscope.conf;");
  server.write("numberscope.conf", production_site(at, https.text(), http.text(), of_api));
}

void ProductionSite::start_backend() {
  backend = std::make_unique<Backend>(socket(), [](const std::string& head) {
    return Backend::Reply{"Content-Type: application/json\r\nServer: gunicorn\r\n",
                          "{\"asked\":\"" + head.substr(0, head.find('\r')) + "\"}\n"};
  });
}

Client ProductionSite::client() {
  return Client::tls(https.number(), server.dir().path("live/ca.pem"), kSiteName);
}

}  // namespace gatescope::integration
