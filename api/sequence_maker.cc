#include "api/sequence_maker.h"

#include <utility>

#include "api/encode.h"
#include "api/oeis_record.h"

namespace gatescope::api {

MadeSequence make_sequence(Ingredients ingredients) {
  MadeSequence made;
  if (auto* bfile = std::get_if<std::string>(&ingredients.terms)) {
    auto parsed = parse_bfile(ingredients.id, *bfile);
    if (auto* refusal = std::get_if<Refusal>(&parsed)) {
      made.refusal = std::move(refusal->text);
      return made;
    }
    made.sequence = std::make_shared<const Sequence>(std::get<Sequence>(std::move(parsed)));
  } else {
    made.sequence = std::get<1>(std::move(ingredients.terms));
  }
  if (!made.sequence->name) {
    auto name = std::move(ingredients.name);
    if (!name && ingredients.record) name = name_in_search(ingredients.id, *ingredients.record);
    if (name) {
      Sequence named = *made.sequence;
      named.name = std::move(name);
      made.sequence = std::make_shared<const Sequence>(std::move(named));
    }
  }
  made.encoded = encode_values(*made.sequence);
  return made;
}

}  // namespace gatescope::api
