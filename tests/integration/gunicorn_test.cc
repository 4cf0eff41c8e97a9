// The application as it runs today: gunicorn on a unix socket, with the production blocks.

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/integration/support/production_site.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

constexpr const char* kApplication = R"(def app(environ, start_response):
    body = ('%s %s' % (environ['REQUEST_METHOD'], environ['PATH_INFO'])).encode()
    body += b' ' + environ['wsgi.input'].read()
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]
)";

/// gunicorn(1) with two processes. A worker that is told to end while it starts may not hear it: it
/// is waited for two seconds, not thirty. Runs as root or as whoever runs the tests.
class Gunicorn {
 public:
  explicit Gunicorn(ProductionSite& site) : site_(site) {
    site.server.write("app.py", kApplication);
  }
  void start() {
    const auto& dir = site_.server.dir();
    process_ = std::make_unique<Process>(
        std::vector<std::string>{"/usr/bin/gunicorn", "--workers", "2", "--graceful-timeout", "2",
                                 "--umask", "0", "--chdir", dir.path(), "--bind",
                                 "unix:" + site_.socket(), "app:app"},
        dir.path("gunicorn.out"), dir.path("gunicorn.err"), Account::Own, "/usr/bin/python3");
  }
  void stop() {
    process_->signal(SIGTERM);
    REQUIRE(process_->wait(kPatience));
  }

 private:
  ProductionSite& site_;
  std::unique_ptr<Process> process_;
};

/// Asks over and over on kept connections until told to stop.
struct Load {
  std::atomic<bool> over = false;
  std::atomic<int> good = 0, bad = 0;
  std::string trouble;  // what was not good, the newest; read after finish()
  std::thread thread;
  explicit Load(ProductionSite& site) {
    thread = std::thread([this, &site] {
      while (!over) {
        try {
          auto client = site.client();
          for (int i = 0; i < 20 && !over; ++i) {
            const auto answer = client.get("/api/get_commit", kSiteName);
            const bool ok = answer.status == 200 && answer.body == "GET /api/get_commit ";
            ++(ok ? good : bad);
            if (!ok) trouble = answer.head + answer.body;
          }
        } catch (const std::exception& error) {
          trouble = error.what();
          ++bad;
        }
      }
    });
  }
  ~Load() { finish(); }
  void finish() {
    over = true;
    if (thread.joinable()) thread.join();
  }
};

void restart_under_load(ProductionSite& site, Gunicorn& gunicorn, Load& load) {
  for (int i = 0; i < 10; ++i) {
    gunicorn.stop();
    const int before = load.good;
    gunicorn.start();
    const bool served = within(kPatience, [&] { return load.good > before + 5; });
    INFO(site.server.logs() << site.server.dir().read("gunicorn.err"));
    CAPTURE(i, load.good.load(), load.bad.load());
    REQUIRE(served);
  }
}

}  // namespace

TEST_CASE("gunicorn restarted ten times under load: with proxy_wait_upstream nobody notices",
          "[both]") {
  ProductionSite site(Account::Own, "proxy_wait_upstream 20s;");
  Gunicorn gunicorn(site);
  gunicorn.start();
  site.server.start();
  Load load(site);
  restart_under_load(site, gunicorn, load);
  load.finish();
  CHECK(load.trouble == "");
  CHECK(load.bad == 0);
  // What has a body is waited for too, and comes whole.
  gunicorn.stop();
  auto client = site.client();
  client.send(
      "POST /api/x HTTP/1.1\r\nHost: numberscope.colorado.edu\r\nContent-Length: 5\r\n\r\n"
      "12345");
  gunicorn.start();
  CHECK(client.answer().body == "POST /api/x 12345");
  CHECK(site.server.error_log_says("waits for an upstream that can be connected"));
}

TEST_CASE("gunicorn restarted without proxy_wait_upstream: 502 meanwhile, as nginx") {
  ProductionSite site(Account::Own);
  Gunicorn gunicorn(site);
  gunicorn.start();
  site.server.start();
  Load load(site);
  restart_under_load(site, gunicorn, load);
  CHECK(load.bad > 0);
}

}  // namespace gatescope::integration
