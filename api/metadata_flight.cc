#include "api/metadata_flight.h"

#include <fmt/format.h>

#include <utility>

#include "api/encode.h"
#include "api/oeis_record.h"

namespace gatescope::api {

MetadataFlight::MetadataFlight(SequenceId id, SequenceSources sources, Log& log,
                               FlightEvents& events)
    : id_(id), sources_(std::move(sources)), events_(events), entry_(id, sources_, log, events) {}

void MetadataFlight::start() {
  job_ = sources_.store->load_metadata(id_, kStoreDeadline,
                                       [this](auto metadata) { on_metadata(std::move(metadata)); });
}

void MetadataFlight::on_metadata(Result<std::optional<Metadata>> metadata) {
  if (!metadata) return land(Unavailable{metadata.error().detail});
  if (*metadata) metadata_ = std::move(**metadata);
  // The old service found both kinds of references, or neither.
  const bool whole = metadata_.imported || !metadata_.backrefs.empty();
  if (whole && metadata_.name) return encode(true);
  entry_.start([this](auto entry) { on_entry(std::move(entry)); });
}

void MetadataFlight::on_entry(Result<std::optional<SeqEntry>> entry) {
  if (!entry) return land(Unavailable{entry.error().detail});
  if (*entry) {
    if (!(*entry)->name.empty()) metadata_.name = std::move((*entry)->name);
    if (metadata_.xrefs.empty()) metadata_.xrefs = std::move((*entry)->xrefs);
  }
  const bool enough = metadata_.name && (*entry || !metadata_.xrefs.empty());
  if (enough || sources_.oeis == nullptr) return encode(false);
  record_ = sources_.oeis->fetch_record(
      id_, Urgency::User, [this](OeisAnswer answer) { on_record(std::move(answer)); });
}

void MetadataFlight::on_record(OeisAnswer answer) {
  const auto* json = std::get_if<std::string>(&answer);
  if (json == nullptr) return encode(false);  // OEIS cannot be asked: what there is
  const auto record = record_in_search(id_, *json);
  if (!record && !metadata_.name) {
    return land(Refusal{fmt::format("Error: B-file for ID '{}' not found in OEIS.", id_.text())},
                true);
  }
  if (record) {
    if (!metadata_.name) sources_.store->save_name(id_, record->name);
    metadata_.name = record->name;
    if (metadata_.xrefs.empty()) metadata_.xrefs = record->xrefs;
  }
  encode(false);
}

/// On a worker: A000040 is mentioned by thousands.
void MetadataFlight::encode(bool whole) {
  auto made = std::make_shared<std::shared_ptr<const EncodedAnswer>>();
  auto ticket =
      sources_.lane->submit([id = id_, metadata = std::move(metadata_), whole,
                             made](unsigned) { *made = encode_metadata(id, metadata, whole); },
                            [this, made] {
                              events_.on_answer(std::move(*made), nullptr);
                              land(Unavailable{"a waiter was forgotten"});
                            });
  if (!ticket) return land(Unavailable{ticket.error().detail});
  ticket_ = std::move(*ticket);
}

void MetadataFlight::land(Answer reason, bool missing) {
  events_.on_landed({Topic::Metadata, id_, {}}, {.reason = std::move(reason), .missing = missing});
}

}  // namespace gatescope::api
