#include "api/api_module.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "api/any_origin.h"
#include "api/api_handler.h"
#include "api/commit.h"
#include "api/database.h"
#include "api/embedded_postgres.h"
#include "api/factor_program.h"
#include "api/oeis_client.h"
#include "proxy/net/https_client.h"

namespace gatescope::api {

namespace {

// What is lost can be fetched again: not worth a stop that takes longer.
constexpr Duration kFlush{2000};

// An index takes seconds of a processor, and nobody waits for a renewed one.
constexpr int kIndexNice = 10;

std::string commit() {
  const char* given = std::getenv("GIT_REVISION_HASH");
  return given != nullptr && *given != '\0' ? given : kCommit;
}

}  // namespace

struct ApiModule::Upstream {
  std::unique_ptr<net::HttpsClient> https;
  std::unique_ptr<OeisClient> client;
};

ApiModule::ApiModule(net::Loop& loop, Stats& stats, LogFiles& log_files, const Clock& clock,
                     ReadText read)
    : loop_(loop),
      stats_(stats),
      log_files_(log_files),
      commit_(commit()),
      read_(std::move(read)),
      api_log_(clock),
      service_(loop, log_, {}, &stats),
      shared_(loop, service_),
      completion_(loop, {}, api_log_, &stats),
      search_(loop, log_, {.index_nice = kIndexNice}, &stats),
      changes_(service_, search_) {
  factors_ = std::make_unique<FactorService>(loop, log_, service_, FactorServiceSettings{}, &stats);
  factoring_ = std::make_unique<ClaimedFactoring>(loop, *factors_);
  search_.set_events(&changes_);
  served_ = &stats.gauge("api_served", "", "1: the configuration has a numberscope block.");
  oeis_asked_ = &stats.gauge("oeis_asked", "", "1: the configuration names an OEIS to be asked.");
  factor_workers_ =
      &stats.gauge("api_factor_workers", "processes",
                   "Factor workers that may compute at a time; 0: nothing is factored.");
}

ApiModule::~ApiModule() = default;

void ApiModule::add_directives(conf::Schema& schema) {
  add_numberscope_directives(schema);
}

Result<std::unique_ptr<http::Handler>> ApiModule::make(const conf::Scope& location) {
  const auto& settings = location.get<NumberscopeSettings>();
  const auto* set_by = location.get<http::CoreSettings>().handler_set_by;
  if (!settings.present.get()) {
    return conf::error_at(
        set_by->place, "\"numberscope_api\" needs a block \"numberscope { }\" on the main level");
  }
  if (!prepared_.connection)
    return conf::error_at(set_by->place, prepared_.connection.error().detail);
  return std::unique_ptr<http::Handler>(
      std::make_unique<ApiHandler>(shared_, prefix_of_location(location), commit_));
}

Result<void> ApiModule::contribute(const conf::Scope&, http::Location& location,
                                   http::VariableTable&) {
  if (location.core->handler_maker == this) location.filters.push_back(make_any_origin_filter());
  return {};
}

/// An env_file that cannot be read is an error where it must name the database.
ApiModule::Prepared ApiModule::prepared_of(const NumberscopeSettings& settings) const {
  const auto environment = Environment::read(settings.env_file.get(), read_);
  Prepared prepared{.connection = std::string(),
                    .environment = environment ? environment->application() : std::string()};
  switch (settings.database.get()) {
    case DatabaseKind::Embedded:
      break;
    case DatabaseKind::Connection:
      prepared.connection = settings.connection.get();
      break;
    case DatabaseKind::Environment:
      prepared.connection = environment ? environment->connection() : environment.error();
      break;
  }
  return prepared;
}

Result<void> ApiModule::prepare(const conf::Scope& main) {
  const auto& settings = main.get<NumberscopeSettings>();
  prepared_ = prepared_of(settings);
  if (settings.api_log.get().empty()) return {};
  const auto file = log_files_.get(settings.api_log.get(), settings.api_log_rotation.get());
  return file ? Result<void>() : file.error();
}

void ApiModule::apply_log(const NumberscopeSettings& settings) {
  const auto open = [this](const std::string& path) {
    const auto file = path.empty() ? nullptr : log_files_.get(path);  // open already, or "stderr"
    return file ? *file : nullptr;
  };
  api_log_.write_to(open(settings.api_log.get()),
                    std::make_shared<const LogFileSettings>(settings.api_log_rotation.get()));
  const bool development = prepared_.environment == "development";
  api_log_.show_on(development && settings.present.get() ? open("stderr") : nullptr);
  if (!settings.present.get()) return;
  api_log_.event(LogLevel::Info, "configuration",
                 {{"oeis", settings.oeis.get().empty() ? "off" : settings.oeis.get()},
                  {"oeisdata", settings.oeisdata.get()}});
}

void ApiModule::apply_factoring(const NumberscopeSettings& settings) {
  FactorPoolSettings pool{.program = find_factor_program(), .workers = 0};
  if (settings.present.get()) pool.workers = static_cast<unsigned>(settings.factor_workers.get());
  if (pool.workers > 0 && !may_run(pool.program)) {
    log_.print(LogLevel::Error,
               "nothing is factored: \"{}\" is not there or may not be executed; it comes with "
               "gatescope and belongs beside it, or is \"{}\" (\"factor_workers 0\" does without)",
               pool.program, kInstalledFactorProgram);
    pool.workers = 0;
  }
  factors_->use(pool);
  factor_workers_->set(pool.workers);
}

Result<void> ApiModule::apply(const conf::Scope& main, std::shared_ptr<Log> log) {
  log_.relay_to(std::move(log));
  const auto& settings = main.get<NumberscopeSettings>();
  service_.limit_cache(settings.api_cache_size.get());
  apply_log(settings);
  apply_factoring(settings);
  const auto& connection = prepared_.connection;
  if (!connection) return connection.error();
  // One value per line: none of them can hold a line feed and mean anything.
  std::string storage_key, upstream_key;
  if (settings.present.get()) {
    storage_key = connection->empty() ? "embedded " + settings.state_folder() : *connection;
    if (!settings.oeis.get().empty())
      upstream_key = settings.oeis.get() + "\n" + settings.oeis_agent.get();
  }
  const std::string key = storage_key + "\n" + upstream_key + "\n" + settings.oeisdata.get() +
                          "\n" + std::to_string(static_cast<int>(settings.search.get()));
  if (key == key_) return {};
  key_ = key;
  service_.use({});  // what it has under way goes into the bin, before what that works with
  complete_from({});
  factoring_->use({});
  search_.use({});
  if (storage_key != storage_key_) {
    close_storage();
    if (!storage_key.empty()) {
      storage_ =
          std::make_unique<Storage>(loop_, log_, *connection, settings.state_folder(), &stats_);
      storage_->changes().set_events(&changes_);
    }
    storage_key_ = storage_key;
  }
  if (upstream_key != upstream_key_) {
    loop_.discard(std::move(upstream_));
    if (!upstream_key.empty()) open_upstream(settings);
    upstream_key_ = upstream_key;
  }
  served_->set(storage_ ? 1 : 0);
  oeis_asked_->set(upstream_ ? 1 : 0);
  if (storage_) {
    const auto lane = loop_.make_lane({.name = "sequences", .threads = 1});
    Oeis* const oeis = upstream_ ? upstream_->client.get() : nullptr;
    search_.use({.store = &storage_->searches(),
                 .oeis = oeis,
                 .oeisdata = settings.oeisdata.get(),
                 .where = settings.search.get(),
                 .entries_of = storage_key + "\n" + settings.oeisdata.get()});
    factoring_->use({.claims = &storage_->claims(), .store = &storage_->store()});
    service_.use({.store = &storage_->store(),
                  .oeis = oeis,
                  .oeisdata = settings.oeisdata.get(),
                  .lane = lane,
                  .claims = &storage_->claims(),
                  .searching = &search_,
                  .factoring = factoring_.get(),
                  .completing = &completion_});
    complete_from({.store = &storage_->store(),
                   .list = &storage_->completion(),
                   .lane = lane,
                   .oeis = oeis,
                   .claims = &storage_->claims(),
                   .factoring = factoring_.get(),
                   .changes = &service_});
  }
  return {};
}

void ApiModule::complete_from(const CompletionSources& sources) {
  completes_from_ = sources;
  completion_.use(resting_ ? CompletionSources{} : sources);
}

void ApiModule::rest(bool resting) {
  resting_ = resting;
  complete_from(CompletionSources(completes_from_));
}

void ApiModule::open_upstream(const NumberscopeSettings& settings) {
  upstream_ = std::make_unique<Upstream>();
  upstream_->https = net::HttpsClient::make(loop_, {.agent = settings.oeis_agent.get()});
  upstream_->client = std::make_unique<OeisClient>(
      loop_, *upstream_->https,
      OeisClientSettings{.base = settings.oeis.get(), .agent = settings.oeis_agent.get()}, log_,
      api_log_, &stats_);
}

void ApiModule::close_storage() {
  if (!storage_) return;
  storage_->changes().set_events(nullptr);
  auto embedded = storage_->take_embedded();
  loop_.discard(std::move(storage_));  // its connections are closed at the end of this turn
  if (!embedded) return;
  EmbeddedPostgres* const server = embedded.get();
  retired_.push_back(std::move(embedded));
  server->stop([this, server] {
    const auto place = std::find_if(retired_.begin(), retired_.end(),
                                    [server](const auto& r) { return r.get() == server; });
    loop_.discard(std::move(*place));
    retired_.erase(place);
    finish_stop();
  });
}

void ApiModule::stop(net::Task done) {
  stopped_ = std::move(done);
  key_.clear();
  factors_->stop();  // while there is a store: what it knows is kept
  service_.use({});
  complete_from({});
  factoring_->use({});
  search_.use({});
  loop_.discard(std::move(upstream_));
  if (!storage_) return loop_.post([this] { finish_stop(); });
  // In a turn of its own: what was under way gives its claims back at the end of this one.
  loop_.post([this] {
    storage_->lane().flush(kFlush, [this] {
      close_storage();
      // Later: its connections are closed at the end of this turn.
      if (retired_.empty()) loop_.post([this] { finish_stop(); });
    });
  });
}

void ApiModule::finish_stop() {
  if (storage_ || !retired_.empty() || !stopped_) return;
  const net::Task done = std::move(stopped_);  // it may destroy this
  done();
}

}  // namespace gatescope::api
