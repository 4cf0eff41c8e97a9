#include "tests/bench/server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace gatescope::bench {

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  std::ifstream list(fmt::format("/proc/{0}/task/{0}/children", pid));
  for (pid_t child; list >> child;)
    children.push_back(child);
  return children;
}

std::uint64_t pss(pid_t pid) {
  std::ifstream rollup(fmt::format("/proc/{}/smaps_rollup", pid));
  for (std::string line; std::getline(rollup, line);)
    if (line.starts_with("Pss:")) return std::strtoull(line.c_str() + 4, nullptr, 10) * 1024;
  return 0;
}

}  // namespace

MeasuredServer::MeasuredServer(const Program& program, std::string main, std::string http)
    : program_(program), main_(std::move(main)) {
  char pattern[] = "/tmp/gatescope-bench-XXXXXX";
  folder_ = ::mkdtemp(pattern);
  std::filesystem::permissions(folder_, std::filesystem::perms(0755));
  for (const char* name : {"/logs", "/html"})
    std::filesystem::create_directory(folder_ + name);
  configure(http);
}

MeasuredServer::~MeasuredServer() {
  if (pid_ > 0) {
    ::kill(pid_, SIGTERM);
    for (int i = 0; i < 1000 && ::waitpid(pid_, nullptr, WNOHANG) == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      if (i == 900) ::kill(pid_, SIGKILL);
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void MeasuredServer::write(const std::string& name, const std::string& text) const {
  // Replaced in one step: a reload must never read half of it
  const std::string path = folder_ + "/" + name;
  std::ofstream(path + ".new", std::ios::binary) << text;
  std::filesystem::rename(path + ".new", path);
}

std::string MeasuredServer::read(const std::string& name) const {
  return text_of(folder_ + "/" + name);
}

void MeasuredServer::configure(const std::string& http) const {
  write(
      "server.conf",
      fmt::format("daemon off;\n{}\n{}\nerror_log logs/error.log notice;\n"
                  "pid logs/server.pid;\nworker_rlimit_nofile 20000;\n"
                  "events {{ worker_connections 16000; }}\n"
                  // nginx 1.22 has TLS 1.3 only when asked, and costs less without
                  "http {{ access_log off; keepalive_requests 1000000; "
                  "ssl_protocols TLSv1.2 TLSv1.3; {}\n{}\n}}\n",
                  ::geteuid() == 0 ? "user root;" : "", main_,
                  program_.is_nginx
                      ? fmt::format("client_body_temp_path {0}/b; "
                                    "proxy_temp_path {0}/p; "
                                    "fastcgi_temp_path {0}/f; "
                                    "uwsgi_temp_path {0}/u; "
                                    "scgi_temp_path {0}/s;",
                                    folder_)
                      : fmt::format("client_body_temp_path {0}/b; proxy_temp_path {0}/p;", folder_),
                  http));
}

bool MeasuredServer::start() {
  pid_ = ::fork();
  if (pid_ == 0) {
    const int null = ::open((folder_ + "/out").c_str(), O_RDWR | O_CREAT, 0644);
    for (int fd : {0, 1, 2})
      ::dup2(null, fd);
    run_on(program_.cores);
    const std::string prefix = folder_ + "/", conf = folder_ + "/server.conf";
    const std::string log = folder_ + "/logs/error.log";
    const std::string pid_file = folder_ + "/logs/server.pid";
    if (program_.is_haproxy)
      ::execl(program_.path.c_str(), program_.path.c_str(), "-W", "-f", conf.c_str(), "-p",
              pid_file.c_str(), static_cast<char*>(nullptr));
    ::execl(program_.path.c_str(), program_.path.c_str(), "-p", prefix.c_str(), "-c", conf.c_str(),
            "-e", log.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  for (int i = 0; i < 1000; ++i) {
    if (std::atoi(read("logs/server.pid").c_str()) == pid_) return true;
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  fmt::print(stderr, "{} does not start:\n{}{}\n", program_.path, read("out"),
             read("logs/error.log"));
  pid_ = -1;
  return false;
}

void MeasuredServer::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

std::vector<pid_t> MeasuredServer::workers() const {
  auto children = children_of(pid_);
  // Without a keeper its children are others' programs: a database.
  std::erase_if(children, [name = text_of(fmt::format("/proc/{}/comm", pid_))](pid_t child) {
    return text_of(fmt::format("/proc/{}/comm", child)) != name;
  });
  if (children.empty()) children.push_back(pid_);
  return children;
}

std::uint64_t MeasuredServer::memory() const {
  std::uint64_t bytes = pss(pid_);
  for (const pid_t child : children_of(pid_))
    bytes += pss(child);
  return bytes;
}

double MeasuredServer::cpu() const {
  std::uint64_t nanoseconds = 0;
  for (const pid_t pid : workers())
    for (const auto& task :
         std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid))) {
      std::uint64_t running = 0;
      std::ifstream(task.path() / "schedstat") >> running;
      nanoseconds += running;
    }
  return static_cast<double>(nanoseconds) / 1e9;
}

std::size_t MeasuredServer::error_log_size() const {
  std::error_code ignored;
  return std::filesystem::file_size(folder_ + "/logs/error.log", ignored);
}

bool make_certificate(const std::string& folder, const std::string& name) {
  const auto command = fmt::format(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={1} "
      "-addext subjectAltName=DNS:bench.test -keyout {0}/{1}.key -out {0}/{1}.pem 2>/dev/null",
      folder, name);
  return std::system(command.c_str()) == 0;
}

std::vector<unsigned> own_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  std::vector<unsigned> cores;
  for (unsigned core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  return cores;
}

void run_on(const std::vector<unsigned>& cores) {
  if (cores.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const unsigned core : cores)
    CPU_SET(core, &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

std::uint64_t raise_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit wanted{65536, std::max<rlim_t>(65536, limit.rlim_max)};
  if (limit.rlim_cur < 65536 && ::setrlimit(RLIMIT_NOFILE, &wanted) != 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace gatescope::bench
