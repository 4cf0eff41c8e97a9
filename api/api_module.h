#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/api_directives.h"
#include "api/api_log.h"
#include "api/api_storage.h"
#include "api/change_fan.h"
#include "api/claimed_factoring.h"
#include "api/completion.h"
#include "api/database.h"
#include "api/factor_service.h"
#include "api/search_service.h"
#include "api/sequence_service.h"
#include "api/shared_sequences.h"
#include "conf/schema.h"
#include "proxy/base/log_files.h"
#include "proxy/base/relay_log.h"
#include "proxy/base/stats.h"
#include "proxy/http/core_settings.h"
#include "proxy/http/routing_builder.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

class EmbeddedPostgres;

/// Everything of the API that outlives a configuration: the sequences in memory, the database and
/// its lane, embedded PostgreSQL, the OEIS client. Owned by Server, on loop 0's thread but make(),
/// whose handlers work on every loop.
///   (made) -> apply() at the first and at each later configuration -> stop()
class ApiModule final : public http::HandlerMaker, public http::LocationPart {
 public:
  /// `clock`: for any thread. All of it outlives the module. `read`: for env_file, on a worker
  /// thread.
  ApiModule(net::Loop& loop, Stats& stats, LogFiles& log_files, const Clock& clock,
            ReadText read = read_own_text);
  ~ApiModule() override;

  void add_directives(conf::Schema& schema);
  /// On a worker thread: checks what the configuration says, touches nothing that runs.
  Result<std::unique_ptr<http::Handler>> make(const conf::Scope& location) override;
  /// On a worker thread: every answer of a location of ours, the HTTP layer's errors too, may be
  /// read by scripts of any origin.
  Result<void> contribute(const conf::Scope& scope, http::Location& location,
                          http::VariableTable& variables) override;
  /// On a worker thread, before make() and apply(): opens api.log and reads env_file, so that they
  /// have them.
  Result<void> prepare(const conf::Scope& main);
  /// When `main`'s configuration becomes the current one. What did not change goes on undisturbed;
  /// when the database or OEIS changed, whoever waits is told to come again.
  Result<void> apply(const conf::Scope& main, std::shared_ptr<Log> log);
  /// Forgets every answer in memory; how many there were.
  std::size_t clear_cache() { return service_.clear_cache(); }
  /// Whether what nobody waits for is left to another program, which serves beside this one.
  void rest(bool resting);
  /// When no exchange is left. `done` once, not from inside: what was to be stored is (or two
  /// seconds were not enough), the database is closed, an embedded one has stopped.
  void stop(net::Task done);

 private:
  struct Upstream;  // OEIS
  /// Of the configuration that was prepared last.
  struct Prepared {
    Result<std::string> connection;  // libpq's; empty: embedded
    std::string environment;         // APP_ENVIRONMENT; empty: not said
  };
  Prepared prepared_of(const NumberscopeSettings& settings) const;
  void complete_from(const CompletionSources& sources);
  void apply_log(const NumberscopeSettings& settings);
  void close_storage();
  void apply_factoring(const NumberscopeSettings& settings);
  void open_upstream(const NumberscopeSettings& settings);
  void finish_stop();

  // Constant after construction
  net::Loop& loop_;
  Stats& stats_;
  LogFiles& log_files_;
  const std::string commit_;
  const ReadText read_;
  Counter *served_ = nullptr, *oeis_asked_ = nullptr, *factor_workers_ = nullptr;

  Prepared prepared_{.connection = std::string(), .environment = {}};
  RelayLog log_;
  ApiLog api_log_;
  std::unique_ptr<FactorService> factors_;  // before whoever asks it: those go first
  std::unique_ptr<ClaimedFactoring> factoring_;
  SequenceService service_;
  SharedSequences shared_;
  Completion completion_;
  CompletionSources completes_from_;  // what completion_ works with unless it rests
  bool resting_ = false;
  SearchService search_;
  ChangeFan changes_;
  std::string key_;  // what of the settings runs; empty: nothing
  std::string storage_key_, upstream_key_;
  std::unique_ptr<Storage> storage_;    // null: no numberscope block
  std::unique_ptr<Upstream> upstream_;  // null: OEIS is never asked
  /// Of earlier configurations, until they have stopped.
  std::vector<std::unique_ptr<EmbeddedPostgres>> retired_;
  net::Task stopped_;  // empty: stop() was not called
};

}  // namespace gatescope::api
