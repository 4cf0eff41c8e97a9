#include "proxy/ops/unpack.h"

#include <cstring>

#include "proxy/http/encoding.h"
#include "proxy/http/zstd_whole.h"
#include "tests/unit/ops/site_fixture.h"

namespace gatescope::ops {
namespace {

using Catch::Matchers::Contains;

/// An archive as a tool with any intentions would write it.
class Tar {
 public:
  Tar& add(const std::string& name, const std::string& content, char type = '0',
           const std::string& link = "", std::size_t said_size = 0) {
    char head[512] = {};
    std::memcpy(head, name.data(), std::min<std::size_t>(name.size(), 100));
    std::strcpy(head + 100, "0000644");
    std::strcpy(head + 108, "0000000");
    std::strcpy(head + 116, "0000000");
    std::snprintf(head + 124, 12, "%011zo", said_size ? said_size : content.size());
    std::strcpy(head + 136, "14000000000");
    head[156] = type;
    std::memcpy(head + 157, link.data(), std::min<std::size_t>(link.size(), 100));
    std::memcpy(head + 257, "ustar\00000", 8);
    std::memset(head + 148, ' ', 8);
    unsigned sum = 0;
    for (const char c : head)
      sum += static_cast<unsigned char>(c);
    std::snprintf(head + 148, 8, "%06o", sum);
    bytes_.append(head, sizeof head).append(content);
    bytes_.append((512 - content.size() % 512) % 512, '\0');
    return *this;
  }
  std::string plain() const { return bytes_ + std::string(1024, '\0'); }
  std::string gzip() const {
    return *http::encode_whole({.coding = http::Coding::Gzip, .level = 6}, plain());
  }

 private:
  std::string bytes_;
};

std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i)
    text += static_cast<char>(value >> 8 * i);
  return text;
}

/// One file, stored.
std::string zip_of(const std::string& name, const std::string& content) {
  const std::string common = number(20, 2) + number(0, 8) + number(http::checksum(content), 4) +
                             number(content.size(), 4) + number(content.size(), 4) +
                             number(name.size(), 2) + number(0, 2);
  const std::string local = "PK\3\4" + common + name + content;
  const std::string central =
      "PK\1\2" + number(20, 2) + common + number(0, 10) + number(0, 4) + name;
  return local + central + "PK\5\6" + number(0, 4) + number(1, 2) + number(1, 2) +
         number(central.size(), 4) + number(local.size(), 4) + number(0, 2);
}

std::string unpacked(const Folder& folder, const std::string& bytes, TreeLimits limits = {}) {
  std::filesystem::remove_all(folder.path("out"));
  std::filesystem::create_directory(folder.path("out"));
  const auto archive = folder.write("archive", bytes);
  const auto done = unpack(archive, folder.path("out"), limits);
  return done ? "" : done.error().detail;
}

}  // namespace

TEST_CASE("tar, plain or compressed, and zip are unpacked") {
  Folder folder;
  const auto tar = Tar()
                       .add("./", "", '5')
                       .add("./index.html", "page")
                       .add("assets/a.js", repeated("x", 1500))
                       .add("assets/b.js", "", '2', "../index.html")
                       .add("assets/c.js", "", '1', "./index.html");
  for (const auto& bytes : {tar.plain(), tar.gzip(), *http::zstd_whole(tar.plain(), 3)}) {
    REQUIRE(unpacked(folder, bytes) == "");
    CHECK(folder.read("out/index.html") == "page");
    CHECK(folder.read("out/assets/a.js").size() == 1500);
    CHECK(folder.read("out/assets/b.js") == "page");
    CHECK(folder.read("out/assets/c.js") == "page");
  }
  REQUIRE(unpacked(folder, zip_of("assets/x.js", "content")) == "");
  CHECK(folder.read("out/assets/x.js") == "content");
}

