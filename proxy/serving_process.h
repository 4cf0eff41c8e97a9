#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/inheritance.h"
#include "proxy/keeper_client.h"
#include "proxy/net/patient_sockets.h"
#include "proxy/net/uv_loop.h"
#include "proxy/process.h"
#include "proxy/remembered_files.h"
#include "proxy/server.h"
#include "proxy/upgrade.h"

namespace gatescope::server {

/// What the process that serves consists of, and what signals do to it: a keeper's worker, or a
/// process of its own, which then exchanges the program itself (serving_upgrade.cc). Made and run
/// by run_server().
class ServingProcess final : public net::SignalEvents,
                             private net::DescriptorEvents,
                             private net::TimerEvents {
 public:
  ServingProcess(const LaunchOptions& options, const LaunchPlan& plan, UniqueFd channel,
                 std::function<void()> on_ready);
  ~ServingProcess() override;
  /// To the end; the exit status.
  int run(WorkerStart start, Inheritance inherited);

 private:
  /// A server and what it tells. At most one takes clients; others finish what they have: without a
  /// keeper the way back from an upgrade begins another one beside them.
  class Instance;
  bool begin(WorkerStart start, const std::string& handed_over);
  Result<void> start_server(conf::FileReader& files, const std::string& handed_over);
  Result<void> tell_ready();
  void tell_manager();
  void say_privileges();
  Log& log();
  void on_signal(int number) override;
  bool others_serve() const;
  void end(bool gracefully);
  void retire(bool gently);
  void on_stopped(Instance& instance);
  void on_reloaded(const Error* error);
  void clear_up();

  // The exchange of the program (serving_upgrade.cc)
  void do_task();
  void change_binary();
  void rest();
  void resume();
  void on_child();
  void look_at_others();
  void watch_others();
  void unwatch_others();
  void on_ready(int fd, bool readable, bool writable) override;
  void on_timer(net::Timer& timer) override;

  // Constant after construction
  const LaunchOptions& options_;
  const LaunchPlan plan_;
  const std::function<void()> on_ready_;
  bool as_before_ = false;  // what was remembered serves

  BootLog boot_log_;
  const std::unique_ptr<KeeperClient> keeper_;  // null: there is none
  const SystemClock clock_;
  net::HeldSockets own_sockets_;
  net::PatientSockets sockets_;
  conf::SystemFileReader own_files_;
  conf::FileReader& files_;
  RememberedFiles remembered_;
  tls::OwnSecrets own_secrets_;
  OwnLogOpener own_logs_;
  net::UvLoops more_loops_;
  SystemdService service_;
  const std::unique_ptr<net::UvLoop> loop_;

  std::unique_ptr<Instance> serving_;  // null: resting, or ending
  std::vector<std::unique_ptr<Instance>> retiring_;
  bool ending_ = false;

  // Without a keeper
  Upgrade upgrade_;
  Predecessor predecessor_;
  std::unique_ptr<net::DescriptorWatch> new_watch_, old_watch_;  // null: nothing to watch
  std::unique_ptr<net::Timer> start_limit_;
};

/// A server that could not start holds nothing that the next one needs.
class ServingProcess::Instance final : public ServerEvents {
 public:
  Instance(ServingProcess& process, const World& world)
      : process_(process), server_(world, process.options_, *this) {}
  Server& server() { return server_; }

 private:
  void on_server_stopped() override { process_.on_stopped(*this); }
  void on_reloaded(const Error* error) override { process_.on_reloaded(error); }
  ServingProcess& process_;
  Server server_;
};

}  // namespace gatescope::server
