#include "api/factor_program.h"

#include <unistd.h>

#include <array>
#include <climits>

namespace gatescope::api {

bool may_run(const std::string& program) {
  return ::access(program.c_str(), X_OK) == 0;
}

std::string find_factor_program() {
  std::array<char, PATH_MAX> room;
  const ssize_t size = ::readlink("/proc/self/exe", room.data(), room.size());
  std::string beside(room.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  beside.erase(beside.rfind('/') +
               1);  // a program that was replaced is "/path/gatescope (deleted)"
  beside += "gatescope-factor";
  if (may_run(beside) || !may_run(kInstalledFactorProgram)) return beside;
  return kInstalledFactorProgram;
}

}  // namespace gatescope::api
