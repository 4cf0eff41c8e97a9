// nginx's range filter: 206 for a part or several of an answer whose handler allows it.

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>

#include "proxy/http/byte_ranges.h"
#include "proxy/http/content_filters.h"
#include "proxy/http/content_settings.h"
#include "proxy/http/exchange.h"

namespace gatescope::http {
namespace {

/// 20 digits: a body that foresees them could fake a part.
std::string random_boundary() {
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random) random = 0;
  return fmt::format("{:020}", random);
}

/// Cuts one part out of a whole body that passes.
class CutBody final : public BodyFilter {
 public:
  explicit CutBody(BytePart part) : part_(part) {}
  Result<void> pass(SharedBytes bytes, ByteQueue& out) override {
    const std::uint64_t begin = std::max(part_.first, at_);
    const std::uint64_t end = std::min(part_.first + part_.length, at_ + bytes.size());
    if (begin < end)
      out.append(bytes.slice(static_cast<std::size_t>(begin - at_),
                             static_cast<std::size_t>(end - begin)));
    at_ += bytes.size();
    return {};
  }
  Result<void> finish(ByteQueue&) override { return {}; }

 private:
  const BytePart part_;
  std::uint64_t at_ = 0;  // position of the next byte in the whole body
};

/// Puts the preludes of multipart/byteranges between parts that come one behind the other.
class FrameParts final : public BodyFilter {
 public:
  FrameParts(std::vector<BytePart> parts, MultipartFraming framing)
      : parts_(std::move(parts)), framing_(std::move(framing)) {}
  Result<void> pass(SharedBytes bytes, ByteQueue& out) override {
    while (!bytes.empty() && at_ < parts_.size()) {
      if (sent_ == 0) out.append_copy(framing_.preludes[at_]);
      const auto take = static_cast<std::size_t>(
          std::min<std::uint64_t>(bytes.size(), parts_[at_].length - sent_));
      out.append(bytes.slice(0, take));
      bytes.remove_prefix(take);
      sent_ += take;
      if (sent_ < parts_[at_].length) continue;
      ++at_;
      sent_ = 0;
    }
    return {};
  }
  Result<void> finish(ByteQueue& out) override {
    if (at_ == parts_.size()) out.append_copy(framing_.closing);
    return {};  // else the length does not fit, and the client sees a cut
  }

 private:
  const std::vector<BytePart> parts_;
  const MultipartFraming framing_;
  std::size_t at_ = 0;      // the part being sent
  std::uint64_t sent_ = 0;  // of it
};

class RangeFilter final : public HeadFilter {
 public:
  explicit RangeFilter(std::uint64_t max_ranges) : max_ranges_(max_ranges) {}
  FilterStage stage() const override { return FilterStage::Range; }

  void apply(Exchange& exchange, ResponseHead& head) const override {
    using Ranges = ResponseHead::Ranges;
    if (head.status != 200 || head.ranges == Ranges::None || !head.content_length) return;
    const std::uint64_t size = *head.content_length;
    // A handler that cannot seek sends the whole body past us: one part is all that can be cut.
    const bool single = head.ranges == Ranges::Single || !head.seekable;
    auto choice = choose_range(exchange.request(), validators_of(head), size,
                               single ? std::min<std::uint64_t>(max_ranges_, 1) : max_ranges_);
    switch (choice.kind) {
      case RangeChoice::Kind::Whole:
        if (head.tells_ranges && !head.headers.has("Accept-Ranges"))
          head.headers.add("Accept-Ranges", "bytes");
        return;
      case RangeChoice::Kind::Unsatisfiable:
        exchange.keep_field("Content-Range",
                            exchange.arena().copy(fmt::format("bytes */{}", size)));
        return exchange.replace_response(416);
      case RangeChoice::Kind::Parts:
        send_parts(exchange, head, std::move(choice.parts), size);
    }
  }

 private:
  static void send_parts(Exchange& exchange, ResponseHead& head, std::vector<BytePart> parts,
                         std::uint64_t size) {
    Arena& arena = exchange.arena();
    head.status = 206;
    head.headers.remove("Accept-Ranges");
    head.headers.remove("Content-Range");
    if (head.seekable) {
      auto* kept = static_cast<BytePart*>(
          arena.allocate(parts.size() * sizeof(BytePart), alignof(BytePart)));
      std::uninitialized_copy(parts.begin(), parts.end(), kept);
      exchange.set_parts({kept, parts.size()});
    } else {
      exchange.add_body_filter(std::make_unique<CutBody>(parts.front()));
    }
    if (parts.size() == 1) {
      head.content_length = parts.front().length;
      head.headers.add("Content-Range", arena.copy(content_range(parts.front(), size)));
      return;
    }
    auto framing = frame_parts(parts, size, head.content_type, random_boundary());
    head.content_type = arena.copy(framing.content_type);
    head.content_length = framing.length;
    exchange.add_body_filter(std::make_unique<FrameParts>(std::move(parts), std::move(framing)));
  }

  const std::uint64_t max_ranges_;
};

}  // namespace

std::unique_ptr<HeadFilter> make_range_filter(const conf::Scope& scope) {
  const auto limit = scope.get<ContentSettings>().max_ranges.get();
  return limit == 0 ? nullptr : std::make_unique<RangeFilter>(limit);
}

}  // namespace gatescope::http
