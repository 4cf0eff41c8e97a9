#pragma once

#include "api/sequence_id.h"

namespace gatescope::api {

/// What other programs did to the database, within a second. On loop 0's thread.
class ChangeEvents {
 public:
  virtual ~ChangeEvents() = default;
  /// Another gatescope stored something of this sequence: what is in memory of it is old. Never for
  /// what we stored ourselves.
  virtual void on_changed(SequenceId id) = 0;
  /// An import, a clear or a reset, by anybody: index and caches are old.
  virtual void on_imported() = 0;
  /// The listener was away for a while: everything in memory is to be revalidated.
  virtual void on_changes_missed() = 0;
};

/// Listens to the changes of one database.
class Changes {
 public:
  virtual ~Changes() = default;
  /// From now on, never from inside; null: nobody.
  virtual void set_events(ChangeEvents* events) = 0;
};

}  // namespace gatescope::api
