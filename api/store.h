#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "api/metadata.h"
#include "api/seq_file.h"
#include "api/sequence.h"
#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace gatescope::api {

/// What the database has of a sequence. Quirks of old rows are gone: a placeholder is no name, a
/// list with nulls in it is no list.
struct StoredSequence {
  std::optional<std::string> name;
  std::int64_t shift = 0;
  std::optional<Terms> terms;  // complete, as a b-file has them
  /// Of the first terms, verbatim, "no_fac_yet" among them; never more than there are terms.
  std::optional<Terms> factors;
};

/// Where sequences are kept. All on the loop's thread; the work is done elsewhere.
class SequenceStore {
 public:
  /// A question under way; destroying it drops the answer.
  class Job {
   public:
    virtual ~Job() = default;
  };
  using Loaded = std::function<void(Result<StoredSequence>)>;
  using EntryLoaded = std::function<void(Result<std::optional<SeqEntry>>)>;
  using MetadataLoaded = std::function<void(Result<std::optional<Metadata>>)>;

  virtual ~SequenceStore() = default;
  /// `done` once, never from inside; it may destroy the Job. Errors: Unavailable (the database
  /// cannot be reached), Timeout (not within `within`), Busy, Internal; Invalid and Forbidden (of
  /// the database: it must be mended).
  virtual std::unique_ptr<Job> load(SequenceId id, Duration within, Loaded done) = 0;
  /// Stores terms (and the name, if known). Precondition: sequence->has_all_terms(). Failures are
  /// logged; the next request fetches again.
  virtual void save(std::shared_ptr<const Sequence> sequence) = 0;
  /// Stores the name of a sequence whose terms are there.
  virtual void save_name(SequenceId id, std::string name) = 0;
  /// Stores what is known of the factors of the first terms, if the row's terms are still these.
  virtual void save_factors(SequenceId id, std::shared_ptr<const Terms> terms,
                            std::shared_ptr<const Terms> factors) = 0;

  /// Entries of oeisdata are kept apart: their terms are never taken for a b-file's. As load();
  /// nullopt: none is stored.
  virtual std::unique_ptr<Job> load_entry(SequenceId id, Duration within, EntryLoaded done) = 0;
  /// Stores the entry in place of an older one, and tells what a new question finds then.
  virtual std::unique_ptr<Job> save_entry(std::shared_ptr<const SeqEntry> entry, Duration within,
                                          EntryLoaded done) = 0;

  /// From gatescope's tables, else from the row of the old service. As load(); nullopt: nothing is
  /// known.
  virtual std::unique_ptr<Job> load_metadata(SequenceId id, Duration within,
                                             MetadataLoaded done) = 0;
};

}  // namespace gatescope::api
