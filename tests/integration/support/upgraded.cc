#include "tests/integration/support/upgraded.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>

#include "tests/integration/support/within.h"
#include "tests/support/catch.h"

namespace gatescope::integration {

Upgraded::Upgraded(ServerProcess& server, Account account) : server_(server), account_(account) {
  // Whose starter has ended is ours from then on, so that we see how it ends
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  put_program();
  server_.use_program(server_.dir().path("gatescope"));
}

Upgraded::~Upgraded() {
  for (const pid_t pid : {pid(), old_pid()}) {
    if (pid <= 0 || pid == server_.pid()) continue;
    ::kill(pid, SIGTERM);
    if (!within(kPatience, [&] { return ended(pid); })) ::kill(pid, SIGKILL);
  }
  // The server's own process is ended, and judged, by the server.
}

void Upgraded::put_program() {
  const auto place = server_.dir().path("gatescope");
  std::filesystem::remove(place);
  if (account_ == Account::Own) {
    std::filesystem::create_symlink(gatescope_binary(), place);
  } else {
    std::filesystem::copy_file(gatescope_binary(), place);
  }
}

void Upgraded::put_script(const std::string& text) {
  std::filesystem::remove(server_.dir().path("gatescope"));
  server_.write("gatescope", text, 0755);
}

pid_t Upgraded::change() {
  const pid_t before = pid();
  ::kill(before, SIGUSR2);
  pid_t fresh = -1;
  const bool changed = within(kPatience, [&] {
    fresh = pid();
    return fresh > 0 && fresh != before && old_pid() == before;
  });
  const bool serves = changed && server_.error_log_says("the new program (process " +
                                                        std::to_string(fresh) + ") serves");
  INFO(server_.logs());
  REQUIRE(changed);
  REQUIRE(serves);
  return fresh;
}

void Upgraded::end_old() {
  const pid_t old = old_pid();
  REQUIRE(old > 0);
  ::kill(old, SIGWINCH);
  ::kill(old, SIGQUIT);
  if (old == server_.pid()) {
    CHECK(server_.wait() == 0);
  } else {
    CHECK(within(kPatience, [&] { return ended(old); }));
  }
  CHECK(old_pid() == -1);
}

void Upgraded::end_new() {
  const pid_t fresh = pid(), old = old_pid();
  ::kill(fresh, SIGQUIT);
  CHECK(within(kPatience, [&] { return pid() == old && old_pid() == -1; }));
}

bool Upgraded::ended(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, WNOHANG);  // if it is ours
  return !alive(pid);
}

pid_t Upgraded::read(const std::string& name) const {
  const auto text = server_.dir().read(name);
  return text.empty() ? -1 : std::atoi(text.c_str());
}

}  // namespace gatescope::integration
