#include "api/search_query.h"

#include <algorithm>

#include "api/search_fold.h"
#include "api/sequence_id.h"
#include "proxy/base/text.h"

namespace gatescope::api {

namespace {

constexpr std::size_t kDigits = 6;

/// "A000040", "a40", "A00", "40".
SearchQuery::Ids parse_ids(std::string_view text) {
  SearchQuery::Ids ids;
  const bool letter = !text.empty() && to_lower(text[0]) == 'a';
  if (letter) text.remove_prefix(1);
  const auto number = text.size() <= kDigits ? parse_unsigned(text) : std::nullopt;
  if (!number || *number > SequenceId::kLargest) return ids;
  const auto value = static_cast<std::uint32_t>(*number);
  // With zeros in front somebody types all six digits: "A0000" is no A000000.
  if (text.size() == kDigits || text[0] != '0') ids.exact = value;
  if (!letter || text.size() == kDigits) return ids;
  std::uint32_t scale = 1;
  for (std::size_t i = text.size(); i < kDigits; ++i)
    scale *= 10;
  ids.first = value * scale;
  ids.last = ids.first + scale - 1;
  return ids;
}

}  // namespace

SearchQuery SearchQuery::parse(std::string_view term) {
  SearchQuery query;
  query.ids = parse_ids(trim(term));
  query.run = parse_terms(term);
  if (query.run) return query;
  WordReader reader(term);
  while (query.words.size() < kMaxWords && reader.next())
    query.words.push_back({reader.word(), false});
  if (!query.words.empty() && !reader.next() && reader.rest().empty())
    query.words.back().open = true;
  return query;
}

}  // namespace gatescope::api
