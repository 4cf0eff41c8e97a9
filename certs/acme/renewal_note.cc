#include "certs/acme/renewal_note.h"

#include "certs/acme/json_text.h"

namespace gatescope::acme {
namespace {

using nlohmann::json;

std::string note_file(const std::string& name) {
  return name + ".status";
}

std::optional<WallTime> time_at(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  return WallTime(std::chrono::seconds(found->get<std::int64_t>()));
}

}  // namespace

std::optional<RenewalNote> read_note(const StateFolder& folder, const std::string& name) {
  const auto text = folder.read(note_file(name));
  if (!text || !*text) return std::nullopt;
  const auto object = json::parse(**text, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  const auto error = object.find("error");
  return RenewalNote{
      .renew_at = time_at(object, "renew_at"),
      .error = error != object.end() && error->is_string() ? error->get<std::string>() : "",
      .failed_at = time_at(object, "failed_at"),
      .next_try = time_at(object, "next_try")};
}

Result<void> write_note(const StateFolder& folder, const std::string& name,
                        const RenewalNote& note) {
  json object = json::object();
  const auto add = [&](const char* key, const std::optional<WallTime>& time) {
    if (time)
      object[key] =
          std::chrono::duration_cast<std::chrono::seconds>(time->time_since_epoch()).count();
  };
  add("renew_at", note.renew_at);
  add("failed_at", note.failed_at);
  add("next_try", note.next_try);
  if (!note.error.empty()) object["error"] = note.error;
  return folder.write(note_file(name), to_text(object, 1) + "\n");
}

}  // namespace gatescope::acme
