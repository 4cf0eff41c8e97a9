#include "api/database.h"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

#include "proxy/base/text.h"

namespace gatescope::api {

namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

/// NAME=value, `export NAME=value`, quotes of either kind, # comments: what python-dotenv reads,
/// but no ${expansion}.
Variables parse_env(std::string_view text) {
  Variables variables;
  for (std::string_view line : split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = trim(line);
    if (line.starts_with("export ")) line = trim(line.substr(7));
    const auto equals = line.find('=');
    if (line.empty() || line[0] == '#' || equals == std::string_view::npos) continue;
    const std::string name(trim(line.substr(0, equals)));
    std::string_view value = trim(line.substr(equals + 1));
    if (!value.empty() && (value[0] == '"' || value[0] == '\'')) {
      const auto end = value.find(value[0], 1);
      if (end != std::string_view::npos) value = value.substr(1, end - 1);
    } else if (const auto comment = value.find(" #"); comment != std::string_view::npos) {
      value = trim(value.substr(0, comment));
    }
    variables[name] = value;
  }
  return variables;
}

/// libpq's quoting of a value behind `keyword=`.
std::string conninfo_value(std::string_view value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

}  // namespace

Result<std::string> read_own_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return system_error(errno, "open() \"" + path + "\"");
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

Result<Environment> Environment::read(const std::string& file, const ReadText& read) {
  Environment environment;
  environment.file_ = file;
  if (file.empty()) return environment;
  const auto text = read(file);
  if (!text) return text.error();
  environment.variables_ = parse_env(*text);
  return environment;
}

std::string Environment::look_up(const char* name) const {
  if (const char* set = std::getenv(name)) return set;
  const auto found = variables_.find(std::string_view(name));
  return found == variables_.end() ? std::string() : found->second;
}

Result<std::string> Environment::connection() const {
  const char* database_name = application() == "testing" ? "POSTGRES_DISPOSABLE_DB" : "POSTGRES_DB";
  const std::string database = look_up(database_name);
  if (database.empty()) {
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      std::string("\"database env\" needs ") + database_name +
                          (file_.empty() ? " in the environment (or name an env_file)"
                                         : " in \"" + file_ + "\" or in the environment"));
  }
  const auto or_else = [&](const char* name, std::string_view fallback) {
    const std::string value = look_up(name);
    return value.empty() ? std::string(fallback) : value;
  };
  std::string connection = "host=" + conninfo_value(or_else("POSTGRES_HOST", "localhost")) +
                           " port=" + conninfo_value(or_else("POSTGRES_PORT", "5432")) +
                           " dbname=" + conninfo_value(database);
  const std::string user = look_up("POSTGRES_USER");
  const std::string password = look_up("POSTGRES_PASSWORD");
  if (!user.empty()) connection += " user=" + conninfo_value(user);
  if (!password.empty()) connection += " password=" + conninfo_value(password);
  return connection;
}

std::string with_parameter(std::string connection, std::string_view keyword,
                           std::string_view value) {
  if (connection.find(std::string(keyword) + "=") != std::string::npos) return connection;
  if (connection.starts_with("postgres://") || connection.starts_with("postgresql://"))
    connection += connection.find('?') == std::string::npos ? '?' : '&';
  else
    connection += ' ';
  connection += keyword;
  connection += '=';
  connection += value;
  return connection;
}

}  // namespace gatescope::api
