#pragma once

// From what is known to JSON text: compact, keys sorted, ASCII, one newline at the end, as the old
// service wrote it. Pure; for a worker where the input may be large.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/answer.h"
#include "api/metadata.h"
#include "api/search.h"
#include "api/sequence.h"

namespace gatescope::api {

/// {"id":...,"name":...,"values":{...}}; with no name the placeholder stands in its place.
std::shared_ptr<const EncodedAnswer> encode_values(const Sequence& sequence);
/// {"factors":{...},"id":...,"name":...}. `factors` may be shorter than the terms: the others are
/// not known yet.
std::shared_ptr<const EncodedAnswer> encode_factors(std::shared_ptr<const Sequence> sequence,
                                                    const Terms& factors);
/// {"backrefs":[...],"id":...,"name":...,"xrefs":...}. `whole`: the references are all there are.
std::shared_ptr<const EncodedAnswer> encode_metadata(SequenceId id, const Metadata& metadata,
                                                     bool whole);
/// {"results":[[id,name],...],"term":...}. Not `final`: a better answer may come at any time.
std::shared_ptr<const EncodedAnswer> encode_search(const std::string& term,
                                                   const std::vector<FoundSequence>& found,
                                                   bool final = true);

}  // namespace gatescope::api
