#include "static/autoindex.h"

#include <cerrno>

#include "tests/support/catch.h"
#include "tests/unit/files/fake_world.h"

namespace gatescope::files {
namespace {

// 2026-11-24 10:05:09 UTC
constexpr std::int64_t kTime = 1795514709;

/// The one line that a listing of one entry has.
std::string line_of(const ListedFile& file, const ListingOptions& options) {
  auto text = write_listing({file}, "/", options, {});
  text.erase(0, text.find("../</a>\r\n") + 9);
  return text.substr(0, text.find("\r\n"));
}

TEST_CASE("a line of an HTML listing: columns, escapes, sizes as nginx writes them") {
  struct Case {
    ListedFile file;
    bool exact;
    std::string line;
  };
  const std::string zeros(50, '0'), angles(50, '>');
  std::string cyrillic, shown;
  for (int i = 0; i < 51; ++i)
    cyrillic += "\xd1\x84";
  const Case cases[] = {
      {{"sub", true, 4096, kTime},
       true,
       "<a href=\"sub/\">sub/</a>" + std::string(47, ' ') + "24-Nov-2026 10:05" +
           std::string(19, ' ') + "-"},
      {{"a", false, 42, kTime},
       true,
       "<a href=\"a\">a</a>" + std::string(50, ' ') + "24-Nov-2026 10:05" + std::string(18, ' ') +
           "42"},
      {{"sub", true, 4096, kTime},
       false,
       "<a href=\"sub/\">sub/</a>" + std::string(47, ' ') + "24-Nov-2026 10:05       -"},
      {{"a", false, 9999, kTime},
       false,
       "<a href=\"a\">a</a>" + std::string(50, ' ') + "24-Nov-2026 10:05    9999"},
      {{"a", false, 10000, kTime},
       false,
       "<a href=\"a\">a</a>" + std::string(50, ' ') + "24-Nov-2026 10:05     10K"},
      {{"a", false, 1048575, kTime},
       false,
       "<a href=\"a\">a</a>" + std::string(50, ' ') + "24-Nov-2026 10:05   1024K"},
      {{"a", false, 123456789, kTime},
       false,
       "<a href=\"a\">a</a>" + std::string(50, ' ') + "24-Nov-2026 10:05    118M"},
      {{"a", false, 12345678901, kTime},
       false,
       "<a href=\"a\">a</a>" + std::string(50, ' ') + "24-Nov-2026 10:05     11G"},
      {{"a&b<c>\"?#%:", false, 0, kTime},
       true,
       "<a href=\"a%26b%3Cc%3E%22%3F%23%25%3A\">a&amp;b&lt;c&gt;&quot;?#%:</a>" +
           std::string(40, ' ') + "24-Nov-2026 10:05                   0"},
      {{"n" + zeros, false, 0, kTime},
       true,
       "<a href=\"n" + zeros + "\">n" + zeros.substr(0, 46) +
           "..&gt;</a> 24-Nov-2026 10:05                   0"},
  };
  for (const auto& c : cases) {
    INFO(c.file.name);
    CHECK(line_of(c.file, {.exact_size = c.exact}) == c.line);
  }
  CHECK(line_of({cyrillic, false, 0, kTime}, {})
            .find(">" + cyrillic.substr(0, 47 * 2) + "..&gt;</a> 24") != std::string::npos);
  CHECK(write_listing({}, "/a<b>/", {}, {}) ==
        "<html>\r\n<head><title>Index of /a&lt;b&gt;/</title></head>\r\n<body>\r\n"
        "<h1>Index of /a&lt;b&gt;/</h1><hr><pre><a href=\"../\">../</a>\r\n"
        "</pre><hr></body>\r\n</html>\r\n");
}

TEST_CASE("JSON, JSONP and XML") {
  const std::vector<ListedFile> files{{"d", true, 4096, kTime},
                                      {"a\"\\\x01\xff<&>", false, 7, kTime}};
  const std::string json =
      "[\r\n{ \"name\":\"d\", \"type\":\"directory\", \"mtime\":\"Tue, 24 Nov 2026 10:05:09 GMT\" "
      "},\r\n{ \"name\":\"a\\\"\\\\\\u0001\xEF\xBF\xBD<&>\", \"type\":\"file\", "
      "\"mtime\":\"Tue, 24 Nov 2026 10:05:09 GMT\", \"size\":7 }\r\n]";
  CHECK(write_listing(files, "/", {ListingFormat::Json}, {}) == json);
  CHECK(write_listing(files, "/", {ListingFormat::Jsonp}, {}) == json);
  CHECK(write_listing(files, "/", {ListingFormat::Jsonp}, "f") ==
        "/* callback */\r\nf(" + json + ");");
  CHECK(write_listing({}, "/", {ListingFormat::Json}, {}) == "[\r\n]");
  CHECK(write_listing(files, "/", {ListingFormat::Xml}, {}) ==
        "<?xml version=\"1.0\"?>\r\n<list>\r\n<directory "
        "mtime=\"2026-11-24T10:05:09Z\">d</directory>\r\n<file mtime=\"2026-11-24T10:05:09Z\" "
        "size=\"7\">a&quot;\\?\xEF\xBF\xBD&lt;&amp;&gt;</file>\r\n</list>\r\n");
  CHECK(listing_type({ListingFormat::Jsonp}, "f") == "application/javascript");
  CHECK(listing_type({ListingFormat::Jsonp}, "") == "application/json");
  for (const auto* good : {"", "foo", "a.b['c']", "$_1"})
    CHECK(is_valid_callback(good));
  for (const auto* bad : {"a(b)", "a<b", "a%20b", "a;b", "a b"})
    CHECK_FALSE(is_valid_callback(bad));
}

TEST_CASE("a folder is read: folders first, links followed, dotfiles left out") {
  Folder folder;
  folder.make("/z-dir");
  folder.write("/b", "12345");
  folder.write("/A", "");
  folder.write("/.hidden", "");
  std::filesystem::create_symlink("z-dir", folder.at("/link-dir"));
  std::filesystem::create_symlink("b", folder.at("/link-file"));
  std::filesystem::create_symlink("nowhere", folder.at("/broken"));
  const auto listing = read_folder(folder.at(""));
  CHECK(listing.error == 0);
  std::string names;
  for (const auto& file : listing.files)
    names += file.name + (file.folder ? "/ " : " ");
  CHECK(names == "link-dir/ z-dir/ A b broken link-file ");
  CHECK(listing.files[5].size == 5);
  CHECK(read_folder(folder.at("/none")).error == ENOENT);
  CHECK(read_folder(folder.at("/b")).error == ENOTDIR);
}

}  // namespace
}  // namespace gatescope::files
