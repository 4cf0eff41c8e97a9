#include "api/fixed_answer.h"

#include <fmt/format.h>

#include <utility>

#include "api/answer_head.h"
#include "proxy/http/encoding.h"

namespace gatescope::api {

namespace {

constexpr std::size_t kLeastToCompress = 512;   // below, one packet carries it anyway
constexpr int kBestGzip = 9, kBestBrotli = 11;  // once, when a configuration is loaded

}  // namespace

FixedAnswer::FixedAnswer(std::string_view content_type, std::string text) {
  const SharedBytes plain(std::move(text));
  const auto form_of = [&](http::Coding coding, SharedBytes body) {
    // It changes with each release: asked for again, but cheap.
    auto head = answer_head(200, content_type, "no-cache");
    const std::string etag = fmt::format("\"{:x}-{:x}\"", http::checksum(body.text()), body.size());
    head.content_length = body.size();
    head.etag = etag;
    head.headers.add("Vary", "Accept-Encoding");
    if (coding != http::Coding::Identity)
      head.headers.add("Content-Encoding", http::name_of(coding));
    head.encoding_settled = true;
    return std::make_shared<const AnswerForm>(head, std::move(body));
  };
  forms_.fill(form_of(http::Coding::Identity, plain));
  if (plain.size() < kLeastToCompress) return;
  for (const auto& [coding, level] :
       {std::pair(http::Coding::Gzip, kBestGzip), std::pair(http::Coding::Brotli, kBestBrotli)}) {
    auto encoded = http::encode_whole({.coding = coding, .level = level, .length = plain.size()},
                                      plain.text());
    if (encoded)
      forms_[static_cast<std::size_t>(coding)] = form_of(coding, SharedBytes(std::move(*encoded)));
  }
}

void FixedAnswer::send(http::Coding coding, http::ResponseWriter& writer) const {
  AnswerForm::send(forms_[static_cast<std::size_t>(coding)], writer);
}

}  // namespace gatescope::api
