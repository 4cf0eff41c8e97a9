#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace gatescope::integration {

/// A tiny application server on a unix socket, as gunicorn is one: answers each request, one at a
/// time, and keeps its connection. What it was asked is kept.
class Backend {
 public:
  struct Reply {
    std::string fields;  // each with its line end
    std::string body;
  };
  using Handler = std::function<Reply(const std::string& head)>;

  Backend(const std::string& socket_path, Handler handler);
  ~Backend();
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  std::vector<std::string> heads() const;  // of the requests so far

 private:
  void serve();
  bool serve_one(int fd, std::string& buffer);  // false: the connection is over

  const Handler handler_;
  int listener_ = -1;
  int stop_pipe_[2] = {-1, -1};
  mutable std::mutex mutex_;
  std::vector<std::string> heads_;
  std::thread thread_;
};

}  // namespace gatescope::integration
