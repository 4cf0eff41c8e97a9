#include "api/api_log.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "api/json_text.h"
#include "proxy/base/text.h"

namespace gatescope::api {

namespace {

// A conversation's head has some hundred bytes; whoever says more is cut.
constexpr std::size_t kLongestValue = 8192;

std::string list_of(std::initializer_list<std::string_view> tags) {
  std::string out = "[";
  for (const auto tag : tags) {
    if (out.size() > 1) out += ',';
    append_json_string(out, tag);
  }
  return out + "]";
}

std::string value_of(std::string_view text) {
  std::string out;
  append_json_string(out, text.substr(0, kLongestValue));
  return out;
}

}  // namespace

void ApiLog::write_to(LogFile* file, SharedLogSettings settings) {
  const std::lock_guard lock(mutex_);
  file_ = file;
  settings_ = std::move(settings);
}

void ApiLog::show_on(LogFile* console) {
  const std::lock_guard lock(mutex_);
  console_ = console;
}

void ApiLog::event(LogLevel level, std::string_view event, std::initializer_list<Field> fields,
                   std::initializer_list<std::string_view> tags) {
  const std::lock_guard lock(mutex_);
  const bool to_file = file_ != nullptr && level <= LogLevel::Info;
  if (!to_file && console_ == nullptr) return;

  std::vector<std::pair<std::string_view, std::string>> members;
  for (const auto& [name, value] : fields)
    members.emplace_back(name, value_of(value));
  members.emplace_back("event", value_of(event));
  members.emplace_back("level", value_of(name_of(level)));
  members.emplace_back("timestamp", value_of(log_time_iso8601(clock_.wall())));
  if (tags.size() > 0) members.emplace_back("tags", list_of(tags));
  std::sort(members.begin(), members.end());
  std::string line = "{";
  for (const auto& [name, value] : members) {
    if (line.size() > 1) line += ',';
    append_json_string(line, name);
    line += ':';
    line += value;
  }
  line += '}';
  if (to_file) file_->append(line, settings_, clock_.now());
  if (console_ != nullptr) console_->append(line);
}

}  // namespace gatescope::api
