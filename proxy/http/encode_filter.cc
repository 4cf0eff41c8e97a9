// gzip and brotli for any handler's answer, and gunzip for clients that do not take it.

#include "proxy/http/content_filters.h"
#include "proxy/http/encoding_settings.h"
#include "proxy/http/exchange.h"

namespace gatescope::http {
namespace {

class EncodeBody final : public BodyFilter {
 public:
  EncodeBody(std::unique_ptr<Encoder> encoder, Exchange& exchange)
      : encoder_(std::move(encoder)), exchange_(exchange) {}
  Result<void> pass(SharedBytes bytes, ByteQueue& out) override {
    exchange_.compressed().before += bytes.size();
    return count(out, [&] { return encoder_->write(bytes.text(), out); });
  }
  Result<void> flush(ByteQueue& out) override {
    return count(out, [&] { return encoder_->flush(out); });
  }
  Result<void> finish(ByteQueue& out) override {
    return count(out, [&] { return encoder_->finish(out); });
  }

 private:
  template <class Step>
  Result<void> count(const ByteQueue& out, Step step) {
    const auto before = out.size();
    auto done = step();
    exchange_.compressed().after += out.size() - before;
    return done;
  }

  const std::unique_ptr<Encoder> encoder_;
  Exchange& exchange_;  // it owns us
};

/// The body has another length and other bytes from now on.
void change_body(Exchange& exchange, ResponseHead& head) {
  head.content_length.reset();
  head.ranges = ResponseHead::Ranges::None;
  head.seekable = false;
  head.headers.remove("Accept-Ranges");
  weaken_etag(head, exchange.arena());
}

class EncodeFilter final : public HeadFilter {
 public:
  explicit EncodeFilter(const EncodingSettings& settings) : settings_(settings) {}
  FilterStage stage() const override { return FilterStage::Encode; }

  void apply(Exchange& exchange, ResponseHead& head) const override {
    if (head.status != 200 && head.status != 403 && head.status != 404) return;
    if (head.encoding_settled || head.headers.has("Content-Encoding")) return;
    if (!settings_.applies(head)) return;
    if (settings_.gzip_vary.get()) add_vary(head);
    const auto& request = exchange.request();
    const auto coding = settings_.choose(request, AcceptedEncodings(request.head.headers), head);
    if (coding == Coding::Identity) return;
    if (!request.is_head()) {
      auto options = settings_.encoder(coding);
      options.length = head.content_length;
      auto encoder = make_encoder(options);
      if (!encoder) return exchange.log(LogLevel::Error, encoder.error().detail);
      exchange.add_body_filter(std::make_unique<EncodeBody>(std::move(*encoder), exchange));
    }
    head.headers.add("Content-Encoding", name_of(coding));
    change_body(exchange, head);
  }

 private:
  const EncodingSettings& settings_;  // the scope's; it outlives the location
};

/// A small body may become a large one: it is decoded as the client takes it.
class GunzipBody final : public BodyFilter {
 public:
  Result<void> pass(SharedBytes bytes, ByteQueue& out) override {
    waiting_.append(std::move(bytes));
    return advance(out);
  }
  Result<void> advance(ByteQueue& out) override {
    if (rest_.empty() && !waiting_.empty()) rest_ = waiting_.pop_front();
    std::string plain;
    auto text = rest_.text();
    const auto before = text.size();
    auto decoded = decoder_.decode(text, kStep, plain);
    if (!decoded) return decoded;
    rest_.remove_prefix(before - text.size());
    full_ = plain.size() >= kStep;
    if (!plain.empty()) out.append(SharedBytes(std::move(plain)));
    return {};
  }
  bool backlog() const override { return full_ || !rest_.empty() || !waiting_.empty(); }
  Result<void> finish(ByteQueue&) override {
    if (decoder_.complete()) return {};
    return make_error(ErrorKind::Protocol, Origin::Upstream, "gzip ends in the middle");
  }

 private:
  static constexpr std::size_t kStep = 64 * 1024;
  GzipDecoder decoder_;
  ByteQueue waiting_;
  SharedBytes rest_;   // being decoded
  bool full_ = false;  // the decoder has more of what it took
};

class GunzipFilter final : public HeadFilter {
 public:
  explicit GunzipFilter(const EncodingSettings& settings) : settings_(settings) {}
  FilterStage stage() const override { return FilterStage::Gunzip; }

  void apply(Exchange& exchange, ResponseHead& head) const override {
    const auto coding = head.headers.find("Content-Encoding");
    if (!coding || !equals_ignoring_case(*coding, "gzip") || head.bodiless()) return;
    if (settings_.gzip_vary.get()) add_vary(head);
    const auto& request = exchange.request();
    if (AcceptedEncodings(request.head.headers).weight(Coding::Gzip) > 0 &&
        settings_.allows_gzip(request, head))
      return;
    head.headers.remove("Content-Encoding");
    change_body(exchange, head);
    if (!request.is_head()) exchange.add_body_filter(std::make_unique<GunzipBody>());
  }

 private:
  const EncodingSettings& settings_;
};

}  // namespace

std::unique_ptr<HeadFilter> make_encode_filter(const conf::Scope& scope) {
  const auto& settings = scope.get<EncodingSettings>();
  if (!settings.gzip.get() && !settings.brotli.get()) return nullptr;
  return std::make_unique<EncodeFilter>(settings);
}

std::unique_ptr<HeadFilter> make_gunzip_filter(const conf::Scope& scope) {
  const auto& settings = scope.get<EncodingSettings>();
  return settings.gunzip.get() ? std::make_unique<GunzipFilter>(settings) : nullptr;
}

}  // namespace gatescope::http
