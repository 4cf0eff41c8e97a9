#include "api/factor/confine.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace gatescope::factor {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // they reserve terabytes
#else
constexpr bool kSanitized = false;
#endif

#if defined(__x86_64__)
constexpr unsigned kMachine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kMachine = AUDIT_ARCH_AARCH64;
#else
constexpr unsigned kMachine = 0;
#endif
static_assert(std::endian::native == std::endian::little);  // where an argument's low half lies

void limit(__rlimit_resource what, rlim_t value) {
  const rlimit both{value, value};
  ::setrlimit(what, &both);
}

sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset));
}
constexpr std::size_t argument(unsigned n) {
  return offsetof(seccomp_data, args) + 8 * n;
}
sock_filter verdict(unsigned action) {
  return BPF_STMT(BPF_RET | BPF_K, action);
}
constexpr unsigned kRefuse = SECCOMP_RET_ERRNO | 1;  // EPERM

/// A program of at most `Room` instructions.
template <std::size_t Room>
struct Filter {
  std::array<sock_filter, Room> code{};
  unsigned short size = 0;
  void add(sock_filter instruction) { code.at(size++) = instruction; }
  void allow(long call) {
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
    add(verdict(SECCOMP_RET_ALLOW));
  }
  /// Allows the call when the argument has none of `bits`.
  void allow_without(long call, unsigned n, unsigned bits) {
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 4));
    add(load(argument(n)));
    add(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1));
    add(verdict(kRefuse));
    add(verdict(SECCOMP_RET_ALLOW));
  }
  /// Allows the call when both arguments are as said.
  void allow_exactly(long call, unsigned n, unsigned value, unsigned m, unsigned other) {
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 6));
    add(load(argument(n)));
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 3));
    add(load(argument(m)));
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, other, 0, 1));
    add(verdict(SECCOMP_RET_ALLOW));
    add(verdict(kRefuse));
  }
};

}  // namespace

/// A rule set that handles everything and allows nothing. What may be handled depends on the
/// kernel: a bit that it does not know makes the call fail, so it is asked which version it has.
/// The numbers are written out, since Debian 12's headers end at version 2.
bool forbid_files() {
  struct RuleSet {  // landlock_ruleset_attr, as it has grown
    std::uint64_t files = 0, network = 0, scoped = 0;
  };
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return false;
  constexpr unsigned kFirst = 13;  // rights of version 1
  unsigned rights = kFirst;
  if (version >= 2) ++rights;  // to link and rename between folders
  if (version >= 3) ++rights;  // to truncate
  if (version >= 5) ++rights;  // ioctl() of devices
  RuleSet set{.files = (std::uint64_t{1} << rights) - 1};
  std::size_t size = sizeof set.files;
  if (version >= 4) {
    set.network = 3;  // TCP: bind, connect
    size = sizeof set.files + sizeof set.network;
  }
  if (version >= 6) {
    set.scoped = 3;  // abstract unix sockets of others, signals to others
    size = sizeof set;
  }
  const long rules = ::syscall(SYS_landlock_create_ruleset, &set, size, 0);
  if (rules < 0) return false;
  const bool done = ::syscall(SYS_landlock_restrict_self, rules, 0) == 0;
  ::close(static_cast<int>(rules));
  return done;
}

const char* Confinement::words() const {
  if (filter) return landlock ? "filter,landlock" : "filter";
  return landlock ? "landlock" : "none";
}

void lower_priority() {
  ::setpriority(PRIO_PROCESS, 0, 10);
  const sched_param none{};
  ::sched_setscheduler(0, SCHED_BATCH, &none);
  // Gatescope gives us a session of our own. Where the kernel shares the processor out by sessions
  // first, all of the above counts inside ours only, and this is what counts outside.
  if (::getsid(0) != ::getpid()) return;
  const int group = ::open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
  if (group < 0) return;
  [[maybe_unused]] const auto n = ::write(group, "10", 2);
  ::close(group);
}

void limit_resources() {
  if (!kSanitized) limit(RLIMIT_AS, kMostMemory);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
}

Confinement confine() {
  Confinement done;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return done;
  done.landlock = forbid_files();  // needs a descriptor, and calls that the filter refuses
  limit(RLIMIT_NOFILE, 0);
  limit(RLIMIT_NPROC, 0);
  if (kMachine == 0) return done;
  Filter<96> filter;
  filter.add(load(offsetof(seccomp_data, arch)));
  filter.add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kMachine, 1, 0));
  filter.add(verdict(SECCOMP_RET_KILL_PROCESS));
  filter.add(load(offsetof(seccomp_data, nr)));
  for (const long call : {
         SYS_read, SYS_write, SYS_exit_group, SYS_exit, SYS_rt_sigreturn, SYS_restart_syscall,
             // memory; below what may not become code
             SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_futex, SYS_getrandom,
             // time; a signal to itself is how abort() ends
             SYS_clock_gettime, SYS_gettimeofday, SYS_getrusage, SYS_times, SYS_rt_sigprocmask,
             SYS_getpid, SYS_gettid, SYS_sched_yield,
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
             SYS_sigaltstack, SYS_rt_sigaction,
#endif
       })
    filter.allow(call);
  filter.allow_without(SYS_mmap, 2, PROT_EXEC);
  filter.allow_without(SYS_mprotect, 2, PROT_EXEC);
  filter.allow_exactly(SYS_prlimit64, 0, 0, 1, RLIMIT_CPU);
  filter.add(verdict(kRefuse));
  const sock_fprog program{filter.size, filter.code.data()};
  done.filter = ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
  return done;
}

void allow_cpu(unsigned seconds) {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  // Whole seconds: the one that has begun is not counted.
  const rlimit until{static_cast<rlim_t>(used.tv_sec) + 1 + seconds, RLIM_INFINITY};
  ::setrlimit(RLIMIT_CPU, &until);
}

}  // namespace gatescope::factor
