// A new front end in the place of the old one, while people use it.

#include <signal.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <regex>
#include <thread>

#include "tests/integration/support/client.h"
#include "tests/integration/support/free_port.h"
#include "tests/integration/support/server_process.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

namespace fs = std::filesystem;

std::string hash_of(int version) {
  return "Ab1" + std::to_string(10'000 + version);
}

/// What Vite would write: a page, its script, and a script that this one fetches later.
void write_front_end(ServerProcess& server, const std::string& folder, int version) {
  const auto hash = hash_of(version);
  const auto v = std::to_string(version);
  std::string filler;
  for (int i = 0; i < 200; ++i)
    filler += "console.log(" + v + ");";
  server.write(folder + "/index.html", "<!doctype html><title>v" + v +
                                           "</title><script type=\"module\" src=\"/assets/index-" +
                                           hash + ".js\"></script>");
  server.write(folder + "/assets/index-" + hash + ".js",
               "import(\"./page-" + hash + ".js\");" + filler);
  server.write(folder + "/assets/page-" + hash + ".js", "/*page " + v + "*/" + filler);
}

std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const auto at = text.find(before);
  if (at == std::string::npos) return "";
  const auto begin = at + before.size();
  return text.substr(begin, text.find(after, begin) - begin);
}

/// Somebody who opens the page again and again and loads what it names; what went wrong, if
/// anything.
class Visitor {
 public:
  explicit Visitor(std::uint16_t port) : thread_([this, port] { run(port); }) {}
  ~Visitor() { finish(); }
  std::string finish() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
    return wrong_;
  }
  int loads() const { return loads_; }

 private:
  void run(std::uint16_t port) {
    try {
      while (!over_ && wrong_.empty()) {
        auto client = Client::tcp(port);
        const auto page = client.get("/");
        const auto script = between(page.body, "src=\"", "\"");
        const auto version = between(page.body, "<title>v", "<");
        if (page.status != 200 || script.empty()) throw std::runtime_error("page: " + page.head);
        const auto loaded = client.get(script, "localhost", "Accept-Encoding: identity\r\n");
        if (loaded.status != 200) throw std::runtime_error(script + ": " + loaded.head);
        const auto later = "/assets/" + between(loaded.body, "./", "\"");
        const auto fetched = client.get(later);
        if (fetched.status != 200) throw std::runtime_error(later + ": " + fetched.head);
        if (between(fetched.body, "/*page ", "*/") != version)
          throw std::runtime_error("page " + version + " got " + later);
        const auto packed = client.get(script, "localhost", "Accept-Encoding: br\r\n");
        if (packed.status != 200 || packed.field("Content-Encoding") != "br")
          throw std::runtime_error(script + ": " + packed.head);
        ++loads_;
      }
    } catch (const std::exception& error) {
      wrong_ = error.what();
    }
  }

  std::atomic<bool> over_{false};
  std::atomic<int> loads_{0};
  std::string wrong_;
  std::thread thread_;
};

std::string application(const FreePort& port) {
  return "server { listen 127.0.0.1:" + port.text() +
         "; server_name localhost; root site; gzip_static on; brotli_static on;"
         " location / { spa_fallback /index.html; } }";
}

bool shows(const FreePort& port, int version) {
  return contains(get(port.number(), "/").body, "<title>v" + std::to_string(version) + "<");
}

}  // namespace

namespace {

/// The name on the last line that has one: they are listed in the order of time.
std::string newest_of(const std::string& list) {
  const std::regex name("\\d{8}-\\d{6}-[0-9a-f]{8}");
  std::string newest;
  for (auto it = std::sregex_iterator(list.begin(), list.end(), name); it != std::sregex_iterator();
       ++it)
    newest = it->str();
  return newest;
}

}  // namespace

