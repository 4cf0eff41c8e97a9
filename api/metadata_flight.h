#pragma once

#include <memory>
#include <optional>

#include "api/entry_finder.h"
#include "api/flight.h"
#include "api/metadata.h"

namespace gatescope::api {

/// Obtains what is known of a sequence beside its terms: from the import or a row of the old
/// service; else, without the references to it, from an entry of oeisdata or OEIS's record; else
/// there is a placeholder.
///   Reading -> (Entry -> (Recording)) -> Encoding -> Landed
class MetadataFlight final : public Flight {
 public:
  MetadataFlight(SequenceId id, SequenceSources sources, Log& log, FlightEvents& events);
  void start() override;

 private:
  void on_metadata(Result<std::optional<Metadata>> metadata);
  void on_entry(Result<std::optional<SeqEntry>> entry);
  void on_record(OeisAnswer answer);
  void encode(bool whole);
  void land(Answer reason, bool missing = false);

  // Constant after construction
  const SequenceId id_;
  const SequenceSources sources_;
  FlightEvents& events_;

  EntryFinder entry_;
  Metadata metadata_;  // the best so far
  std::unique_ptr<SequenceStore::Job> job_;
  std::unique_ptr<Oeis::Fetch> record_;
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;
};

}  // namespace gatescope::api
