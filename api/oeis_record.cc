#include "api/oeis_record.h"

#include <nlohmann/json.hpp>

namespace gatescope::api {

namespace {

using Json = nlohmann::json;

std::string text_of(const Json& record, const char* key) {
  const auto value = record.find(key);
  return value != record.end() && value->is_string() ? value->get<std::string>() : std::string();
}

std::string lines_of(const Json& record, const char* key) {
  std::string lines;
  const auto list = record.find(key);
  if (list == record.end() || !list->is_array()) return lines;
  for (const Json& line : *list) {
    if (!line.is_string()) continue;
    if (!lines.empty()) lines += '\n';
    lines += line.get_ref<const std::string&>();
  }
  return lines;
}

std::optional<OeisRecord> read_record(const Json& record) {
  if (!record.is_object()) return std::nullopt;
  const auto number = record.find("number");
  if (number == record.end() || !number->is_number_unsigned()) return std::nullopt;
  const auto value = number->get<std::uint64_t>();
  std::string name = text_of(record, "name");
  if (value > SequenceId::kLargest || name.empty()) return std::nullopt;
  return OeisRecord{SequenceId(static_cast<std::uint32_t>(value)), std::move(name),
                    lines_of(record, "xref")};
}

Error no_answer(std::string_view what) {
  return make_error(ErrorKind::Invalid, Origin::Upstream,
                    "a search answer of OEIS " + std::string(what));
}

}  // namespace

Result<std::vector<OeisRecord>> parse_search(std::string_view json) {
  const Json answer = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (answer.is_discarded()) return no_answer("is not JSON");
  std::vector<OeisRecord> found;
  const Json* records = &answer;
  if (answer.is_object()) {
    const auto results = answer.find("results");
    if (results == answer.end()) {
      auto record = read_record(answer);
      if (!record) return no_answer("has neither results nor a record");
      found.push_back(std::move(*record));
      return found;
    }
    records = &*results;
  }
  if (records->is_null()) return found;
  if (!records->is_array()) return no_answer("has no list of results");
  for (const Json& each : *records)
    if (auto record = read_record(each)) found.push_back(std::move(*record));
  return found;
}

std::optional<OeisRecord> record_in_search(SequenceId id, std::string_view json) {
  auto found = parse_search(json);
  if (!found) return std::nullopt;
  for (OeisRecord& record : *found)
    if (record.id == id) return std::move(record);
  return std::nullopt;
}

std::optional<std::string> name_in_search(SequenceId id, std::string_view json) {
  auto record = record_in_search(id, json);
  if (!record) return std::nullopt;
  return std::move(record->name);
}

}  // namespace gatescope::api