TEST_CASE("an archive never reaches out of its folder, and the entry is named") {
  Folder folder;
  struct Case {
    Tar tar;
    const char* says;
  };
  for (const auto& c :
       {Case{Tar().add("/etc/x", "bad"), "\"/etc/x\" in"},
        Case{Tar().add("/etc/x", "bad"), "is an absolute path"},
        Case{Tar().add("../x", "bad"), "leads out of the site by \"..\""},
        Case{Tar().add("a/../../x", "bad"), "\"a/../../x\" in"},
        Case{Tar().add("a/b/../x", "bad"), "leads out of the site"},
        Case{Tar().add("link", "", '2', "/etc/passwd"),
             "links to \"/etc/passwd\", which is an absolute"},
        Case{Tar().add("a/link", "", '2', "../../x"), "links to \"../../x\", which leads out"},
        Case{Tar().add("link", "", '2', ".."), "leads out"},
        Case{Tar().add("hard", "", '1', "/etc/passwd"), "links to \"/etc/passwd\""},
        Case{Tar().add("hard", "", '1', "../x"), "leads out"},
        Case{Tar().add("hard", "", '1', "gone"), "which is no file before it"},
        Case{Tar().add("null", "", '3'), "is neither a file nor a folder"},
        Case{Tar().add("pipe", "", '6'), "is neither a file nor a folder"},
        Case{Tar().add("x", "1").add("x", "2"), "is in it twice"},
        Case{Tar().add("a\nb", "1"), "has control characters"},
        // Through a link that the archive itself made
        Case{Tar().add("d", "", '2', "sub").add("sub/x", "1").add("d/y", "2"), "\"d\""}}) {
    CHECK_THAT(unpacked(folder, c.tar.gzip()), Contains(c.says));
    CHECK_FALSE(folder.has("x"));
  }
  CHECK_THAT(unpacked(folder, zip_of("../x", "bad")), Contains("leads out"));
  CHECK_THAT(unpacked(folder, zip_of("/etc/gatescope-x", "bad")), Contains("is an absolute path"));
  // A hard link to a symbolic one
  CHECK_THAT(
      unpacked(folder, Tar().add("s", "", '2', "t").add("t", "1").add("h", "", '1', "s").gzip()),
      Contains("which is no file before it"));
}

TEST_CASE("what would fill the disk is refused before it does") {
  Folder folder;
  const auto bomb = Tar().add("small", "1").add("zeros", std::string(3 << 20, '\0')).gzip();
  CHECK(bomb.size() < 10'000);
  CHECK_THAT(unpacked(folder, bomb, {.bytes = 1 << 20}),
             Contains("\"zeros\" in") && Contains("goes beyond the 1048576 bytes"));
  CHECK(std::filesystem::file_size(folder.path("out/zeros")) <= 1u << 20);
  Tar many;
  for (int i = 0; i < 12; ++i)
    many.add("f" + std::to_string(i), "");
  CHECK_THAT(unpacked(folder, many.gzip(), {.entries = 10}), Contains("\"f10\" in"));
}

TEST_CASE("what is no archive, empty or cut off is said to be so") {
  Folder folder;
  CHECK_THAT(unpacked(folder, "<html>not an archive</html>"),
             Contains("cannot be unpacked") && Contains("wanted is .tar.gz"));
  CHECK_THAT(unpacked(folder, ""), Contains("archive\""));
  const auto whole = Tar().add("index.html", repeated("page ", 5000)).gzip();
  CHECK_THAT(unpacked(folder, whole.substr(0, whole.size() / 2)), Contains("cannot be unpacked"));
}

TEST_CASE("paths below a root") {
  CHECK(*path_below("./a//b/./c") == "a/b/c");
  CHECK(*path_below("./") == "");
  CHECK(*path_below("../x", "a") == "x");
  CHECK(*path_below("../../x", "a/b") == "x");
  for (const char* bad : {"", "/", "/x", "..", "a/..", "../x", "a\x01"})
    CHECK_FALSE(path_below(bad));
  CHECK_FALSE(path_below("../../../x", "a/b"));
}

}  // namespace gatescope::ops
