#include "proxy/ops/status_page.h"

#include <fmt/format.h>

#include "certs/encoding.h"
#include "proxy/base/text.h"
#include "proxy/ops/shown_text.h"

namespace gatescope::ops {

namespace {

std::string replaced(std::string_view text, std::string_view mark, std::string_view by) {
  const auto at = text.find(mark);
  if (at == std::string_view::npos) return std::string(text);
  std::string result(text.substr(0, at));
  result += by;
  return result += text.substr(at + mark.size());
}

std::string hash_of(std::string_view text) {
  return "'sha256-" + tls::base64_encode(tls::sha256_of(text)) + "'";
}

std::optional<std::string_view> argument(std::string_view args, std::string_view name) {
  while (!args.empty()) {
    const auto end = args.find('&');
    const auto one = args.substr(0, end);
    args = end == std::string_view::npos ? std::string_view() : args.substr(end + 1);
    const auto equals = one.find('=');
    if (one.substr(0, equals) == name)
      return equals == std::string_view::npos ? std::string_view() : one.substr(equals + 1);
  }
  return std::nullopt;
}

std::uint64_t number_of(std::string_view args, std::string_view name) {
  return parse_unsigned(argument(args, name).value_or("")).value_or(0);
}

class StatusPage final : public http::Handler {
 public:
  explicit StatusPage(const StatusReport& report)
      : report_(report),
        page_(replaced(replaced(StatusPageText::html(), "{{style}}", StatusPageText::css()),
                       "{{script}}", StatusPageText::script())),
        policy_(fmt::format("default-src 'none'; style-src {}; script-src {}; connect-src 'self'; "
                            "img-src data:; base-uri 'none'; form-action 'none'; "
                            "frame-ancestors 'none'",
                            hash_of(StatusPageText::css()), hash_of(StatusPageText::script()))) {}

  http::HandlerKind kind() const override { return http::HandlerKind::Ops; }
  std::unique_ptr<http::Responder> start(const http::Request& request,
                                         http::ResponseWriter& writer) const override {
    if (!may_be_shown(request, writer)) return nullptr;
    if (argument(request.args, "json")) {
      show_text(writer, 200, "application/json",
                report_.json_with_history(number_of(request.args, "seconds"),
                                          number_of(request.args, "minutes")));
      return nullptr;
    }
    http::ResponseHead head;
    head.content_type = "text/html; charset=utf-8";
    head.content_length = page_.size();
    head.headers.add("Cache-Control", "no-store");
    head.headers.add("Content-Security-Policy", policy_);
    head.headers.add("X-Content-Type-Options", "nosniff");
    head.headers.add("Referrer-Policy", "no-referrer");
    head.conditional = false;
    head.caching_settled = true;
    writer.answer(std::move(head), page_);
    return nullptr;
  }

 private:
  const StatusReport& report_;
  const SharedBytes page_;
  const std::string policy_;
};

}  // namespace

std::unique_ptr<http::Handler> make_status_page(const StatusReport& report) {
  return std::make_unique<StatusPage>(report);
}

}  // namespace gatescope::ops
