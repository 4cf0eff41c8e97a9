#pragma once

#include <string_view>

namespace gatescope::server {

/// Says these lines of sd_notify(3) to systemd; without it nothing happens.
void tell_service_manager(std::string_view lines);

/// Whoever started us as a service, and shows people how it fares.
class ServiceManager {
 public:
  virtual ~ServiceManager() = default;
  /// One line, for `systemctl status`.
  virtual void show_status(std::string_view line) = 0;
};

/// sd_notify(3) of systemd: a datagram to the socket that $NOTIFY_SOCKET names; without it nothing
/// happens. The worker is not the service's main process, so the unit needs NotifyAccess=all.
///
/// Not libsystemd, which would bring five libraries to every start for this.
class SystemdService final : public ServiceManager {
 public:
  void show_status(std::string_view line) override;
};

}  // namespace gatescope::server
