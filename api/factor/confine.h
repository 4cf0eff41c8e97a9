#pragma once

#include <cstddef>

namespace gatescope::factor {

/// Address space in all. Far more than is needed (150 MB of it is PARI's stack, reserved and mostly
/// never touched), far less than would harm the machine.
inline constexpr std::size_t kMostMemory = 512u << 20;

/// Behind the server and whatever else answers somebody: nice 10 and SCHED_BATCH. Gatescope lowers
/// it further when nobody waits for the number (net::Process::lower_priority). What the system
/// refuses is left out.
void lower_priority();

/// Before libraries start: memory, no files written, no core dumps.
void limit_resources();

/// What this process can no longer do, as far as the kernel could be asked to see to it.
struct Confinement {
  bool filter = false;    // seccomp: the system calls of computing only
  bool landlock = false;  // no file by its path, and what newer kernels add: TCP, foreign sockets
  /// "filter,landlock", "filter", "landlock" or "none": what the server is told.
  const char* words() const;
};

/// Landlock: no file by its path any more, whoever asks; descriptors that are open stay.
/// Precondition: no new privileges. Part of confine(). False: the kernel has none.
bool forbid_files();

/// After everything is open and libraries have started: no new privileges, no new descriptors or
/// processes; no files (Landlock); and the system calls of computing only (everything else fails
/// with EPERM). What the kernel does not have is left out, since the rest holds all the same:
/// Landlock is there from 5.13 on, and the filter knows the calls of x86-64 and arm64 only.
Confinement confine();

/// From now on so many seconds of CPU; then the kernel ends this process (SIGXCPU).
void allow_cpu(unsigned seconds);

}  // namespace gatescope::factor
