#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "proxy/ops/deploy.h"
#include "tests/support/catch.h"

namespace gatescope::ops {

/// A folder of the test's own, gone with it.
class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "gatescope-ops-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    std::filesystem::permissions(name, std::filesystem::perms(0755));
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string path(const std::string& name = "") const {
    return name.empty() ? path_ : path_ + "/" + name;
  }
  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  std::string read(const std::string& name) const {
    std::ostringstream out;
    out << std::ifstream(path(name), std::ios::binary).rdbuf();
    return out.str();
  }
  bool has(const std::string& name) const { return std::filesystem::exists(path(name)); }

 private:
  std::string path_;
};

/// A clock that goes on a second with each look; or by as many as it is told to, also backwards.
class SteppingClock final : public Clock {
 public:
  MonoTime now() const override { return MonoTime(Duration(++steps_)); }
  WallTime wall() const override { return WallTime(std::chrono::seconds(wall_ += seconds)); }

  int seconds = 1;

 private:
  mutable int steps_ = 0;
  mutable int wall_ = 1'800'000'000;
};

class Said final : public DeployEvents {
 public:
  void on_said(const std::string& line) override { text += line + "\n"; }
  void on_compressed(std::uint64_t done, std::uint64_t total) override {
    CHECK(done <= total);
    last_part = {done, total};
  }
  bool has(const std::string& part) const { return text.find(part) != std::string::npos; }
  std::string text;
  std::pair<std::uint64_t, std::uint64_t> last_part;
};

inline std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i)
    all += text;
  return all;
}

/// A small site as Vite writes one: its script and style sheet have the version in their names.
inline void write_build(const Folder& folder, const std::string& name, const std::string& version) {
  const std::string hash = "Ab1" + std::string(5, version[0]);
  folder.write(name + "/index.html",
               "<!doctype html><title>" + version +
                   "</title><script type=\"module\" src=\"/assets/index-" + hash +
                   ".js\"></script><link rel=\"stylesheet\" href=\"/assets/index-" + hash +
                   ".css\">");
  folder.write(name + "/assets/index-" + hash + ".js",
               "import(\"./page-" + hash + ".js\");" + repeated("console.log(1);", 200) + version);
  folder.write(name + "/assets/page-" + hash + ".js", "export default " + version + ";");
  folder.write(name + "/assets/index-" + hash + ".css", "body{background:url(../logo.svg)}");
  folder.write(name + "/logo.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
}

}  // namespace gatescope::ops
