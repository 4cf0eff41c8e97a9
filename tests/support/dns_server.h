#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace gatescope::test {

/// A real name server on a UDP port that the kernel chose, in a thread of its own. What it says may
/// change while it runs; what it was not told of is NXDOMAIN.
class DnsServer {
 public:
  static constexpr std::uint16_t kA = 1, kCname = 5, kAaaa = 28, kSrv = 33;
  static constexpr int kServerFailure = 2, kNoName = 3, kSilence = -1;

  DnsServer();
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  /// IPv4 addresses of a name, instead of what it had.
  void set(const std::string& name, const std::vector<std::string>& addresses,
           std::uint32_t ttl = 3600);
  struct Service {
    std::uint16_t priority, weight, port;
    std::string target;
  };
  void set_service(const std::string& name, const std::vector<Service>& services,
                   std::uint32_t ttl = 3600);
  void set_alias(const std::string& name, const std::string& target, std::uint32_t ttl = 3600);
  /// Bytes instead of the records of an answer to everything under a name.
  void set_garbage(const std::string& name, const std::string& bytes);
  void fail(const std::string& name, int code);
  int asked(const std::string& name, std::uint16_t type = kA) const;

 private:
  struct Entry {
    int code = 0;
    std::uint16_t type = kA;
    std::uint32_t ttl = 0;
    std::vector<std::string> data;  // as it stands in a record
    bool garbage = false;
  };
  void serve();
  std::string answer(const std::string& question);

  int fd_ = -1;
  int stop_pipe_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, Entry> entries_;
  std::map<std::pair<std::string, std::uint16_t>, int> asked_;
  std::thread thread_;
};

}  // namespace gatescope::test
