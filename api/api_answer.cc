#include "api/api_answer.h"

#include <string>
#include <utility>

#include "api/answer_head.h"
#include "proxy/base/arena.h"

namespace gatescope::api {

namespace {

constexpr std::string_view kMethods = "GET, HEAD, OPTIONS";

void send_text(http::ResponseWriter& writer, int status, std::string_view type, SharedBytes body) {
  writer.answer(answer_head(status, type, kNoStore), std::move(body));
}

/// An answer that says when to come again, readable for scripts of other origins.
void send_later(http::ResponseWriter& writer, int status, unsigned seconds, std::string_view why) {
  auto head = answer_head(status, kPlain, kNoStore);
  head.headers.add("Retry-After", writer.arena().copy(std::to_string(seconds)));
  head.headers.add("Access-Control-Expose-Headers", "Retry-After");
  writer.answer(std::move(head), SharedBytes::of_static(why));
}

}  // namespace

http::ResponseHead answer_head(int status, std::string_view type, std::string_view cache_control) {
  http::ResponseHead head;
  head.status = status;
  head.content_type = type;
  head.headers.reserve(8);
  head.headers.add("Access-Control-Allow-Origin", "*");
  head.headers.add("X-Content-Type-Options", "nosniff");
  if (!cache_control.empty()) head.headers.add("Cache-Control", cache_control);
  head.caching_settled = true;
  return head;
}

void send_answer(http::ResponseWriter& writer, const Answer& answer) {
  if (const auto* form = std::get_if<std::shared_ptr<const AnswerForm>>(&answer))
    return AnswerForm::send(*form, writer);
  if (const auto* refusal = std::get_if<Refusal>(&answer)) return send_refusal(writer, *refusal);
  if (const auto* too_many = std::get_if<TooMany>(&answer)) {
    return send_later(writer, 429, too_many->retry_after,
                      "Your address waits for too many sequences at the same time. Try again when "
                      "some of them have come.\n");
  }
  send_later(writer, 503, std::get<Unavailable>(answer).retry_after,
             "This cannot be answered just now. Try again in a few seconds.\n");
}

void send_refusal(http::ResponseWriter& writer, const Refusal& refusal) {
  send_text(writer, 200, kPlain, SharedBytes::copy_of(refusal.text));
}

void send_bad_request(http::ResponseWriter& writer, std::string_view why) {
  send_text(writer, 400, kPlain, SharedBytes::copy_of(why));
}

void send_not_found(http::ResponseWriter& writer) {
  send_text(
      writer, 404, kJson,
      SharedBytes::of_static("{\"error\":\"There is no such endpoint; /api/ lists them.\"}\n"));
}

void send_method_not_allowed(http::ResponseWriter& writer) {
  auto head = answer_head(405, kJson, kNoStore);
  head.headers.add("Allow", kMethods);
  writer.answer(std::move(head), SharedBytes::of_static("{\"error\":\"Only GET and HEAD.\"}\n"));
}

void send_preflight(http::ResponseWriter& writer) {
  auto head = answer_head(204, {}, {});
  head.headers.add("Allow", kMethods);
  head.headers.add("Access-Control-Allow-Methods", kMethods);
  head.headers.add("Access-Control-Allow-Headers", "*");
  head.headers.add("Access-Control-Max-Age", "86400");
  writer.answer(std::move(head), {});
}

}  // namespace gatescope::api
