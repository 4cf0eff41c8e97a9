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

/// After everything is open and libraries have started: no new privileges, no new descriptors or
/// processes, and the system calls of computing only (everything else fails with EPERM). False: the
/// kernel has no seccomp filters, or this program does not know the machine's calls; the limits
/// hold all the same.
bool confine();

/// From now on so many seconds of CPU; then the kernel ends this process (SIGXCPU).
void allow_cpu(unsigned seconds);

}  // namespace gatescope::factor
