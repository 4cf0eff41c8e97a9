#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace gatescope::bench {

/// Which program is measured.
struct Program {
  std::string name, path;
  bool is_nginx = false;
  bool is_haproxy = false;  // its configuration is server.conf, written by whoever measures it
  std::vector<unsigned> cores = {};  // that it runs on; empty: those that we run on
};

/// A server in a folder of its own, in the foreground; it ends with this.
class MeasuredServer {
 public:
  /// `main`, `http`: what stands on the main level and in http { }.
  MeasuredServer(const Program& program, std::string main, std::string http);
  ~MeasuredServer();
  MeasuredServer(const MeasuredServer&) = delete;
  MeasuredServer& operator=(const MeasuredServer&) = delete;

  /// Instead of what it was made with; before configure().
  void set_main(std::string main) { main_ = std::move(main); }
  const std::string& folder() const { return folder_; }
  void write(const std::string& name, const std::string& text) const;
  std::string read(const std::string& name) const;
  /// Writes the configuration anew; HUP is the caller's.
  void configure(const std::string& http) const;
  /// False: it does not come up within 10 s.
  bool start();
  void signal(int number) const;
  pid_t pid() const { return pid_; }
  /// Those that serve: children of the first process, or itself when it has none.
  std::vector<pid_t> workers() const;
  /// Proportional memory of the whole server, bytes.
  std::uint64_t memory() const;
  /// Seconds of its threads' CPU time; not of a database that it runs.
  double cpu() const;
  std::size_t error_log_size() const;

 private:
  const Program program_;
  std::string main_;
  std::string folder_;
  pid_t pid_ = -1;
};

/// A certificate and its key into the folder, by openssl(1): NAME.pem, NAME.key.
bool make_certificate(const std::string& folder, const std::string& name);
/// Those that we may run on.
std::vector<unsigned> own_cores();
/// This thread, and those that it makes, run there from now on.
void run_on(const std::vector<unsigned>& cores);
/// A port that nobody listens on now.
std::uint16_t free_port();
/// As many descriptors as the system lets us have; how many that is.
std::uint64_t raise_descriptors();

}  // namespace gatescope::bench
