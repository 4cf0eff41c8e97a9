#include "api/oeis_record.h"

#include <nlohmann/json.hpp>

namespace gatescope::api {

namespace {

using Json = nlohmann::json;

std::optional<std::string> name_in_record(SequenceId id, const Json& record) {
  if (!record.is_object()) return std::nullopt;
  const auto number = record.find("number");
  const auto name = record.find("name");
  if (number == record.end() || !number->is_number_integer() || name == record.end() ||
      !name->is_string() || number->get<std::int64_t>() != id.number()) {
    return std::nullopt;
  }
  const auto& text = name->get_ref<const std::string&>();
  if (text.empty()) return std::nullopt;
  return text;
}

}  // namespace

std::optional<std::string> name_in_search(SequenceId id, std::string_view json) {
  const Json answer = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  const Json* records = &answer;
  if (answer.is_object()) {
    const auto results = answer.find("results");
    if (results == answer.end()) return name_in_record(id, answer);
    records = &*results;
  }
  if (!records->is_array()) return std::nullopt;  // null: none, or too many; or not JSON at all
  for (const Json& record : *records)
    if (auto name = name_in_record(id, record)) return name;
  return std::nullopt;
}

}  // namespace gatescope::api
