// gatescope upgrade: checks, exchanges, watches; and goes back by itself.

#include <signal.h>

#include "tests/integration/support/client.h"
#include "tests/integration/support/saying_site.h"
#include "tests/integration/support/site_asker.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

TEST_CASE("upgrade command: the new program serves, the old one ends, no request fails") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    SayingSite site("one", account);
    auto& [server, upgraded, port] = site;
    site.configure("two");
    SiteAsker kept([&] { return Client::tcp(port.number()); }, true);
    const auto outcome = server.run({"upgrade", "--watch", "1"});
    CAPTURE(outcome.out, outcome.err, server.logs());
    CHECK(outcome.status == 0);
    CHECK(contains(outcome.out, "checked "));
    CHECK(contains(outcome.out, "watched "));
    CHECK(contains(outcome.out, "has ended, process " + std::to_string(upgraded.pid())));
    CHECK(server.wait() == 0);
    CHECK(upgraded.pid() != server.pid());
    CHECK(get(port.number(), "/").body == "two");
    CHECK(kept.finish() == "");
  }
}

TEST_CASE("upgrade command: a program is put in the place of the old one, and taken away again") {
  for (const auto account : accounts()) {
    CAPTURE(name_of(account));
    SayingSite site("ok", account);
    auto& [server, upgraded, port] = site;
    const pid_t old = server.pid();
    // What the check finds good, and does not serve
    server.write("broken",
                 "#!/bin/sh\nfor word; do case $word in -v) echo gatescope/9; exit;; -t) exit;; "
                 "esac; done\nexit 3\n",
                 0755);
    const auto broken = server.run({"upgrade", server.dir().path("broken")});
    CAPTURE(broken.out, broken.err, server.logs());
    CHECK(broken.status == 1);
    CHECK(contains(broken.out, "version 9"));
    CHECK(contains(broken.err, "ended with status 3 before it served"));
    CHECK(contains(broken.out, "serves on as before"));
    CHECK(upgraded.pid() == old);
    CHECK(get(port.number(), "/").body == "ok");
    CHECK_FALSE(contains(server.dir().read("gatescope").substr(0, 9), "#!/bin/sh"));

    std::filesystem::copy_file(gatescope_binary(), server.dir().path("next"));
    const auto good = server.run({"upgrade", server.dir().path("next"), "--watch", "0"});
    CAPTURE(good.out, good.err);
    CHECK(good.status == 0);
    CHECK(server.dir().has("gatescope.before"));
    CHECK(server.wait() == 0);
    CHECK(get(port.number(), "/").body == "ok");
  }
}

TEST_CASE("upgrade command: one that hangs is ended, and the old one serves on") {
  SayingSite site("ok");
  auto& [server, upgraded, port] = site;
  upgraded.put_script(
      "#!/bin/sh\nfor word; do case $word in -v) echo gatescope/9; exit;; -t) exit;; esac; "
      "done\nexec sleep 1000\n");
  const auto outcome = server.run({"upgrade", "--wait", "5"});
  CAPTURE(outcome.out, outcome.err, server.logs());
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "does not serve after 5 s"));
  CHECK(upgraded.pid() == server.pid());
  CHECK(upgraded.old_pid() == -1);
  CHECK(get(port.number(), "/").body == "ok");
}

TEST_CASE("upgrade command: one that is not well is taken back") {
  SayingSite site("ok");
  auto& [server, upgraded, port] = site;
  // What it reads now names a database that is not there
  server.configure("server { listen 127.0.0.1:" + port.text() +
                       "; return 200 ok; location /api { numberscope_api; } }",
                   "numberscope { database host=/nonexistent dbname=x; oeis off; }");
  const auto outcome = server.run({"upgrade", "--watch", "5"});
  CAPTURE(outcome.out, outcome.err, server.logs());
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "is not well"));
  CHECK(upgraded.pid() == server.pid());
  CHECK(get(port.number(), "/").body == "ok");
  CHECK(server.running());
}

TEST_CASE("upgrade command: wrong input changes nothing, and is said") {
  SayingSite site("ok");
  auto& [server, upgraded, port] = site;
  const auto refuses = [&](const std::vector<std::string>& words, const std::string& why) {
    const auto outcome = server.run(words);
    CAPTURE(words, outcome.out, outcome.err);
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, why));
    CHECK(upgraded.pid() == server.pid());
    CHECK_FALSE(contains(server.error_log(), "changing binary"));
  };
  refuses({"upgrade", server.dir().path("nothing")}, "(2: No such file or directory)");
  server.write("text", "text");
  refuses({"upgrade", server.dir().path("text")}, "(13: Permission denied)");
  refuses({"upgrade", "/bin/true"}, "\"/bin/true\" is no gatescope: asked for its version");
  refuses({"upgrade", "--watch", "soon"}, "--watch");
  server.write("gatescope.conf", "daemon off;\nnonsense;\n");
  refuses({"upgrade"}, server.conf_path() + ":2:1");
  CHECK(get(port.number(), "/").body == "ok");
}

TEST_CASE("upgrade command: a second one is refused while one is under way") {
  SayingSite site("ok");
  auto& [server, upgraded, port] = site;
  const pid_t fresh = upgraded.change();
  const auto outcome = server.run({"upgrade"});
  CAPTURE(outcome.out, outcome.err);
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "an upgrade is under way already: process " + std::to_string(fresh)));
  upgraded.end_old();
}

}  // namespace gatescope::integration
