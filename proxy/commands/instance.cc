#include "proxy/commands/instance.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "conf/source.h"
#include "proxy/base/unique_fd.h"
#include "proxy/net/endpoint.h"
#include "proxy/pid_file.h"

namespace gatescope::commands {

namespace {

constexpr std::size_t kMostAnswer = 64u << 20;

Error cannot_ask(const std::string& path, int error) {
  std::string mend;
  if (error == EACCES || error == EPERM)
    mend = "; run it as root, or as the user that serves";
  else if (error == ENOENT || error == ECONNREFUSED)
    mend =
        "; it runs, but not with this socket: an older program or \"control off\" has none, and "
        "its error log says if it could not be had";
  return make_error(ErrorKind::Unavailable, Origin::Internal,
                    system_error(error, "connect() to \"" + path + "\"").detail + mend);
}

/// Waits until something can be done. False: not in time.
bool wait_for(int fd, short events, MonoTime until) {
  for (;;) {
    const auto left = std::chrono::ceil<Duration>(until - SystemClock().now()).count();
    pollfd one{fd, events, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 1 << 30)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

}  // namespace

int not_asked(const Error& error) {
  fmt::print(stderr, "gatescope: {}\n", error.detail);
  return kNotAsked;
}

Result<int> running_process(const std::string& pid_path) {
  const auto pid = server::read_pid_file(pid_path);
  if (!pid) {
    if (::access(pid_path.c_str(), F_OK) == 0) return pid.error();
    return make_error(ErrorKind::NotFound, Origin::Internal,
                      "there is no pid file \"" + pid_path + "\"");
  }
  if (::kill(*pid, 0) != 0 && errno == ESRCH)
    return make_error(
        ErrorKind::NotFound, Origin::Internal,
        fmt::format("no process has the number {} of the pid file \"{}\"", *pid, pid_path));
  return *pid;
}

Result<Instance> Instance::find(const Invocation& invocation) {
  conf::SystemFileReader files;
  auto plan = server::LaunchPlan::read(invocation.launch, files);
  if (!plan) return plan.error();
  Instance found(std::move(*plan));
  const auto pid = running_process(found.plan_.pid_path);
  if (!pid) {
    if (pid.error().kind != ErrorKind::NotFound) return pid.error();
    return make_error(
        ErrorKind::NotFound, Origin::Internal,
        fmt::format("it does not run: {}. Start it by \"systemctl start numberscope\", or by "
                    "\"gatescope -c {}\"; -c and -p say which one is meant",
                    pid.error().detail, invocation.launch.conf_path));
  }
  found.pid_ = *pid;
  return found;
}

Result<Instance::Answer> Instance::ask(std::string_view question, Duration patience) const {
  const auto& path = plan_.control_path;
  if (path.empty())
    return make_error(ErrorKind::Unavailable, Origin::Internal,
                      "the configuration says \"control off\": this one cannot be asked; signals "
                      "reach it all the same (gatescope -s)");
  const auto endpoint = net::Endpoint::unix_path(path);
  if (!endpoint) return endpoint.error();
  const auto until = SystemClock().now() + patience;
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return system_error(errno, "socket()");
  if (::connect(fd.get(), endpoint->raw(), endpoint->raw_size()) != 0)
    return cannot_ask(path, errno);
  const auto line = std::string(question) + "\n";
  if (::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size()))
    return system_error(errno, "send() to \"" + path + "\"");
  std::string all;
  char part[65536];
  for (;;) {
    if (!wait_for(fd.get(), POLLIN, until))
      return make_error(ErrorKind::Timeout, Origin::Internal,
                        fmt::format("process {} has not answered within {} s", pid_,
                                    std::chrono::ceil<std::chrono::seconds>(patience).count()));
    const auto got = ::recv(fd.get(), part, sizeof part, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "recv() from \"" + path + "\"");
    if (got == 0) break;
    all.append(part, static_cast<std::size_t>(got));
    if (all.size() > kMostAnswer)
      return make_error(ErrorKind::TooLarge, Origin::Internal, "the answer does not end");
  }
  const auto end = all.find('\n');
  if (end == std::string::npos)
    return make_error(
        ErrorKind::Closed, Origin::Internal,
        fmt::format("process {} ended without an answer, its error log says why", pid_));
  return Answer{all.substr(0, end), all.substr(end + 1)};
}

}  // namespace gatescope::commands