TEST_CASE("twenty deploys and rollbacks while people use the site: nobody misses a file",
          "[both][release]") {
  ServerProcess server;
  FreePort port;
  write_front_end(server, "first", 0);
  server.configure(application(port));
  REQUIRE(server.run({"deploy", server.dir().path("first")}).status == 0);
  server.start();
  CHECK(shows(port, 0));
  {
    Visitor one(port.number()), two(port.number());
    for (int i = 1; i <= 10; ++i) {
      fs::remove_all(server.dir().path("dist"));
      write_front_end(server, "dist", i);
      const auto deployed = server.run({"deploy", server.dir().path("dist")});
      CAPTURE(deployed.out, deployed.err);
      REQUIRE(deployed.status == 0);
      CHECK(shows(port, i));  // at once
      const auto back = server.run({"rollback"});
      CAPTURE(back.out, back.err);
      REQUIRE(back.status == 0);
      CHECK(shows(port, i - 1));  // at once
      // A tab that was opened with the newer one
      CHECK(get(port.number(), "/assets/page-" + hash_of(i) + ".js").status == 200);
      const auto list = server.run({"deploy", "--list"}).out;
      const auto again = server.run({"rollback", newest_of(list)});
      CAPTURE(list, again.err);
      REQUIRE(again.status == 0);
      CHECK(shows(port, i));  // at once
    }
    CHECK(one.finish() == "");
    CHECK(two.finish() == "");
    CHECK(one.loads() + two.loads() > 20);
  }
  // Five are kept, and their files; what is older is gone.
  CHECK(get(port.number(), "/assets/page-" + hash_of(6) + ".js").status == 200);
  CHECK(get(port.number(), "/assets/page-" + hash_of(5) + ".js").status == 404);
}

TEST_CASE("a plain folder that is served becomes a link without anybody noticing", "[release]") {
  ServerProcess server;
  FreePort port;
  write_front_end(server, "site", 0);
  server.configure("gzip on; gzip_types *; " + application(port));
  server.start();
  REQUIRE(shows(port, 0));
  write_front_end(server, "dist", 1);
  const auto deployed = server.run({"deploy", server.dir().path("dist")});
  CAPTURE(deployed.out, deployed.err);
  REQUIRE(deployed.status == 0);
  CHECK(contains(deployed.out, "was a plain folder"));
  CHECK(within(kPatience, [&] { return shows(port, 1); }));
  CHECK(get(port.number(), "/assets/page-" + hash_of(0) + ".js").status == 200);
  // As before there were builds: `npm run build` into the folder that is served
  REQUIRE(server.run({"rollback"}).status == 0);
  fs::remove(server.dir().path("site"));
  write_front_end(server, "site", 2);
  CHECK(within(kPatience, [&] { return shows(port, 2); }));
}

TEST_CASE("which site is meant is found in the configuration, or asked for with a list") {
  ServerProcess server;
  write_front_end(server, "dist", 1);
  const auto dist = server.dir().path("dist");
  const auto site = [](const std::string& name, const std::string& root, const std::string& more) {
    return "server { server_name " + name + "; root " + root + "; " + more + " }\n";
  };
  server.configure(site("a.test", "a", "") + site("b.test www.b.test", "b",
                                                  "location / { try_files "
                                                  "$uri /index.html; }"));
  // The only one that is an application
  CHECK(contains(server.run({"deploy", dist}).out, server.dir().path("b") + " serves build"));
  CHECK(contains(server.run({"deploy", dist, "--to", "A.test"}).out,
                 server.dir().path("a") + " serves build"));
  CHECK(contains(server.run({"deploy", dist, "--to", "www.b.test"}).out, "nothing to do"));
  CHECK(contains(server.run({"deploy", dist, "--to", server.dir().path("c/")}).out,
                 server.dir().path("c") + " serves build"));
  const auto unknown = server.run({"deploy", dist, "--to", "c.test"});
  CHECK(unknown.status == 1);
  CHECK(contains(unknown.err, "no server \"c.test\" has a root; there are:\n  --to a.test"));
  server.configure(site("a.test", "a", "location / { spa_fallback /index.html; }") +
                   site("b.test", "b", "location / { spa_fallback /index.html; }"));
  const auto several = server.run({"deploy", dist});
  CHECK(several.status == 1);
  CHECK(contains(several.err, "there are several sites; say which:\n  --to a.test"));
  CHECK(contains(several.err, server.dir().path("b") + " ("));
  CHECK(contains(several.err, "gatescope.conf:"));
  server.configure("server { return 200 x; }");
  CHECK(contains(server.run({"deploy", dist}).err, "the configuration serves no folder"));
}

