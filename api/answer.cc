#include "api/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/answer_head.h"
#include "proxy/http/encoding.h"

namespace gatescope::api {

namespace {

// Measured on A000040 (148 kB): 48 kB in 5 ms, 36 kB in 3 ms. Higher levels gain 2 % and take
// several times as long.
constexpr int kGzipLevel = 6, kBrotliLevel = 5;
/// A cut below this is copied, tail and all: one piece is sent faster than two.
constexpr std::size_t kCopyCut = 64 * 1024;

/// FNV-1a, 64 bits: an ETag must notice changes, not attacks; the text is OEIS's, not a client's.
std::string hash_of(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (const char c : text)
    h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return fmt::format("{:016x}", h);
}

/// Of a sequence that is kept to make the rest from.
std::size_t size_of(const std::shared_ptr<const Sequence>& sequence) {
  if (!sequence) return 0;
  return sizeof(*sequence) + sequence->terms.bytes() + sequence->terms.size() * sizeof(std::size_t);
}

}  // namespace

EncodedAnswer::EncodedAnswer(AnswerText parts)
    : key_(std::move(parts.key)),
      text_(std::move(parts.text)),
      head_(parts.head),
      tail_(parts.tail),
      ends_(std::move(parts.ends)),
      has_name_(parts.has_name),
      final_(parts.final),
      known_(parts.known),
      source_(parts.source),
      sequence_(std::move(parts.sequence)),
      hash_(hash_of(text_.text())),
      bytes_(sizeof(*this) + key_.term.size() + text_.size() + ends_.size() * sizeof(std::size_t) +
             api::size_of(sequence_)) {}

std::size_t EncodedAnswer::size_of(std::size_t n) const {
  if (n >= ends_.size()) return text_.size();
  return (n == 0 ? head_ : ends_[n - 1]) + tail_;
}

std::string EncodedAnswer::text(std::size_t n) const {
  const std::size_t size = size_of(n);
  std::string out;
  out.reserve(size);
  out += text_.text().substr(0, size - tail_);
  out += text_.text().substr(text_.size() - tail_);
  return out;
}

bool EncodedAnswer::answers(const Question& question) const {
  if (question.real_name && !has_name_) return false;
  return question.key.topic != Topic::Factors || question.count.of(entries()) <= known_;
}

bool EncodedAnswer::same_as(const EncodedAnswer& other) const {
  return hash_ == other.hash_ && text_.size() == other.text_.size() && final_ == other.final_ &&
         known_ == other.known_ && has_name_ == other.has_name_ && source_ == other.source_;
}

std::shared_ptr<const AnswerForm> EncodedAnswer::find_form(std::size_t n,
                                                           http::Coding coding) const {
  n = std::min(n, entries());
  {
    const std::lock_guard lock(mutex_);
    const auto cut = std::find_if(cuts_.begin(), cuts_.end(),
                                  [n](const Cut& known) { return known.entries == n; });
    if (cut != cuts_.end()) {
      std::rotate(cuts_.begin(), cut, cut + 1);
      if (auto form = cuts_.front().forms[static_cast<std::size_t>(coding)]) return form;
    }
  }
  if (coding != http::Coding::Identity && size_of(n) > kCompressAtOnce) return nullptr;
  return make_form(n, coding);
}

std::shared_ptr<const AnswerForm> EncodedAnswer::make_form(std::size_t n,
                                                           http::Coding coding) const {
  n = std::min(n, entries());
  std::shared_ptr<const AnswerForm> form;
  if (coding != http::Coding::Identity && size_of(n) >= kLeastToCompress)
    form = make_compressed(n, coding);
  if (!form && coding != http::Coding::Identity) form = find_form(n, http::Coding::Identity);
  if (!form) form = make_plain(n);
  keep(n, coding, form);
  return form;
}

std::shared_ptr<const AnswerForm> EncodedAnswer::make_plain(std::size_t n) const {
  const std::size_t size = size_of(n);
  const auto etag = fmt::format("\"{}-{}\"", hash_, n);
  const auto head = describe(n, size, etag);
  if (n == entries()) return std::make_shared<const AnswerForm>(head, text_);
  if (size <= kCopyCut) return std::make_shared<const AnswerForm>(head, SharedBytes(text(n)));
  return std::make_shared<const AnswerForm>(head, text_.slice(0, size - tail_),
                                            text_.slice(text_.size() - tail_, tail_));
}

/// Null: no smaller.
std::shared_ptr<const AnswerForm> EncodedAnswer::make_compressed(std::size_t n,
                                                                 http::Coding coding) const {
  const std::string plain = text(n);
  auto encoded =
      http::encode_whole({.coding = coding,
                          .level = coding == http::Coding::Brotli ? kBrotliLevel : kGzipLevel,
                          .length = plain.size()},
                         plain);
  if (!encoded || encoded->size() >= plain.size()) return nullptr;
  encoded->shrink_to_fit();
  // A strong tag: its bytes are in it, since another version of the library may make others.
  const auto etag =
      fmt::format("\"{}-{}-{}-{:x}\"", hash_, n, http::name_of(coding), http::checksum(*encoded));
  auto head = describe(n, encoded->size(), etag);
  head.headers.add("Content-Encoding", http::name_of(coding));
  return std::make_shared<const AnswerForm>(head, SharedBytes(std::move(*encoded)));
}

/// The views are of literals, or live until the form has copied them.
http::ResponseHead EncodedAnswer::describe(std::size_t n, std::size_t length,
                                           std::string_view etag) const {
  const bool may_be_kept = complete(n);
  auto head = answer_head(200, kJson, may_be_kept ? "public, max-age=300" : kNoStore);
  head.content_length = length;
  if (may_be_kept) head.etag = etag;
  head.headers.add("Vary", "Accept-Encoding");
  if (source_) {
    head.headers.add("X-Sequence-Source", name_of(*source_));
    head.headers.add("Access-Control-Expose-Headers", "X-Sequence-Source");
  }
  head.encoding_settled = true;
  return head;
}

/// What the forms of one cut hold beyond text_.
std::size_t EncodedAnswer::cost_of(const Forms& forms) const {
  const auto& plain = forms[static_cast<std::size_t>(http::Coding::Identity)];
  std::size_t bytes = sizeof(Cut);
  for (const auto& form : forms) {
    if (!form || (form == plain && &form != &plain)) continue;
    bytes += form->overhead();
    const std::byte* const data = form->body().data();
    const bool ours = data >= text_.data() && data < text_.data() + text_.size();
    if (!ours) bytes += form->body().size();
  }
  return bytes;
}

void EncodedAnswer::keep(std::size_t n, http::Coding coding,
                         std::shared_ptr<const AnswerForm> form) const {
  const std::lock_guard lock(mutex_);
  auto cut = std::find_if(cuts_.begin(), cuts_.end(),
                          [n](const Cut& known) { return known.entries == n; });
  if (cut == cuts_.end()) {
    cut = cuts_.insert(cuts_.begin(), Cut{n, {}});
    if (cuts_.size() > kMaxCuts + 1) {
      // The last used long ago, but never the whole: everybody asks for that again.
      const auto victim = cuts_.back().entries == entries() ? cuts_.end() - 2 : cuts_.end() - 1;
      cuts_.erase(victim);
      cut = cuts_.begin();
    }
  }
  cut->forms[static_cast<std::size_t>(coding)] = std::move(form);
  std::size_t bytes = 0;
  for (const auto& kept : cuts_)
    bytes += cost_of(kept.forms);
  form_bytes_.store(bytes, std::memory_order_relaxed);
}

}  // namespace gatescope::api
