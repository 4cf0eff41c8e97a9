#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "api/count.h"
#include "api/sequence_id.h"
#include "proxy/http/accept_encoding.h"

namespace gatescope::api {

/// What an answer is about.
enum class Topic : std::uint8_t { Values, Metadata, Factors, Search };

/// What an answer is obtained once for, and kept by. A value.
struct AnswerKey {
  Topic topic = Topic::Values;
  SequenceId id{0};  // of all but Search
  std::string term;  // of Search, decoded
  bool operator==(const AnswerKey&) const = default;
};

/// What a client asks for. A value; it goes from loop to loop.
struct Question {
  AnswerKey key;
  Count count = Count::all();                    // of terms or factors
  bool real_name = false;                        // a placeholder will not do
  http::Coding coding = http::Coding::Identity;  // what the client likes best of ours
};

}  // namespace gatescope::api

template <>
struct std::hash<gatescope::api::AnswerKey> {
  std::size_t operator()(const gatescope::api::AnswerKey& key) const noexcept {
    const std::size_t term = key.term.empty() ? 0 : std::hash<std::string>()(key.term);
    return term ^ (key.id.number() * std::size_t{4} + static_cast<std::size_t>(key.topic));
  }
};
