#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "api/answer.h"
#include "api/bfile.h"
#include "api/sequence.h"

namespace gatescope::api {

/// What an answer is made of. A value: it goes to a worker.
struct Ingredients {
  SequenceId id;
  /// A b-file as it came, or a sequence that is known already (shared: large, immutable).
  std::variant<std::string, std::shared_ptr<const Sequence>> terms;
  std::optional<std::string> name;    // instead of the sequence's own, if that has none
  std::optional<std::string> record;  // a search answer of OEIS to take the name from
};

struct MadeSequence {
  std::shared_ptr<const Sequence> sequence;      // null: refused
  std::shared_ptr<const EncodedAnswer> encoded;  // null: refused
  std::string refusal;
};

/// Parses and encodes: what takes milliseconds and does not belong on the loop. Pure.
MadeSequence make_sequence(Ingredients ingredients);

}  // namespace gatescope::api
