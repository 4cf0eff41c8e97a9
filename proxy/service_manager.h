#pragma once

#include <string_view>

#include "proxy/base/clock.h"

namespace gatescope::server {

/// Whoever started us as a service, watches us, and shows people how it fares.
class ServiceManager {
 public:
  virtual ~ServiceManager() = default;
  /// One line, for `systemctl status`.
  virtual void show_status(std::string_view line) = 0;
  /// Every socket listens, and `main` is the process that stands for the service: the keeper, where
  /// there is one. Also after a reload, and after the binary was exchanged: then `main` is another.
  virtual void ready(int /*main*/) {}
  /// A reload begins; ready() follows, whatever comes of it.
  virtual void reloading() {}
  /// Within which time we want to be heard of, else we are ended and started again; zero: nobody
  /// watches.
  virtual Duration watchdog() const { return Duration(0); }
  virtual void feed_watchdog() {}
};

/// sd_notify(3) of systemd: a datagram to the socket that $NOTIFY_SOCKET names; without it nothing
/// happens. When its queue is full, ready() and reloading() wait for a second at most, the others
/// are lost. The worker is not the service's main process, so the unit needs NotifyAccess=all.
///
/// Not libsystemd, which would bring five libraries to every start for this.
class SystemdService final : public ServiceManager {
 public:
  void show_status(std::string_view line) override;
  void ready(int main) override;
  void reloading() override;
  /// $WATCHDOG_USEC, when $WATCHDOG_PID is this process, its parent (the keeper), or not said.
  Duration watchdog() const override;
  void feed_watchdog() override;
};

}  // namespace gatescope::server
