#include "api/seq_file.h"

#include <algorithm>

#include "api/bfile.h"
#include "api/mentions.h"
#include "api/utf8.h"
#include "proxy/base/text.h"

namespace gatescope::api {

namespace {

Error malformed(SequenceId id, std::string_view what) {
  return make_error(ErrorKind::Protocol, Origin::Internal,
                    "the oeisdata file of " + id.text() + " " + std::string(what));
}

/// Terms of one %S, %T or %U line: "1,1,2," with a comma at the end when another line follows.
bool add_terms(std::string_view list, Terms& terms) {
  for (std::string_view term : split(list, ',')) {
    term = trim(term);
    if (term.empty()) continue;
    if (!is_integer(term)) return false;
    terms.add(term);
  }
  return true;
}

}  // namespace

Sequence SeqEntry::first_terms() const {
  Sequence sequence{.id = id, .shift = offset, .terms = terms, .source = Source::OeisData};
  if (!name.empty()) sequence.name = name;
  return sequence;
}

unsigned SeqEntry::flags() const {
  unsigned flags = 0;
  for (const auto& word : keywords) {
    if (word == "core") flags |= kCore;
    if (word == "nice") flags |= kNice;
    if (word == "dead") flags |= kDead;
  }
  return flags;
}

Result<SeqEntry> parse_seq_file(SequenceId id, std::string_view text) {
  // Cannot be stored, and would cut a name short where it passes as a C string.
  if (text.find('\0') != std::string_view::npos) return malformed(id, "has a NUL in it");
  SeqEntry entry{.id = id, .mentions = find_mentions(text, id)};
  const std::string wanted = id.text();
  bool begun = false;
  bool named = false;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() < 3 || line[0] != '%') continue;  // a licence notice, an empty line
    if (line.substr(3, 7) != wanted) return malformed(id, "speaks of another sequence");
    const std::string_view rest = line.size() > 11 ? line.substr(11) : std::string_view();
    switch (line[1]) {
      case 'I':
        begun = true;
        break;
      case 'S':
      case 'T':
      case 'U':
        if (!add_terms(rest, entry.terms)) return malformed(id, "has a term that is no number");
        break;
      case 'N':
        if (!named) entry.name = valid_utf8(trim(rest));
        named = true;
        break;
      case 'O': {
        const auto offset = parse_signed(trim(rest.substr(0, rest.find(','))));
        if (!offset) return malformed(id, "has an offset that is no number");
        entry.offset = *offset;
        break;
      }
      case 'Y':
        if (!entry.xrefs.empty()) entry.xrefs += '\n';
        entry.xrefs += valid_utf8(rest);
        break;
      case 'K':
        for (const auto word : split(trim(rest), ','))
          if (!word.empty()) entry.keywords.emplace_back(word);
        break;
      default:
        break;
    }
  }
  if (!begun) return malformed(id, "has no %I line");
  return entry;
}

}  // namespace gatescope::api
