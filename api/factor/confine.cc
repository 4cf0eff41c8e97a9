#include "api/factor/confine.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
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

bool confine() {
  limit(RLIMIT_NOFILE, 0);
  limit(RLIMIT_NPROC, 0);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || kMachine == 0) return false;
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
  return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

void allow_cpu(unsigned seconds) {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  // Whole seconds: the one that has begun is not counted.
  const rlimit until{static_cast<rlim_t>(used.tv_sec) + 1 + seconds, RLIM_INFINITY};
  ::setrlimit(RLIMIT_CPU, &until);
}

}  // namespace gatescope::factor
