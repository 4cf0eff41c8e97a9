#include "static/files_module.h"

#include "proxy/http/charset_settings.h"
#include "static/file_handler.h"
#include "static/files_directives.h"
#include "static/mime.h"
#include "static/try_files.h"

namespace gatescope::files {

FilesModule::FilesModule(const Clock& clock, Stats& stats) : cache_(clock, stats) {}

/// Read when the first location asks: a configuration with `types` starts without.
const std::shared_ptr<const http::MimeTypes>& FilesModule::system_types() {
  std::call_once(types_read_, [this] { system_types_ = system_mime_types(); });
  return system_types_;
}

void FilesModule::add_lane(const net::Loop& loop, std::shared_ptr<net::WorkerLane> lane) {
  lanes_.add(loop, std::move(lane));
}

void FilesModule::watch(net::Loop& loop) {
  cache_.watch(loop);
}

void FilesModule::apply(const conf::Scope& main) {
  for (const auto& child : main.children())
    if (child->context() == conf::Context::Http)
      cache_.limit_bytes(child->get<FileSettings>().cache_bytes.get());
}

void FilesModule::add_directives(conf::Schema& schema) {
  schema.add(file_directives());
  schema.add(accepted_file_directives());
  schema.add_settings<FileSettings>();
}

Result<std::unique_ptr<http::Handler>> FilesModule::make(const conf::Scope& location) {
  const auto& core = location.get<http::CoreSettings>();
  ServedLocation served{location.get<FileSettings>(),
                        location.get<http::EncodingSettings>(),
                        core.types.is_set() ? core.types.get() : system_types(),
                        core.default_type.get(),
                        core.log_not_found.get(),
                        core.root->is_literal(),
                        location.get<http::CharsetSettings>().recodes()};
  return std::unique_ptr<http::Handler>(
      std::make_unique<FileHandler>(std::move(served), cache_, lanes_));
}

Result<std::vector<std::unique_ptr<http::RequestStep>>> FilesModule::precontent_steps(
    const conf::Scope& location, conf::VariableNames& names) {
  std::vector<std::unique_ptr<http::RequestStep>> steps;
  const auto& settings = location.get<FileSettings>();
  if (!settings.try_files) return steps;
  auto tries = read_try_files(*settings.try_files, names);
  if (!tries) return std::move(tries).error();
  steps.push_back(std::make_unique<TryFilesStep>(std::move(*tries), settings, cache_));
  return steps;
}

Result<void> FilesModule::contribute(const conf::Scope& scope, http::Location& location,
                                     http::VariableTable& variables) {
  auto steps = precontent_steps(scope, variables);
  if (!steps) return steps.error();
  for (auto& step : *steps)
    location.precontent.push_back(std::move(step));
  return {};
}

}  // namespace gatescope::files
