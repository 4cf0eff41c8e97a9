#include "api/database_choice.h"

#include "api/database.h"

namespace gatescope::api {

Result<DatabaseChoice> choose_database(const NumberscopeSettings& settings) {
  DatabaseChoice choice{.state_folder = settings.state_folder()};
  const auto environment = Environment::read(settings.env_file.get());
  if (!environment) return environment.error();
  choice.environment = environment->application();
  switch (settings.database.get()) {
    case DatabaseKind::Embedded:
      return choice;
    case DatabaseKind::Connection:
      choice.connection = settings.connection.get();
      return choice;
    case DatabaseKind::Environment:
      break;
  }
  auto connection = environment->connection();
  if (!connection) return connection.error();
  choice.connection = std::move(*connection);
  return choice;
}

Result<DatabaseChoice> choose_database(const conf::Document& document, const std::string& prefix,
                                       const std::string& conf_folder) {
  std::vector<conf::Directive> ours;
  for (const auto& directive : document.directives) {
    if (directive.name == "numberscope" || directive.name == "state_dir") ours.push_back(directive);
  }
  conf::Schema schema;
  add_numberscope_directives(schema);
  conf::Loader loader(schema, prefix, conf_folder);
  conf::Scope main(nullptr, conf::Context::Main, nullptr);
  if (auto loaded = loader.load(ours, main); !loaded) return loaded.error();
  const auto& settings = main.own<NumberscopeSettings>();
  if (!settings.present.get()) {
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      "the configuration has no block \"numberscope { }\" on the main level, so it "
                      "names no database");
  }
  return choose_database(settings);
}

}  // namespace gatescope::api
