#include "tests/bench/api_site.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "tests/support/fibonacci.h"

namespace gatescope::bench {

namespace {

using namespace std::chrono_literals;

/// One request on a connection of its own.
class Fetch final : public Wire {
 public:
  Fetch(Reactor& reactor, SSL_CTX* tls, std::uint16_t port, std::string path)
      : Wire(reactor, tls), path_(std::move(path)) {
    connect(port);
  }
  bool done() const { return closed(); }
  /// Empty unless it was answered 200.
  std::string body() const {
    const std::size_t end = all_.find("\r\n\r\n");
    const bool ok = all_.starts_with("HTTP/1.1 200 ") && end != std::string::npos;
    return ok ? all_.substr(end + 4) : std::string();
  }

 private:
  void on_open() override {
    send("GET " + path_ + " HTTP/1.1\r\nHost: bench.test\r\nConnection: close\r\n\r\n");
  }
  void on_data(std::string_view data) override { all_ += data; }

  const std::string path_;
  std::string all_;
};

/// %U may have any length: all terms that a sequence needs here.
void write_entry(const std::string& folder, unsigned number, int offset, const std::string& name,
                 const std::string& terms) {
  const auto id = fmt::format("A{:06}", number);
  const auto place = folder + "/data/seq/" + id.substr(0, 4);
  std::filesystem::create_directories(place);
  std::ofstream(place + "/" + id + ".seq")
      << "%I " << id << "\n%S " << id << " " << terms << "\n%N " << id << " " << name << "\n%Y "
      << id << " Cf. A000040, A000045.\n%O " << id << " " << offset << ",1\n";
}

std::string primes(std::size_t count) {
  std::vector<unsigned> found;
  std::string text;
  for (unsigned n = 2; found.size() < count; ++n) {
    bool divisible = false;
    for (std::size_t i = 0; i < found.size() && found[i] * found[i] <= n && !divisible; ++i)
      divisible = n % found[i] == 0;
    if (divisible) continue;
    found.push_back(n);
    text += (text.empty() ? "" : ",") + std::to_string(n);
  }
  return text;
}

}  // namespace

ApiSite::ApiSite(const Program& program, unsigned loops) : server(program, "", "") {
  const std::string& folder = server.folder();
  if (!make_certificate(folder, "site")) return;
  write_entry(folder, 40, 1, "The prime numbers.", primes(10'000));
  write_entry(folder, 45, 0, "Fibonacci numbers.",
              fmt::format("{}", fmt::join(test::fibonacci(2000), ",")));
  // Under root the database's user must be able to enter it.
  std::filesystem::create_directory(folder + "/state");
  std::filesystem::permissions(folder + "/state", std::filesystem::perms(0755));
  server.set_main(
      fmt::format("worker_processes {}; state_dir {}/state; numberscope {{ database "
                  "embedded; oeis off; oeisdata {}/data; }}",
                  loops, folder, folder));
  server.configure(fmt::format(
      "gzip_comp_level 6; brotli_comp_level 5; gzip_types application/json; brotli_types "
      "application/json; types {{ application/json json; }}\n"
      "server {{ listen 127.0.0.1:{} ssl; ssl_certificate {}/site.pem; ssl_certificate_key "
      "{}/site.key; root html; gzip on; brotli on; gzip_vary on;\n"
      "location /api/ {{ numberscope_api; }} }}\n",
      port, folder, folder));
  up = server.start();
}

std::string ApiSite::fetch(SSL_CTX* tls, const std::string& path) const {
  Reactor reactor;
  for (const Time end = now() + 60s; now() < end;) {
    Fetch request(reactor, tls, port, path);
    reactor.run_until(12'000ms, [&] { return request.done(); });
    if (const auto body = request.body(); !body.empty()) return body;
    reactor.run_until(100ms, [] { return false; });
  }
  return {};
}

}  // namespace gatescope::bench
