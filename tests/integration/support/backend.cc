#include "tests/integration/support/backend.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <map>
#include <stdexcept>

namespace gatescope::integration {

Backend::Backend(const std::string& socket_path, Handler handler) : handler_(std::move(handler)) {
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof address.sun_path)
    throw std::runtime_error("long path " + socket_path);
  socket_path.copy(address.sun_path, socket_path.size());
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_, 64) != 0 || ::pipe2(stop_pipe_, O_CLOEXEC) != 0)
    throw std::runtime_error("cannot listen on " + socket_path);
  ::chmod(socket_path.c_str(), 0666);  // the worker is another user
  thread_ = std::thread([this] { serve(); });
}

Backend::~Backend() {
  ::close(stop_pipe_[1]);
  thread_.join();
  ::close(stop_pipe_[0]);
  ::close(listener_);
}

std::vector<std::string> Backend::heads() const {
  std::lock_guard lock(mutex_);
  return heads_;
}

void Backend::serve() {
  std::map<int, std::string> connections;  // what came and is not answered yet
  for (;;) {
    std::vector<pollfd> watched{{stop_pipe_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const auto& [fd, buffer] : connections)
      watched.push_back({fd, POLLIN, 0});
    ::poll(watched.data(), watched.size(), -1);
    if (watched[0].revents) break;
    if (watched[1].revents)
      if (const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC); fd >= 0)
        connections[fd];
    for (std::size_t i = 2; i < watched.size(); ++i) {
      const int fd = watched[i].fd;
      if (!watched[i].revents || serve_one(fd, connections[fd])) continue;
      ::close(fd);
      connections.erase(fd);
    }
  }
  for (const auto& [fd, buffer] : connections)
    ::close(fd);
}

bool Backend::serve_one(int fd, std::string& buffer) {
  char piece[4096];
  const auto got = ::recv(fd, piece, sizeof piece, 0);
  if (got <= 0) return false;
  buffer.append(piece, static_cast<std::size_t>(got));
  const auto end = buffer.find("\r\n\r\n");
  if (end == std::string::npos) return true;
  const std::string head = buffer.substr(0, end + 2);
  buffer.erase(0, end + 4);
  {
    std::lock_guard lock(mutex_);
    heads_.push_back(head);
  }
  const Reply reply = handler_(head);
  const std::string answer = "HTTP/1.1 200 OK\r\n" + reply.fields +
                             "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n" +
                             (head.starts_with("HEAD ") ? "" : reply.body);
  return ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(answer.size());
}

}  // namespace gatescope::integration