TEST_CASE("deploy says what is wrong with what it is given, and that nothing was changed") {
  ServerProcess server;
  FreePort port;
  server.configure(application(port));
  const auto fails = [&](const std::vector<std::string>& args, const std::string& says) {
    const auto outcome = server.run(args);
    CAPTURE(outcome.out, outcome.err);
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, says));
  };
  fails({"deploy"}, "what is to be deployed?");
  fails({"deploy", "/nowhere"}, "No such file");
  fails({"deploy", server.conf_path()}, "cannot be unpacked");
  write_front_end(server, "dist", 1);
  fs::remove(server.dir().path("dist/assets/index-" + hash_of(1) + ".js"));
  fails({"deploy", server.dir().path("dist")}, "Nothing was changed.");
  fails({"deploy", server.dir().path("dist"), "--keep", "0"}, "--keep");
  fails({"rollback"}, "nothing was ever deployed to");
  CHECK(contains(server.run({"deploy", "--list"}).out, "nothing was deployed to"));
  CHECK_FALSE(server.dir().has("site"));
}

TEST_CASE("root deploys as the user who owns the place, and leaves him nothing of root's") {
  if (skipped_without_root()) return;
  ServerProcess server;
  FreePort port;
  write_front_end(server, "dist", 1);
  fs::create_directory(server.dir().path("home"));
  give_to(server.dir().path("home"), Account::Nobody);
  server.configure("server { listen 127.0.0.1:" + port.text() + "; root home/site; }");
  const auto deployed = server.run({"deploy", server.dir().path("dist")});
  CAPTURE(deployed.out, deployed.err);
  REQUIRE(deployed.status == 0);
  CHECK(contains(deployed.out, "as user nobody, who owns"));
  struct stat facts {};
  for (const auto& entry : fs::recursive_directory_iterator(server.dir().path("home"))) {
    CAPTURE(entry.path());
    REQUIRE(::lstat(entry.path().c_str(), &facts) == 0);
    CHECK(facts.st_uid != 0);
  }
}

TEST_CASE("on a full disk a deploy changes nothing and says why") {
  if (skipped_without_root()) return;
  ServerProcess server;
  FreePort port;
  server.configure(application(port));
  write_front_end(server, "dist", 1);
  write_front_end(server, "next", 2);
  std::string noise;
  for (unsigned i = 0, x = 1; i < 2'000'000; ++i, x = x * 1103515245 + 12345)
    noise += static_cast<char>(x >> 24);
  server.write("next/large.bin", noise);
  // A disk of its own, which only these commands see.
  const auto& dir = server.dir();
  const std::string deploy = gatescope_binary() + " -p " + dir.path() + "/ -c " +
                             server.conf_path() + " deploy --to " + dir.path("disk/site") + " ";
  dir.write("try.sh", "set -e\nmkdir -p disk\nmount -t tmpfs -o size=1m none disk\n" + deploy +
                          dir.path("dist") + "\nls -R disk >before\nset +e\n" + deploy +
                          dir.path("next") + " 2>said\necho $? >status\nls -R disk >after\n" +
                          "readlink disk/site >link\numount disk\n");
  Process shell({"-m", "sh", "-c", "cd " + dir.path() + " && sh try.sh"}, dir.path("out"),
                dir.path("err"), Account::Own, "/usr/bin/unshare");
  REQUIRE(shell.wait(kPatience));
  INFO(dir.read("out") + dir.read("err"));
  if (dir.read("status").empty()) {
    WARN("SKIPPED: no file system of one's own can be mounted here");
    return;
  }
  CHECK(dir.read("status") == "1\n");
  CHECK(contains(dir.read("said"), "the disk is full: make room and try again"));
  CHECK(contains(dir.read("said"), "Nothing was changed."));
  CHECK(dir.read("after") == dir.read("before"));
}

}  // namespace gatescope::integration
