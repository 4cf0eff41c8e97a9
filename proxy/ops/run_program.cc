#include "proxy/ops/run_program.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace gatescope::ops {

Result<int> SystemPrograms::run(const std::vector<std::string>& words) {
  // Of one who came by `su` the path has no sbin.
  std::string program = words.front();
  for (const char* folder : {"/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"})
    if (program.find('/') == std::string::npos && ::access((folder + program).c_str(), X_OK) == 0)
      program = folder + program;
  std::vector<std::string> copy = words;
  std::vector<char*> argv;
  for (auto& word : copy)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = -1;
  if (const int why =
          ::posix_spawnp(&child, program.c_str(), nullptr, nullptr, argv.data(), environ))
    return system_error(why, "starting \"" + words.front() + "\"");
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return system_error(errno, "waitpid()");
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace gatescope::ops
