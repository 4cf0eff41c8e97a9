// What answers of the API cost, beside static files of the same bytes in the same run.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

#include "tests/bench/asker.h"
#include "tests/bench/scenarios.h"
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

/// Asked for until it is there: a database is made first.
std::string fetch(Reactor& reactor, SSL_CTX* tls, std::uint16_t port, const std::string& path) {
  for (const Time end = now() + 60s; now() < end;) {
    Fetch request(reactor, tls, port, path);
    reactor.run_until(12'000ms, [&] { return request.done(); });
    if (const auto body = request.body(); !body.empty()) return body;
    reactor.run_until(100ms, [] { return false; });
  }
  return {};
}

struct Cost {
  double us = 0, rate = 0, p99 = 0;
  std::uint64_t failed = 0;
};

Cost measure(Reactor& reactor, SSL_CTX* tls, const MeasuredServer& server, const Asker::Plan& plan,
             std::chrono::milliseconds span) {
  Seen seen;
  std::vector<std::unique_ptr<Asker>> askers;
  for (int i = 0; i < 16; ++i)
    askers.push_back(std::make_unique<Asker>(reactor, tls, plan, seen));
  const auto tick = [&] {
    for (auto& asker : askers)
      asker->tick();
  };
  reactor.run_until(
      300ms, [] { return false; }, tick);
  const double cpu = server.cpu();
  const Time begin = now();
  seen = {};
  reactor.run_until(
      span, [] { return false; }, tick);
  const auto requests = static_cast<double>(std::max<std::uint64_t>(1, seen.ok));
  return {.us = (server.cpu() - cpu) / requests * 1e6,
          .rate = requests / ms_between(begin, now()) * 1e3,
          .p99 = seen.percentile(0.99),
          .failed = seen.failed()};
}

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

Figures api(const Settings& settings) {
  if (settings.program.is_nginx) return {};
  const std::uint16_t port = free_port();
  MeasuredServer server(settings.program, fmt::format("worker_processes {};", settings.loops), "");
  const std::string& folder = server.folder();
  if (!make_certificate(folder, "site")) return {{"api", "no openssl command"}};
  write_entry(folder, 40, 1, "The prime numbers.", primes(10'000));
  write_entry(folder, 45, 0, "Fibonacci numbers.",
              fmt::format("{}", fmt::join(test::fibonacci(2000), ",")));
  // Under root the database's user must be able to enter it.
  std::filesystem::create_directory(folder + "/state");
  std::filesystem::permissions(folder + "/state", std::filesystem::perms(0755));
  server.set_main(
      fmt::format("worker_processes {}; state_dir {}/state; numberscope {{ database "
                  "embedded; oeis off; oeisdata {}/data; }}",
                  settings.loops, folder, folder));
  server.configure(fmt::format(
      "gzip_comp_level 6; brotli_comp_level 5; gzip_types application/json; brotli_types "
      "application/json; types {{ application/json json; }}\n"
      "server {{ listen 127.0.0.1:{} ssl; ssl_certificate {}/site.pem; ssl_certificate_key "
      "{}/site.key; root html; gzip on; brotli on; gzip_vary on;\n"
      "location /api/ {{ numberscope_api; }} }}\n",
      port, folder, folder));
  if (!server.start()) return {{"api", "does not start"}};
  Reactor reactor;
  SSL_CTX* const tls = client_tls();
  const struct {
    const char *name, *path, *accept;
  } kCases[] = {
      {"values/A000040/128", "get_oeis_values/A000040/128", ""},
      {"values/A000040/128 br", "get_oeis_values/A000040/128", "br"},
      {"name_and_values/A000040", "get_oeis_name_and_values/A000040", ""},
      {"name_and_values/A000040 gzip", "get_oeis_name_and_values/A000040", "gzip"},
      {"name_and_values/A000040 br", "get_oeis_name_and_values/A000040", "br"},
      {"factors/A000045/100", "get_oeis_factors/A000045/100", ""},
      {"metadata/A000040", "get_oeis_metadata/A000040", ""},
      {"search/prime", "search_oeis/prime", ""},
  };
  Figures figures;
  for (const auto& c : kCases) {
    const std::string path = std::string("/api/") + c.path;
    const std::string body = fetch(reactor, tls, port, path);
    if (body.empty()) {
      figures.emplace_back(c.name, "not answered");
      continue;
    }
    server.write("html/same.json", body);
    const auto span = settings.quick ? 700ms : 1500ms;
    std::vector<Cost> answers, files;
    std::vector<double> ratios;
    for (int round = 0; round < (settings.quick ? 1 : 3); ++round) {
      answers.push_back(measure(reactor, tls, server,
                                {.port = port, .path = path, .accept_encoding = c.accept}, span));
      files.push_back(measure(reactor, tls, server,
                              {.port = port, .path = "/same.json", .accept_encoding = c.accept},
                              span));
      ratios.push_back(answers.back().us / files.back().us);
    }
    const auto median = [](auto list, auto of) {
      std::nth_element(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(list.size() / 2),
                       list.end(), [&](auto& a, auto& b) { return of(a) < of(b); });
      return of(list[list.size() / 2]);
    };
    const auto us = [](const Cost& cost) { return cost.us; };
    const auto rate = [](const Cost& cost) { return cost.rate; };
    const auto p99 = [](const Cost& cost) { return cost.p99; };
    std::uint64_t failed = 0;
    for (const auto& cost : answers)
      failed += cost.failed;
    figures.emplace_back(
        c.name,
        fmt::format("{:6} bytes: {:6.1f} us, file {:6.1f} us, x{:.2f}; {:6.0f}/s, file {:6.0f}/s; "
                    "p99 {:.1f} ms, file {:.1f} ms{}",
                    body.size(), median(answers, us), median(files, us),
                    median(ratios, [](double ratio) { return ratio; }), median(answers, rate),
                    median(files, rate), median(answers, p99), median(files, p99),
                    failed > 0 ? fmt::format("; {} FAILED", failed) : ""));
  }
  return figures;
}

}  // namespace gatescope::bench
