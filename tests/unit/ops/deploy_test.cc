#include "proxy/ops/deploy.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/ops/site_fixture.h"

namespace gatescope::ops {
namespace {

using Catch::Matchers::Contains;
namespace fs = std::filesystem;

/// A site at site/, builds to deploy beside it.
struct Place {
  Folder folder;
  SteppingClock clock;
  Said said;
  std::size_t keep = 5;
  bool check = true;
  TreeLimits limits;

  std::string deploy_it(const std::string& name) {
    DeployRequest request{.root = folder.path("site"), .source = folder.path(name)};
    request.keep = keep;
    request.check = check;
    request.limits = limits;
    request.threads = 2;
    said.text.clear();
    const auto done = deploy(request, clock, said);
    return done ? "" : done.error().detail;
  }
  std::string deploy_version(const std::string& version) {
    write_build(folder, "dist", version);
    const auto failed = deploy_it("dist");
    fs::remove_all(folder.path("dist"));
    return failed;
  }
  std::string back(const std::string& id = "") {
    said.text.clear();
    const auto done = roll_back(folder.path("site"), id, clock, said);
    return done ? "" : done.error().detail;
  }
  std::vector<Build> builds() const { return BuildStore::look(folder.path("site")).list(); }
  std::string live() const {
    for (const auto& build : builds())
      if (build.live) return build.id;
    return "";
  }
  bool serves(const std::string& version) const {
    return folder.read("site/index.html").find("<title>" + version + "<") != std::string::npos;
  }
  bool has_asset(const std::string& version, const std::string& form = "") const {
    return folder.has("site/assets/index-Ab1" + std::string(5, version[0]) + ".js" + form);
  }
  /// Nothing of a deploy is left that is no build.
  bool is_clean() const {
    for (const auto& entry : fs::directory_iterator(folder.path("site.builds")))
      if (entry.path().filename().string().starts_with('.') && entry.path().filename() != ".lock")
        return false;
    return true;
  }
};

}  // namespace

TEST_CASE("the first build of a site, compressed in every form") {
  Place place;
  REQUIRE(place.deploy_version("1") == "");
  CHECK(place.serves("1"));
  CHECK(fs::is_symlink(place.folder.path("site")));
  for (const char* form : {".br", ".gz", ".zst"})
    CHECK(place.has_asset("1", form));
  CHECK_FALSE(place.folder.has("site/logo.svg.gz"));  // too small to gain
  CHECK(place.folder.read("site/assets/index-Ab111111.js.gz").substr(0, 2) == "\x1f\x8b");
  CHECK(place.folder.read("site/assets/index-Ab111111.js.zst").substr(0, 4) == "\x28\xb5\x2f\xfd");
  CHECK(place.said.has("5 files"));
  CHECK(place.said.has("serves build " + place.live()));
  CHECK(place.said.last_part.first == place.said.last_part.second);
  CHECK(place.is_clean());
  struct stat facts {};
  REQUIRE(::stat(place.folder.path("site/index.html").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0644);
}

TEST_CASE("open tabs go on working: hashed files of the builds that are kept stay reachable") {
  Place place;
  place.keep = 3;
  for (const char* version : {"1", "2", "3"})
    REQUIRE(place.deploy_version(version) == "");
  CHECK(place.serves("3"));
  CHECK(place.has_asset("1"));
  CHECK(place.has_asset("2", ".br"));
  CHECK(place.said.has("6 files of earlier builds stay reachable"));
  // Bounded: what is older than those that are kept goes.
  REQUIRE(place.deploy_version("4") == "");
  CHECK_FALSE(place.has_asset("1"));
  CHECK(place.has_asset("2"));
  CHECK(place.builds().size() == 3);
  CHECK(place.said.has("1 old builds removed, 3 kept"));
}

TEST_CASE("what a build no longer has is gone, unless its name holds a hash") {
  Place place;
  write_build(place.folder, "dist", "1");
  place.folder.write("dist/secret.txt", "x");
  REQUIRE(place.deploy_it("dist") == "");
  CHECK(place.folder.has("site/secret.txt"));
  fs::remove_all(place.folder.path("dist"));
  REQUIRE(place.deploy_version("2") == "");
  CHECK_FALSE(place.folder.has("site/secret.txt"));
}

TEST_CASE("rollback: to the one before, to any, and tabs of the newer one go on") {
  Place place;
  for (const char* version : {"1", "2", "3"})
    REQUIRE(place.deploy_version(version) == "");
  const auto newest = place.live();
  REQUIRE(place.back() == "");
  CHECK(place.serves("2"));
  CHECK(place.has_asset("3"));
  CHECK(place.has_asset("3", ".zst"));
  REQUIRE(place.back() == "");
  CHECK(place.serves("1"));
  CHECK_THAT(place.back(), Contains("is the oldest that is kept"));
  REQUIRE(place.back(newest) == "");
  CHECK(place.serves("3"));
  CHECK_THAT(place.back(newest), Contains("is what is served"));
  CHECK_THAT(place.back("x"), Contains("there is no build x; \"gatescope deploy --list\""));
  Place empty;
  CHECK_THAT(empty.back(), Contains("nothing was ever deployed to"));
}

TEST_CASE(
    "builds of one second, or of a clock that is set back, stay in the order of their deploys") {
  for (const int seconds : {0, -60}) {
    CAPTURE(seconds);
    Place place;
    place.clock.seconds = seconds;
    for (const char* version : {"1", "2", "3", "4", "5"})
      REQUIRE(place.deploy_version(version) == "");
    for (const char* version : {"4", "3", "2", "1"}) {
      REQUIRE(place.back() == "");
      CHECK(place.serves(version));
    }
  }
}

TEST_CASE("a build that is served again shows no files of builds that are gone") {
  Place place;
  place.keep = 2;
  REQUIRE(place.deploy_version("1") == "");
  const auto first = place.live();
  REQUIRE(place.deploy_version("2") == "");
  REQUIRE(place.back(first) == "");
  CHECK(place.has_asset("2"));
  REQUIRE(place.deploy_version("3") == "");
  REQUIRE(place.deploy_version("4") == "");
  REQUIRE(place.builds().size() == 2);
  REQUIRE(place.back() == "");
  CHECK(place.serves("3"));
  CHECK(place.has_asset("4"));
  CHECK_FALSE(place.has_asset("2"));
}

TEST_CASE("the live build is never removed, however old") {
  Place place;
  place.keep = 2;
  REQUIRE(place.deploy_version("1") == "");
  const auto first = place.live();
  REQUIRE(place.deploy_version("2") == "");
  REQUIRE(place.back(first) == "");
  REQUIRE(BuildStore::open(place.folder.path("site"))->prune(1));
  CHECK(place.serves("1"));
}

TEST_CASE("a plain folder that was served becomes the first build") {
  Place place;
  write_build(place.folder, "site", "0");
  REQUIRE(place.deploy_version("1") == "");
  CHECK(place.serves("1"));
  CHECK(place.has_asset("0"));
  CHECK(place.said.has("was a plain folder; it is a link now, and the folder is build"));
  REQUIRE(place.builds().size() == 2);
  REQUIRE(place.back() == "");
  CHECK(place.serves("0"));
  CHECK(place.has_asset("1"));
}

TEST_CASE("a plain folder is older than the build that replaced it, on a slow disk too") {
  Place place;
  write_build(place.folder, "site", "0");
  fs::last_write_time(place.folder.path("site/index.html"),
                      fs::file_time_type::clock::now() + std::chrono::hours(24 * 365 * 10));
  place.clock.seconds = 3;  // between two looks at it
  REQUIRE(place.deploy_version("1") == "");
  REQUIRE(place.builds().size() == 2);
  CHECK(place.builds().back().live);
  REQUIRE(place.back() == "");
  CHECK(place.serves("0"));
}

TEST_CASE("a link of somebody else's is kept, and nothing is put where it leads") {
  Place place;
  write_build(place.folder, "releases/7", "0");
  fs::create_directory_symlink("releases/7", place.folder.path("site"));
  REQUIRE(place.deploy_version("1") == "");
  CHECK(place.serves("1"));
  CHECK(place.has_asset("0"));
  CHECK(place.said.has("was a link to releases/7"));
  REQUIRE(place.back() == "");
  CHECK(place.serves("0"));
  CHECK_FALSE(place.folder.has("releases/7/assets/index-Ab111111.js"));
  place.folder.write("releases/7/more.txt", "x");
  REQUIRE(place.deploy_version("2") == "");
  REQUIRE(place.back(place.builds().front().id) == "");
  CHECK(place.folder.has("releases/7/more.txt"));
}

TEST_CASE("the same build again is nothing to do, and what is the same is not compressed again") {
  Place place;
  REQUIRE(place.deploy_version("1") == "");
  const auto first = place.live();
  REQUIRE(place.deploy_version("1") == "");
  CHECK(place.said.has("nothing to do: build " + first));
  CHECK(place.live() == first);
  CHECK(place.is_clean());
  // One file more: the others are the same files on the disk.
  write_build(place.folder, "dist", "1");
  place.folder.write("dist/more.txt", "x");
  REQUIRE(place.deploy_it("dist") == "");
  CHECK(place.said.has("6 files"));
  CHECK(place.said.has("5 as in the build that is served"));
  const std::string one = place.folder.path("site.builds/" + first + "/site/index.html");
  CHECK(fs::equivalent(one, place.folder.path("site/index.html")));
  CHECK(place.has_asset("1", ".br"));
}

TEST_CASE("a build that is not whole is refused, and what is served stays") {
  Place place;
  REQUIRE(place.deploy_version("1") == "");
  write_build(place.folder, "dist", "2");
  fs::remove(place.folder.path("dist/assets/page-Ab122222.js"));
  const auto failed = place.deploy_it("dist");
  CHECK_THAT(failed, Contains("is not whole:"));
  CHECK_THAT(failed, Contains("names \"./page-Ab122222.js\""));
  CHECK_THAT(failed, Contains("--no-check"));
  CHECK(place.serves("1"));
  CHECK(place.builds().size() == 1);
  CHECK(place.is_clean());
  place.check = false;
  CHECK(place.deploy_it("dist") == "");
  CHECK(place.said.has("not minded: assets/index-Ab122222.js names"));
  CHECK(place.serves("2"));
}

TEST_CASE("what is no build is refused by name") {
  Place place;
  CHECK_THAT(place.deploy_it("gone"), Contains("gone\" failed (2: No such file or directory)"));
  fs::create_directory(place.folder.path("empty"));
  CHECK_THAT(place.deploy_it("empty"), Contains("there is no index.html in"));
  write_build(place.folder, "repository/dist", "1");
  CHECK_THAT(place.deploy_it("repository"), Contains("repository/dist: name that folder"));
  place.folder.write("repository/package.json", "{}");
  place.folder.write("repository/src/main.ts", "");
  place.folder.write("repository/index.html", "x");
  CHECK_THAT(place.deploy_it("repository"), Contains("npm run build"));
  REQUIRE(::mkfifo(place.folder.path("pipe").c_str(), 0600) == 0);
  CHECK_THAT(place.deploy_it("pipe"), Contains("neither a folder nor an archive"));
  write_build(place.folder, "dist", "1");
  REQUIRE(::mkfifo(place.folder.path("dist/pipe").c_str(), 0600) == 0);
  CHECK_THAT(place.deploy_it("dist"), Contains("pipe is neither a file nor a folder"));
  CHECK_FALSE(place.folder.has("site"));
}

TEST_CASE("links in a build: inside they become the file, others are refused") {
  Place place;
  place.folder.write("outside.txt", "secret");
  write_build(place.folder, "dist", "1");
  fs::create_symlink("logo.svg", place.folder.path("dist/again.svg"));
  REQUIRE(place.deploy_it("dist") == "");
  CHECK_FALSE(fs::is_symlink(place.folder.path("site/again.svg")));
  CHECK(place.folder.read("site/again.svg") == place.folder.read("site/logo.svg"));
  struct Case {
    const char *target, *says;
  };
  for (const auto& c :
       {Case{"../outside.txt", "link.x is a symbolic link to \"../outside.txt\", out of"},
        Case{"/etc/passwd", "link.x is a symbolic link to \"/etc/passwd\", out of"},
        Case{"gone", "link.x is a symbolic link to \"gone\", which does not exist"},
        Case{"assets", "link.x is a symbolic link to a folder"},
        Case{"link.x", "which does not exist"}}) {
    fs::remove(place.folder.path("dist/link.x"));
    fs::create_symlink(c.target, place.folder.path("dist/link.x"));
    CHECK_THAT(place.deploy_it("dist"), Contains(c.says));
  }
}

TEST_CASE("what is served cannot be deployed onto itself") {
  Place place;
  write_build(place.folder, "site", "1");
  CHECK_THAT(place.deploy_it("site"), Contains("is what is served, or holds it"));
  CHECK_THAT(place.deploy_it("site/assets"), Contains("is what is served"));
  CHECK_FALSE(fs::is_symlink(place.folder.path("site")));
  REQUIRE(place.deploy_version("2") == "");
  CHECK_THAT(place.deploy_it("site.builds/" + place.live() + "/site"),
             Contains("is what is served"));
  CHECK_THAT(place.deploy_it("site.builds/" + place.builds()[0].id + "/site"),
             Contains("is what is served, or holds it"));
}

TEST_CASE("a site that is too large is refused with the file that is too much") {
  Place place;
  write_build(place.folder, "dist", "1");
  place.limits.bytes = 100;
  CHECK_THAT(place.deploy_it("dist"), Contains("goes beyond the 100 bytes"));
  place.limits = {};
  place.limits.entries = 3;
  CHECK_THAT(place.deploy_it("dist"), Contains("holds more than 3 entries"));
}

TEST_CASE("two deploys at once: the second says who is at work") {
  Place place;
  REQUIRE(place.deploy_version("1") == "");
  const auto first = BuildStore::open(place.folder.path("site"));
  REQUIRE(first);
  CHECK_THAT(place.deploy_version("2"),
             Contains("is running (process " + std::to_string(::getpid())));
  CHECK(place.serves("1"));
}

TEST_CASE("what a deploy leaves that was killed at any step is put in order by the next") {
  Place place;
  write_build(place.folder, "site", "0");
  // While it was made
  place.folder.write("site.builds/.stage-17/site/index.html", "half");
  // While one was removed
  place.folder.write("site.builds/.gone/site/index.html", "half");
  // A manifest without its site
  place.folder.write("site.builds/20200101-000000-00000000/build", "gatescope build 1\n");
  // Before the exchange
  fs::create_directory_symlink("site.builds/x/site", place.folder.path("site.builds/.next"));
  REQUIRE(place.deploy_version("1") == "");
  CHECK(place.is_clean());
  CHECK(place.builds().size() == 2);
  CHECK(place.serves("1"));
}

TEST_CASE("killed after the exchange, the folder that was served becomes a build yet") {
  Place place;
  REQUIRE(place.deploy_version("1") == "");
  write_build(place.folder, "site.builds/.swap", "0");
  fs::last_write_time(place.folder.path("site.builds/.swap/index.html"),
                      fs::file_time_type::clock::now() + std::chrono::hours(24 * 365 * 10));
  const auto killed = place.builds().back().id;
  REQUIRE(place.deploy_version("2") == "");
  CHECK(place.is_clean());
  CHECK(place.builds()[1].id == killed);  // what it replaced is older
  REQUIRE(place.builds().size() == 3);
  bool found = false;
  for (const auto& build : place.builds())
    found = found || place.folder.has("site.builds/" + build.id + "/site/assets/page-Ab100000.js");
  CHECK(found);
}

TEST_CASE("a folder that the site's user may not enter is named before anything is done") {
  Place place;
  write_build(place.folder, "dist", "1");
  fs::create_directory(place.folder.path("home"));
  fs::permissions(place.folder.path("home"), fs::perms(0700));
  DeployRequest request{.root = place.folder.path("home/site"),
                        .source = place.folder.path("dist")};
  request.reader = Reader{"scope", ::getuid() + 1, {::getgid() + 1}};
  const auto done = deploy(request, place.clock, place.said);
  REQUIRE_FALSE(done);
  CHECK_THAT(done.error().detail, Contains("user \"scope\", who serves the site, may not enter"));
  CHECK_THAT(done.error().detail, Contains("chmod o+x"));
  fs::permissions(place.folder.path("home"), fs::perms(0711));
  CHECK(deploy(request, place.clock, place.said));
}

TEST_CASE("a form that the build made itself stays") {
  Place place;
  write_build(place.folder, "dist", "1");
  place.folder.write("dist/assets/index-Ab111111.js.br", "made by the build");
  REQUIRE(place.deploy_it("dist") == "");
  CHECK(place.folder.read("site/assets/index-Ab111111.js.br") == "made by the build");
  CHECK(place.has_asset("1", ".gz"));
}

}  // namespace gatescope::ops
