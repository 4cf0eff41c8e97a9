#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/answer_form.h"
#include "api/count.h"
#include "api/question.h"
#include "api/sequence.h"
#include "proxy/base/bytes.h"
#include "proxy/http/accept_encoding.h"

namespace gatescope::api {

/// What an encoder hands over: JSON text, where it may be cut, and what is known of it.
struct AnswerText {
  AnswerKey key;
  std::string text;                          // whole
  std::size_t head = 0;                      // bytes before the first entry
  std::vector<std::size_t> ends;             // of each entry; empty: it cannot be cut
  std::size_t tail = 0;                      // bytes behind the last entry
  bool has_name = false;                     // the real one
  bool final = false;                        // nothing of it but unknown entries will change soon
  std::size_t known = 0;                     // so many entries from the first on are known for good
  std::optional<Source> source;              // of the terms
  std::shared_ptr<const Sequence> sequence;  // that unknown entries are made of; null: all known
};

/// An answer, encoded once and whole; for COUNT n it is cut after its n-th entry. Immutable but for
/// the forms made of it as they are asked for, a bounded number; any thread. Shared by the cache
/// and by answers under way, hence always held by shared_ptr<const>.
class EncodedAnswer {
 public:
  /// Cuts of which forms are kept, beside the whole; the one not used for longest makes room.
  static constexpr std::size_t kMaxCuts = 8;
  /// Plain bytes below which compressing gains nothing: one packet carries the answer anyway.
  static constexpr std::size_t kLeastToCompress = 512;
  /// ... up to which it takes less than the way to a worker and back.
  static constexpr std::size_t kCompressAtOnce = 8 * 1024;

  explicit EncodedAnswer(AnswerText parts);

  const AnswerKey& key() const { return key_; }
  bool has_name() const { return has_name_; }
  std::optional<Source> source() const { return source_; }
  std::size_t entries() const { return ends_.size(); }
  std::size_t known() const { return known_; }
  bool final() const { return final_; }
  /// The first n entries, and all else, are what they will be: browsers may keep it.
  bool complete(std::size_t n) const { return final_ && n <= known_; }
  /// What unknown entries are made of; null: all are known.
  const std::shared_ptr<const Sequence>& sequence() const { return sequence_; }
  /// It has all that is asked for.
  bool answers(const Question& question) const;
  /// The JSON text for n entries; copies.
  std::string text(std::size_t n) const;
  std::string text() const { return text(entries()); }
  /// Memory held, forms included.
  std::size_t footprint() const { return bytes_ + form_bytes_.load(std::memory_order_relaxed); }
  /// A client cannot tell them apart.
  bool same_as(const EncodedAnswer& other) const;

  /// What goes out for n entries, made here when that takes next to no time. Null: make_form(), on
  /// a worker.
  std::shared_ptr<const AnswerForm> find_form(std::size_t n, http::Coding coding) const;
  /// Makes it and keeps it; the plain one if compressing gains nothing or fails.
  std::shared_ptr<const AnswerForm> make_form(std::size_t n, http::Coding coding) const;

 private:
  using Forms = std::array<std::shared_ptr<const AnswerForm>, http::kCodings>;
  struct Cut {
    std::size_t entries;
    Forms forms;
  };
  std::size_t size_of(std::size_t n) const;
  std::shared_ptr<const AnswerForm> make_plain(std::size_t n) const;
  std::shared_ptr<const AnswerForm> make_compressed(std::size_t n, http::Coding coding) const;
  http::ResponseHead describe(std::size_t n, std::size_t length, std::string_view etag) const;
  std::size_t cost_of(const Forms& forms) const;
  void keep(std::size_t n, http::Coding coding, std::shared_ptr<const AnswerForm> form) const;

  const AnswerKey key_;
  const SharedBytes text_;
  const std::size_t head_, tail_;
  const std::vector<std::size_t> ends_;
  const bool has_name_, final_;
  const std::size_t known_;
  const std::optional<Source> source_;
  const std::shared_ptr<const Sequence> sequence_;
  const std::string hash_;  // of all of text_
  const std::size_t bytes_;

  mutable std::mutex mutex_;       // guards what follows
  mutable std::vector<Cut> cuts_;  // last used first
  mutable std::atomic<std::size_t> form_bytes_{0};
};

}  // namespace gatescope::api
