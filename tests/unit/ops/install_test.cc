#include "proxy/ops/install.h"

#include <sys/stat.h>

#include "tests/unit/ops/site_fixture.h"

namespace gatescope::ops {
namespace {

using Catch::Matchers::Contains;

/// A machine below a folder; what programs would be started on it.
struct Machine final : ProgramRunner, InstallEvents {
  Folder folder;
  InstallRequest request;
  std::string said, started;
  int status = 0;

  Machine() {
    folder.write("root/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    folder.write("root/etc/group", "adm:x:4:\n");
    folder.write("bin/gatescope", "version 1");
    folder.write("bin/gatescope-factor", "factor 1");
    request.root = folder.path("root");
    request.program = folder.path("bin/gatescope");
  }
  Result<int> run(const std::vector<std::string>& words) override {
    for (const auto& word : words)
      started += word + " ";
    started += "\n";
    if (words.front() == "useradd" && status == 0)
      folder.write("root/etc/passwd", folder.read("root/etc/passwd") +
                                          "scope:x:" + std::to_string(::getuid()) + ":" +
                                          std::to_string(::getgid()) + ":::\n");
    return status;
  }
  void on_step(Step step, const std::string& text) override {
    said += std::string(name_of(step)) + ": " + text + "\n";
  }
  std::string install_it() { return result(install(request, *this, *this)); }
  std::string uninstall_it() { return result(uninstall(request, *this, *this)); }
  std::string read(const std::string& name) const { return folder.read("root/" + name); }
  void edit(const std::string& name, const std::string& text) {
    folder.write("root/" + name, text);
  }
  bool has(const std::string& name) const { return folder.has("root/" + name); }

 private:
  static std::string result(const Result<void>& done) { return done ? "" : done.error().detail; }
};

constexpr const char* kConf = "etc/gatescope/gatescope.conf";
constexpr const char* kUnitFile = "etc/systemd/system/numberscope.service";

}  // namespace

TEST_CASE("install makes user, folders, programs, configuration and unit") {
  Machine machine;
  REQUIRE(machine.install_it() == "");
  CHECK_THAT(machine.started, Contains("useradd --system --user-group") &&
                                  Contains("--prefix " + machine.folder.path("root") + " scope"));
  CHECK_THAT(machine.read(kConf), Contains("user scope;"));
  CHECK(machine.has("etc/gatescope/sites/numberscope.conf"));
  CHECK(machine.has("etc/gatescope/proxy_params"));
  CHECK_THAT(machine.read(kUnitFile),
             Contains("ExecStart=/usr/local/sbin/gatescope -g") && !Contains("@SBIN@"));
  CHECK(machine.read("usr/local/sbin/gatescope") == "version 1");
  CHECK(machine.read("usr/local/sbin/gatescope-factor") == "factor 1");
  struct stat facts {};
  REQUIRE(::stat(machine.folder.path("root/var/lib/gatescope/state").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0700);
  CHECK(facts.st_uid == ::getuid());
  REQUIRE(::stat(machine.folder.path("root/usr/local/sbin/gatescope").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0755);
}

TEST_CASE("install again changes nothing") {
  Machine machine;
  REQUIRE(machine.install_it() == "");
  machine.said.clear();
  machine.started.clear();
  REQUIRE(machine.install_it() == "");
  CHECK(machine.said.find("done:") == std::string::npos);
  CHECK(machine.started == "");
}

TEST_CASE("a dry run says the same steps and does none") {
  Machine machine;
  machine.request.dry_run = true;
  REQUIRE(machine.install_it() == "");
  CHECK(machine.started == "");
  CHECK_FALSE(machine.has("var"));
  CHECK_FALSE(machine.has("usr"));
  CHECK(machine.said.find("done:") == std::string::npos);
  std::string would = machine.said;
  machine.said.clear();
  machine.request.dry_run = false;
  REQUIRE(machine.install_it() == "");
  for (std::size_t at; (at = would.find("would:")) != std::string::npos;)
    would.replace(at, 6, "done:");
  CHECK(would == machine.said);
}

TEST_CASE("an edited file is never overwritten, an unedited one follows the program") {
  Machine machine;
  REQUIRE(machine.install_it() == "");
  const std::string shipped = machine.read(kConf);
  // As if an older program had shipped something else, and nobody had touched it
  const std::string remembered = "var/lib/gatescope/.shipped/etc_gatescope_gatescope.conf";
  REQUIRE(machine.read(remembered) == shipped);
  machine.edit(kConf, "older");
  machine.edit(remembered, "older");
  REQUIRE(machine.install_it() == "");
  CHECK(machine.read(kConf) == shipped);
  // Edited, and what is shipped did not change
  machine.edit(kConf, "mine");
  machine.said.clear();
  REQUIRE(machine.install_it() == "");
  CHECK(machine.read(kConf) == "mine");
  CHECK_FALSE(machine.has(std::string(kConf) + ".new"));
  CHECK_THAT(machine.said, Contains("gatescope.conf (edited)"));
  // Edited, and what is shipped changed
  machine.edit(remembered, "older");
  machine.said.clear();
  REQUIRE(machine.install_it() == "");
  CHECK(machine.read(kConf) == "mine");
  CHECK(machine.read(std::string(kConf) + ".new") == shipped);
  CHECK_THAT(machine.said, Contains("was edited: compare them with \"diff -u"));
  // That is said once
  machine.said.clear();
  REQUIRE(machine.install_it() == "");
  CHECK_THAT(machine.said, Contains("gatescope.conf (edited)"));
  // Removed on purpose
  std::filesystem::remove(machine.folder.path("root/" + std::string(kConf)));
  REQUIRE(machine.install_it() == "");
  CHECK_FALSE(machine.has(kConf));
}

TEST_CASE("a file that was there before the first install is edited") {
  Machine machine;
  machine.edit(kConf, "from nginx");
  REQUIRE(machine.install_it() == "");
  CHECK(machine.read(kConf) == "from nginx");
  CHECK(machine.has(std::string(kConf) + ".new"));
}

TEST_CASE("a new program takes the place of the old one in one step") {
  Machine machine;
  REQUIRE(machine.install_it() == "");
  struct stat before {
  }, after{};
  const std::string path = machine.folder.path("root/usr/local/sbin/gatescope");
  REQUIRE(::stat(path.c_str(), &before) == 0);
  machine.folder.write("bin/gatescope", "version 2");
  REQUIRE(machine.install_it() == "");
  CHECK(machine.read("usr/local/sbin/gatescope") == "version 2");
  REQUIRE(::stat(path.c_str(), &after) == 0);
  CHECK(after.st_ino != before.st_ino);  // a running one has the old file on
  CHECK_FALSE(machine.has("usr/local/sbin/gatescope.gatescope-new"));
}

TEST_CASE("uninstall keeps data unless it is to purge") {
  Machine machine;
  REQUIRE(machine.install_it() == "");
  machine.edit("var/lib/gatescope/state/data", "precious");
  REQUIRE(machine.uninstall_it() == "");
  CHECK_FALSE(machine.has(kUnitFile));
  CHECK_FALSE(machine.has("usr/local/sbin/gatescope"));
  CHECK(machine.has(kConf));
  CHECK(machine.read("var/lib/gatescope/state/data") == "precious");
  CHECK_THAT(machine.said, Contains("/var/lib/gatescope (--purge removes it)"));
  machine.request.purge = true;
  machine.started.clear();
  REQUIRE(machine.uninstall_it() == "");
  for (const char* gone : {"etc/gatescope", "var/lib/gatescope", "var/log/gatescope"})
    CHECK_FALSE(machine.has(gone));
  CHECK_THAT(machine.started, Contains("userdel --prefix") && Contains("scope"));
}

TEST_CASE("a purge leaves a user that was there before us") {
  Machine machine;
  machine.edit("etc/passwd", "scope:x:" + std::to_string(::getuid()) + ":0:::\n");
  REQUIRE(machine.install_it() == "");
  CHECK(machine.started == "");
  machine.request.purge = true;
  REQUIRE(machine.uninstall_it() == "");
  CHECK(machine.started == "");
}

TEST_CASE("what hinders an installation is said with its mend") {
  {
    Machine machine;
    machine.status = 9;
    CHECK_THAT(machine.install_it(), Contains("useradd") && Contains("failed with status 9"));
  }
  {
    Machine machine;
    machine.edit("etc/gatescope", "a file");
    CHECK_THAT(machine.install_it(), Contains("is there and is no folder: move it away"));
  }
  {
    Machine machine;
    machine.edit("usr/sbin/gatescope", "");
    CHECK_THAT(machine.install_it(), Contains("belongs to the Debian package"));
    machine.request.from_package = true;
    CHECK(machine.install_it() == "");
    CHECK_FALSE(machine.has("usr/local/sbin/gatescope"));
    CHECK_FALSE(machine.has(kConf));
  }
  {
    Machine machine;
    machine.request.root += "/nowhere";
    CHECK_THAT(machine.install_it(), Contains("there is no such folder"));
  }
}

}  // namespace gatescope::ops
