#include "proxy/privileges.h"

#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

namespace gatescope::server {

namespace {

// 64 capabilities in two halves, as the kernel has them since 2.6.26.
using CapabilityHalves = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

}  // namespace

std::string Privileges::in_words() const {
  return fmt::format("{}, {}",
                     capabilities == 0 ? std::string("no capabilities")
                                       : fmt::format("capabilities {:x}", capabilities),
                     no_new_privileges ? "no new privileges" : "may get new privileges");
}

Privileges privileges_now() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  CapabilityHalves held{};
  Privileges now;
  if (::syscall(SYS_capget, &header, held.data()) == 0)
    now.capabilities = held[0].permitted | static_cast<unsigned long long>(held[1].permitted) << 32;
  now.no_new_privileges = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
  return now;
}

void refuse_new_privileges() {
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void give_up_privileges() {
  refuse_new_privileges();
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  // The change of user took the permitted ones already, but not those that a container's manager
  // made inheritable.
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const CapabilityHalves none{};
  ::syscall(SYS_capset, &header, none.data());
}

}  // namespace gatescope::server
