#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/sequence_id.h"

namespace gatescope::api {

/// Numbers as text, any size, verbatim; one buffer and where each ends: 100,000 terms are two
/// allocations instead of 100,000.
class Terms {
 public:
  void reserve(std::size_t count, std::size_t bytes) {
    ends_.reserve(count);
    text_.reserve(bytes);
  }
  void add(std::string_view term) {
    text_ += term;
    ends_.push_back(text_.size());
  }
  std::size_t size() const { return ends_.size(); }
  bool empty() const { return ends_.empty(); }
  std::size_t bytes() const { return text_.size(); }
  std::string_view operator[](std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(text_).substr(begin, ends_[i] - begin);
  }
  /// "2,3,5"
  std::string listed() const {
    std::string out;
    out.reserve(text_.size() + ends_.size());
    for (std::size_t i = 0; i < size(); ++i)
      (out += i > 0 ? "," : "") += (*this)[i];
    return out;
  }
  bool operator==(const Terms&) const = default;

 private:
  std::string text_;
  std::vector<std::size_t> ends_;
};

/// Where terms came from: all of a b-file, or the first ones that an entry of oeisdata shows.
enum class Source { BFile, OeisData };
inline std::string_view name_of(Source source) {
  return source == Source::BFile ? "bfile" : "oeisdata";
}

/// A sequence as far as it is known. A value.
struct Sequence {
  SequenceId id;
  std::optional<std::string> name;  // the real one; a placeholder is no name
  std::int64_t shift = 0;           // index of the first term; may be negative
  Terms terms;
  Source source = Source::BFile;
  /// Only such terms are stored.
  bool has_all_terms() const { return source == Source::BFile && !terms.empty(); }
};

}  // namespace gatescope::api
