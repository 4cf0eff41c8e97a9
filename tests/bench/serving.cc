// The serving path beside nginx: the same configuration for both, in turns, by CPU time.

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include "tests/bench/api_site.h"
#include "tests/bench/contest.h"
#include "tests/bench/http2_asker.h"
#include "tests/bench/idle.h"
#include "tests/bench/plot.h"
#include "tests/bench/scenarios.h"
#include "tests/bench/sink.h"

namespace gatescope::bench {

namespace {

using namespace std::chrono_literals;

/// One of the programs, with everything that is asked for. Only its ports are its own.
class Contender {
 public:
  Contender(const Program& program, unsigned loops, const std::string& upstream)
      : server_(program, fmt::format("worker_processes {};", loops), "") {
    if (!make_certificate(server_.folder(), "site")) return;
    server_.write("html/k", std::string(1024, 'k'));
    server_.write("html/asset", std::string(100'000, 'a'));
    server_.write("html/large", std::string(10'000'000, 'l'));
    if (!write_script()) return;
    server_.configure(fmt::format(
        "types {{ text/html html; text/javascript js; application/json json; }}\n"
        "sendfile on; tcp_nopush on; keepalive_timeout 600s; gzip_static on;\n"
        "open_file_cache max=1000 inactive=300s; open_file_cache_valid 60s;\n"
        "ssl_certificate site.pem; ssl_certificate_key site.key;\n"
        "ssl_session_cache shared:sessions:10m; ssl_session_timeout 1h;\n"
        "upstream up {{ server unix:{}; keepalive 128; }}\n"
        "server {{ listen 127.0.0.1:{} ssl http2 backlog=4096; listen 127.0.0.1:{} backlog=4096;\n"
        "root html; location /up/ {{ proxy_pass http://up/; proxy_http_version 1.1; "
        "proxy_set_header Connection \"\"; }} }}\n",
        upstream, tls_port_, plain_port_));
    up_ = server_.start();
  }
  bool up() const { return up_; }
  std::uint16_t tls_port() const { return tls_port_; }
  std::uint16_t plain_port() const { return plain_port_; }
  const MeasuredServer& server() const { return server_; }

 private:
  /// A program for a browser of 120 KB, and its compressed form beside it.
  bool write_script() const {
    std::string text;
    for (unsigned n = 1; text.size() < 120'000; ++n)
      text += fmt::format("function f{0:x}(v{1:x}) {{ return v{1:x}.m{2:x}({0}); }}\n",
                          n * 2654435761u % 99991, n * 40503u % 9973, n * 69069u % 997);
    server_.write("html/app.js", text);
    return std::system(fmt::format("gzip -9 -n -k {}/html/app.js", server_.folder()).c_str()) == 0;
  }

  MeasuredServer server_;
  const std::uint16_t tls_port_ = free_port(), plain_port_ = free_port();
  bool up_ = false;
};

/// A folder for the upstream's socket.
class SocketFolder {
 public:
  SocketFolder() {
    char pattern[] = "/tmp/gatescope-bench-XXXXXX";
    path_ = ::mkdtemp(pattern);
    std::filesystem::permissions(path_, std::filesystem::perms(0755));
  }
  ~SocketFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string socket() const { return path_ + "/up"; }

 private:
  std::string path_;
};

struct Path {
  const char *name, *unit;
  double scale;  // units a request
  const char* path;
  int clients;
  enum { Tls, Plain, Http2 } by = Tls;
  bool keep = true, resume = false;
  const char* accept_encoding = "";
};
constexpr int kStreams = 32;
constexpr Path kPaths[] = {
    {"1 KB file, HTTP/1.1", "us", 1, "/k", 64},
    {"1 KB file, HTTP/2, 16 x 32 streams", "us", 1, "/k", 16, Path::Http2},
    {"100 KB file", "us/MB", 0.1, "/asset", 32},
    {"10 MB file", "us/MB", 10, "/large", 8},
    {"10 MB file, without TLS", "us/MB", 10, "/large", 8, Path::Plain},
    {"full TLS 1.3 handshake and 1 KB", "us", 1, "/k", 32, Path::Tls, false},
    {"resumed handshake and 1 KB", "us", 1, "/k", 32, Path::Tls, false, true},
    {"precompressed .js", "us", 1, "/app.js", 32, Path::Tls, true, false, "gzip"},
    {"proxy to a unix socket, 1 KB", "us", 1, "/up/k", 64},
};

/// The server on one core, who asks on another: else the kernel moves them about, and what they
/// share of a core's caches is another thing in each round. A server with two loops has all.
class Cores {
 public:
  Cores() {
    if (all_.size() > 1) run_on({all_.back()});
  }
  ~Cores() { run_on(all_); }
  Cores(const Cores&) = delete;
  Cores& operator=(const Cores&) = delete;
  Program one(Program program) const {
    program.cores = {all_.front()};
    return program;
  }
  Program all(Program program) const {
    program.cores = all_;
    return program;
  }

 private:
  const std::vector<unsigned> all_ = own_cores();
};

class Contest {
 public:
  Contest(const Settings& settings, const Program& other) : settings_(settings), other_(other) {}

  std::string run() {
    const SocketFolder folder;
    const Sink upstream(folder.socket());
    const Contender ours(cores_.one(settings_.program), 1, folder.socket());
    const Contender theirs(cores_.one(other_), 1, folder.socket());
    if (!ours.up() || !theirs.up()) return "a server does not start";
    for (const auto& path : kPaths)
      add(compare(
          path.name, path.unit, path.scale, settings_.rounds, [&] { return cost(ours, path); },
          [&] { return cost(theirs, path); }));
    add_api(theirs);
    add_loops(ours, folder.socket());
    if (settings_.connections > 0) add_memory();
    return {};
  }
  const std::vector<Row>& rows() const { return rows_; }
  const Figures& figures() const { return figures_; }

 private:
  std::chrono::milliseconds span() const { return settings_.quick ? 200ms : 1000ms; }

  void add(const Row& row, bool of_both = true) {
    figures_.emplace_back(row.name, as_line(row));
    if (of_both) rows_.push_back(row);
  }

  Cost cost(const Contender& who, const Path& path) const {
    const std::uint16_t port = path.by == Path::Plain ? who.plain_port() : who.tls_port();
    if (path.by != Path::Http2)
      return measure(path.by == Path::Tls ? tls_ : nullptr, who.server(),
                     {.port = port,
                      .keep = path.keep,
                      .resume = path.resume,
                      .path = path.path,
                      .accept_encoding = path.accept_encoding},
                     path.clients, span());
    Reactor reactor;
    Seen seen;
    LoadClients clients;
    for (int i = 0; i < path.clients; ++i)
      clients.push_back(std::make_unique<Http2Asker>(
          reactor, http2_tls_,
          Http2Asker::Plan{.port = port, .path = path.path, .streams = kStreams}, seen));
    return measure(reactor, who.server(), clients, seen, span());
  }

  /// nginx has no API: it sends the same bytes from a file, and so do we once more.
  void add_api(const Contender& theirs) {
    const ApiSite site(cores_.one(settings_.program), 1);
    const std::string path = "/api/get_oeis_values/A000040/128";
    const auto body = site.up ? site.fetch(tls_, path) : "";
    if (body.empty()) return figures_.emplace_back("API", "not answered"), void();
    site.server.write("html/same.json", body);
    theirs.server().write("html/same.json", body);
    const auto ask = [this](const MeasuredServer& server, std::uint16_t port, std::string what) {
      return measure(tls_, server, {.port = port, .path = std::move(what)}, 64, span());
    };
    const auto file = [&] { return ask(site.server, site.port, "/same.json"); };
    const auto answer = [&] { return ask(site.server, site.port, path); };
    const auto their_file = [&] { return ask(theirs.server(), theirs.tls_port(), "/same.json"); };
    add(compare(fmt::format("API, {} bytes; {}: a file", body.size(), other_.name), "us", 1,
                settings_.rounds, answer, their_file));
    add(compare("API; ours as a file", "us", 1, settings_.rounds, answer, file), false);
  }

  void add_loops(const Contender& ours, const std::string& upstream) {
    const Contender two(cores_.all(settings_.program), 2, upstream),
        their_two(cores_.all(other_), 2, upstream);
    if (!two.up() || !their_two.up()) return;
    const auto with = [this](const Contender& who) { return [&] { return cost(who, kPaths[0]); }; };
    add(compare("1 KB file, HTTP/1.1, two loops", "us", 1, settings_.rounds, with(two),
                with(their_two)));
    add(compare("two loops; ours with one", "us", 1, settings_.rounds, with(two), with(ours)),
        false);
  }

  void add_memory() {
    for (const bool http2 : {false, true}) {
      const auto ours = idle_memory(settings_.program, 1, settings_.connections, http2);
      const auto theirs = idle_memory(other_, 1, settings_.connections, http2);
      if (ours.connections == 0 || theirs.connections == 0) return;
      Row row{.name = fmt::format("idle TLS connection, {}", http2 ? "HTTP/2" : "HTTP/1.1"),
              .unit = "KB",
              .ours = ours.kb_of_each(),
              .theirs = theirs.kb_of_each(),
              .failed = ours.lost + theirs.lost};
      row.ratio = row.least = row.most = row.theirs / row.ours;
      add(row);
    }
  }

  const Settings& settings_;
  const Program other_;
  const Cores cores_;
  SSL_CTX* const tls_ = client_tls();
  SSL_CTX* const http2_tls_ = client_tls(true);
  std::vector<Row> rows_;
  Figures figures_;
};

}  // namespace

Figures serving(const Settings& settings) {
  const auto other = std::find_if(settings.beside.begin(), settings.beside.end(),
                                  [](const Program& program) { return program.is_nginx; });
  if (other == settings.beside.end()) return {{"serving", "there is no nginx to compare with"}};
  Contest contest(settings, *other);
  if (const auto why = contest.run(); !why.empty()) return {{"serving", why}};
  if (!settings.table.empty())
    std::ofstream(settings.table) << as_markdown(contest.rows(), other->name);
  if (!settings.plot.empty())
    std::ofstream(settings.plot) << ratio_plot(
        contest.rows(), fmt::format("{}'s cost divided by gatescope's", other->name));
  return contest.figures();
}

}  // namespace gatescope::bench
