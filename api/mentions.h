#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "api/sequence_id.h"

namespace gatescope::api {

/// The A-numbers in a text, ascending, each once, without `self`: `A` and six digits, no digit
/// behind. Letters may stand beside: "A048720bi(21,i)". A range "A059452-A059456" mentions its two
/// ends.
std::vector<std::uint32_t> find_mentions(std::string_view text, SequenceId self);

}  // namespace gatescope::api
