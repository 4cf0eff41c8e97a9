#include "api/encode.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "api/factoring.h"
#include "api/json_text.h"

namespace gatescope::api {

namespace {

constexpr std::size_t kAroundEntry = 26;  // `"index":"",` with the longest index

void append_name(std::string& out, SequenceId id, const std::optional<std::string>& name) {
  append_json_string(out, name ? *name : placeholder_name(id));
}

/// `"index":"text"`, with a comma before all but the first.
void append_entry(AnswerText& answer, std::int64_t shift, std::string_view text) {
  std::string& out = answer.text;
  const std::size_t i = answer.ends.size();
  // Added as unsigned: an index at the end of 64 bits wraps instead of being undefined.
  const auto index = static_cast<std::int64_t>(static_cast<std::uint64_t>(shift) + i);
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), index).ptr;
  if (i > 0) out += ',';
  out += '"';
  out.append(digits, end);
  out += R"(":")";
  append_json_text(out, text);  // rows of the old service may hold anything
  out += '"';
  answer.ends.push_back(out.size());
}

void append_tail(AnswerText& answer, std::string_view tail) {
  answer.text += tail;
  answer.tail = tail.size();
  answer.text.shrink_to_fit();
}

std::shared_ptr<const EncodedAnswer> done(AnswerText answer) {
  return std::make_shared<const EncodedAnswer>(std::move(answer));
}

}  // namespace

std::shared_ptr<const EncodedAnswer> encode_values(const Sequence& sequence) {
  const Terms& terms = sequence.terms;
  AnswerText answer{.key = {Topic::Values, sequence.id, {}},
                    .has_name = sequence.name.has_value(),
                    .final = sequence.name.has_value() && sequence.source == Source::BFile,
                    .known = terms.size(),
                    .source = sequence.source};
  answer.text.reserve(200 + terms.bytes() + kAroundEntry * terms.size());
  answer.ends.reserve(terms.size());
  answer.text += R"({"id":")" + sequence.id.text() + R"(","name":)";
  append_name(answer.text, sequence.id, sequence.name);
  answer.text += R"(,"values":{)";
  answer.head = answer.text.size();
  for (std::size_t i = 0; i < terms.size(); ++i)
    append_entry(answer, sequence.shift, terms[i]);
  append_tail(answer, "}}\n");
  return done(std::move(answer));
}

std::shared_ptr<const EncodedAnswer> encode_factors(std::shared_ptr<const Sequence> sequence,
                                                    const Terms& factors) {
  const std::size_t count = sequence->terms.size();
  AnswerText answer{.key = {Topic::Factors, sequence->id, {}},
                    .has_name = sequence->name.has_value(),
                    .final = sequence->name.has_value() && sequence->source == Source::BFile,
                    .source = sequence->source};
  answer.text.reserve(200 + factors.bytes() + (kAroundEntry + kNoFactorsYet.size()) * count);
  answer.ends.reserve(count);
  answer.text += R"({"factors":{)";
  answer.head = answer.text.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view text = i < factors.size() ? factors[i] : kNoFactorsYet;
    if (text != kNoFactorsYet && answer.known == i) ++answer.known;
    append_entry(answer, sequence->shift, text);
  }
  std::string tail = R"(},"id":")" + sequence->id.text() + R"(","name":)";
  append_name(tail, sequence->id, sequence->name);
  append_tail(answer, tail + "}\n");
  if (answer.known < count) answer.sequence = std::move(sequence);
  return done(std::move(answer));
}

std::shared_ptr<const EncodedAnswer> encode_metadata(SequenceId id, const Metadata& metadata,
                                                     bool whole) {
  AnswerText answer{.key = {Topic::Metadata, id, {}},
                    .has_name = metadata.name.has_value(),
                    .final = metadata.name.has_value() && whole};
  constexpr std::size_t kBackref = 10;  // `"A000040",`
  answer.text.reserve(200 + metadata.xrefs.size() + kBackref * metadata.backrefs.size());
  answer.text += R"({"backrefs":[)";
  for (const SequenceId other : metadata.backrefs) {
    if (answer.text.back() != '[') answer.text += ',';
    append_json_string(answer.text, other.text());
  }
  answer.text += R"(],"id":")" + id.text() + R"(","name":)";
  append_name(answer.text, id, metadata.name);
  answer.text += R"(,"xrefs":)";
  append_json_string(answer.text, metadata.xrefs);
  append_tail(answer, "}\n");
  return done(std::move(answer));
}

std::shared_ptr<const EncodedAnswer> encode_search(const std::string& term,
                                                   const std::vector<FoundSequence>& found,
                                                   bool final) {
  AnswerText answer{.key = {Topic::Search, SequenceId(0), term}, .has_name = true, .final = final};
  answer.text += R"({"results":[)";
  for (const auto& one : found) {
    if (answer.text.back() != '[') answer.text += ',';
    answer.text += "[\"" + one.id.text() + "\",";
    append_json_string(answer.text, one.name);
    answer.text += ']';
  }
  answer.text += R"(],"term":)";
  append_json_string(answer.text, term);
  append_tail(answer, "}\n");
  return done(std::move(answer));
}

}  // namespace gatescope::api
