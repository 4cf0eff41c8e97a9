#include "tests/integration/support/temp_dir.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace gatescope::integration {

namespace fs = std::filesystem;

TempDir::TempDir() {
  std::string name = (fs::temp_directory_path() / "gatescope-XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp " + name);
  ::chmod(name.c_str(), 0755);
  folder_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string TempDir::path(std::string_view name) const {
  return name.empty() ? folder_.string() : (folder_ / name).string();
}

std::string TempDir::write(std::string_view name, std::string_view text, unsigned mode) const {
  const auto file = path(name);
  fs::create_directories(fs::path(file).parent_path());
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + file);
  ::chmod(file.c_str(), mode);
  return file;
}

std::string TempDir::read(std::string_view name) const {
  return read_file(path(name));
}

bool TempDir::has(std::string_view name) const {
  return fs::exists(path(name));
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace gatescope::integration
