// `gatescope install` into a folder that plays a machine, and what systemd says of the unit.

#include <filesystem>

#include "tests/integration/support/process.h"
#include "tests/integration/support/temp_dir.h"
#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

namespace {

/// Where useradd has nothing to do: that the package's test tries.
void make_machine(const TempDir& dir) {
  dir.write("root/etc/passwd", "root:x:0:0::/root:/bin/sh\nscope:x:999:999:::\n");
  dir.write("root/etc/group", "scope:x:999:\nadm:x:4:\n");
}

struct Said {
  int status = -1;
  std::string text;
};

/// What systemd-analyze says of the unit; status 127: there is no such program.
Said analyze(const TempDir& dir, std::vector<std::string> words) {
  words.push_back(dir.path("numberscope.service"));
  Process process(words, dir.path("out"), dir.path("err"), Account::Own,
                  "/usr/bin/systemd-analyze");
  Said said;
  said.status = process.wait(kPatience).value_or(-1);
  said.text = dir.read("out") + dir.read("err");
  return said;
}

}  // namespace

TEST_CASE("the unit that is installed is one that systemd takes, and leaves little open",
          "[release]") {
  if (!std::filesystem::exists("/usr/bin/systemd-analyze")) {
    WARN("SKIPPED: there is no systemd-analyze");
    return;
  }
  TempDir dir;
  make_machine(dir);
  const auto installed = run_gatescope({"install", "--root", dir.path("root")});
  CAPTURE(installed.out, installed.err);
  REQUIRE(installed.status == 0);
  std::string unit = dir.read("root/etc/systemd/system/numberscope.service");
  REQUIRE(unit != "");
  // It wants to find the program.
  const std::string program = "/usr/local/sbin/gatescope";
  for (std::size_t at; (at = unit.find(program)) != std::string::npos;)
    unit.replace(at, program.size(), "/bin/true");
  dir.write("numberscope.service", unit);
  const auto verified = analyze(dir, {"verify"});
  INFO(verified.text);
  CHECK(verified.status == 0);
  CHECK(verified.text == "");
  const auto judged = analyze(dir, {"security", "--offline=true", "--no-pager", "--threshold=30"});
  INFO(judged.text);
  CHECK(judged.status == 0);
  // What is left is explained in doc/administration.md.
  CHECK(contains(judged.text, "Overall exposure level"));
}

TEST_CASE("install and uninstall from the command line", "[release]") {
  TempDir dir;
  make_machine(dir);
  const std::string root = dir.path("root");
  const auto shown = run_gatescope({"install", "--dry-run", "--root", root});
  CHECK(shown.status == 0);
  CHECK(contains(shown.out, "would  copy "));
  CHECK_FALSE(dir.has("root/var"));
  CHECK(run_gatescope({"install", "--root", root}).status == 0);
  CHECK(dir.has("root/usr/local/sbin/gatescope-factor"));
  const auto again = run_gatescope({"install", "--root", root});
  CHECK(again.status == 0);
  CHECK_FALSE(contains(again.out, "done "));
  const auto unsure = run_gatescope({"uninstall", "--purge", "--root", root});
  CHECK(unsure.status == 1);
  CHECK(contains(unsure.err, "nothing done: say --yes, or call this on a terminal"));
  CHECK(dir.has("root/usr/local/sbin/gatescope"));
  CHECK(run_gatescope({"uninstall", "--root", root}).status == 0);
  CHECK_FALSE(dir.has("root/usr/local/sbin/gatescope"));
  CHECK(dir.has("root/etc/gatescope/gatescope.conf"));
  CHECK(run_gatescope({"uninstall", "--purge", "--yes", "--root", root}).status == 0);
  CHECK_FALSE(dir.has("root/etc/gatescope"));
  CHECK_FALSE(dir.has("root/var/lib/gatescope"));
  const auto nowhere = run_gatescope({"install", "--root", root + "/nowhere"});
  CHECK(nowhere.status == 1);
  CHECK(contains(nowhere.err, "there is no such folder"));
  const auto nobody = run_gatescope({"install"}, Account::Nobody);
  CHECK(nobody.status == 1);
  CHECK(contains(nobody.err, "this needs root: \"sudo gatescope install\""));
}

}  // namespace gatescope::integration
