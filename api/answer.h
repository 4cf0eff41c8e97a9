#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/count.h"
#include "api/sequence.h"
#include "proxy/base/bytes.h"

namespace gatescope::api {

/// `text` as JSON text between its quotes: all but printable ASCII as \uXXXX, above U+FFFF as two
/// surrogates; what is not UTF-8 as U+FFFD. The old service wrote so, and clients compare bytes.
void append_json_text(std::string& out, std::string_view text);
/// ... with the quotes.
void append_json_string(std::string& out, std::string_view text);

/// The answer about a sequence, encoded once: {"id":...,"name":...,"values":{...}} with all terms,
/// and where each term ends in it, so that an answer for COUNT n is a slice and a tail. Immutable;
/// shared by the cache, the answers under way and every loop, hence always held by
/// shared_ptr<const>.
class EncodedSequence {
 public:
  /// Pure; runs on a worker. With no name the placeholder stands in its place.
  static std::shared_ptr<const EncodedSequence> encode(const Sequence& sequence);

  SequenceId id() const { return id_; }
  Source source() const { return source_; }
  bool has_name() const { return has_name_; }  // the real one
  /// Everything is known and will not change soon: such an answer may be kept by browsers.
  bool complete() const { return has_name_ && source_ == Source::BFile; }
  std::size_t terms() const { return ends_.size(); }

  /// The answer's first part; kTail follows.
  SharedBytes body(Count count) const;
  static constexpr std::string_view kTail = "}}\n";
  /// With quotes; differs when anything of the answer differs.
  std::string etag(Count count) const;
  /// Memory held, for the cache.
  std::size_t footprint() const;

 private:
  explicit EncodedSequence(const Sequence& sequence)
      : id_(sequence.id), source_(sequence.source), has_name_(sequence.name.has_value()) {}

  SequenceId id_;
  Source source_;
  bool has_name_;
  SharedBytes text_;               // all but the tail
  std::size_t head_ = 0;           // bytes before the first term
  std::vector<std::size_t> ends_;  // of each term
  std::string hash_;               // of all of text_
};

}  // namespace gatescope::api
