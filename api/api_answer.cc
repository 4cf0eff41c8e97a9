#include "api/api_answer.h"

#include <fmt/format.h>

#include <utility>

#include "proxy/base/arena.h"
#include "proxy/base/text.h"

namespace gatescope::api {

namespace {

constexpr std::string_view kPlain = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kNoStore = "no-store";
constexpr std::string_view kMethods = "GET, HEAD, OPTIONS";

http::ResponseHead head_of(int status, std::string_view type, std::string_view cache_control) {
  http::ResponseHead head;
  head.status = status;
  head.content_type = type;
  head.headers.add("Access-Control-Allow-Origin", "*");
  head.headers.add("X-Content-Type-Options", "nosniff");
  if (!cache_control.empty()) head.headers.add("Cache-Control", cache_control);
  return head;
}

std::string_view without_weakness(std::string_view tag) {
  return tag.starts_with("W/") ? tag.substr(2) : tag;
}

/// An answer that says when to come again, readable for scripts of other origins.
void send_later(http::ResponseWriter& writer, int status, unsigned seconds, std::string_view why) {
  auto head = head_of(status, kPlain, kNoStore);
  head.headers.add("Retry-After", writer.arena().copy(std::to_string(seconds)));
  head.headers.add("Access-Control-Expose-Headers", "Retry-After");
  writer.answer(std::move(head), SharedBytes::of_static(why));
}

}  // namespace

bool matches_etag(std::string_view field, std::string_view etag) {
  if (trim(field) == "*") return true;
  for (const auto tag : split(field, ','))  // ours hold no commas
    if (without_weakness(trim(tag)) == without_weakness(etag)) return true;
  return false;
}

void send_text(http::ResponseWriter& writer, int status, std::string_view content_type,
               std::string_view cache_control, SharedBytes body) {
  writer.answer(head_of(status, content_type, cache_control), std::move(body));
}

void send_refusal(http::ResponseWriter& writer, const Refusal& refusal) {
  send_text(writer, 200, kPlain, kNoStore, SharedBytes::copy_of(refusal.text));
}

void send_bad_request(http::ResponseWriter& writer, std::string_view why) {
  send_text(writer, 400, kPlain, kNoStore, SharedBytes::copy_of(why));
}

void send_unavailable(http::ResponseWriter& writer, const Unavailable& unavailable) {
  send_later(writer, 503, unavailable.retry_after,
             "The database cannot be reached just now. Try again in a few seconds.\n");
}

void send_too_many(http::ResponseWriter& writer, const TooMany& too_many) {
  send_later(writer, 429, too_many.retry_after,
             "Your address waits for too many sequences at the same time. Try again when some of "
             "them have come.\n");
}

void send_not_found(http::ResponseWriter& writer) {
  send_text(
      writer, 404, kJson, kNoStore,
      SharedBytes::of_static("{\"error\":\"There is no such endpoint; /api/ lists them.\"}\n"));
}

void send_method_not_allowed(http::ResponseWriter& writer) {
  auto head = head_of(405, kJson, kNoStore);
  head.headers.add("Allow", kMethods);
  writer.answer(std::move(head), SharedBytes::of_static("{\"error\":\"Only GET and HEAD.\"}\n"));
}

void send_preflight(http::ResponseWriter& writer) {
  auto head = head_of(204, {}, {});
  head.headers.add("Allow", kMethods);
  head.headers.add("Access-Control-Allow-Methods", kMethods);
  head.headers.add("Access-Control-Allow-Headers", "*");
  head.headers.add("Access-Control-Max-Age", "86400");
  writer.answer(std::move(head), {});
}

void send_sequence(const http::Request& request, http::ResponseWriter& writer,
                   const EncodedSequence& sequence, Count count) {
  auto head = head_of(200, kJson, kNoStore);
  head.headers.add("X-Sequence-Source", name_of(sequence.source()));
  head.headers.add("Access-Control-Expose-Headers", "X-Sequence-Source");
  if (sequence.complete()) {
    head.headers.set("Cache-Control", "public, max-age=300");
    head.etag = writer.arena().copy(sequence.etag(count));
    const auto known = request.head.headers.find("If-None-Match");
    if (known && matches_etag(*known, head.etag)) {
      head.status = 304;
      head.content_type = {};
      return writer.answer(std::move(head), {});
    }
  }
  const SharedBytes body = sequence.body(count);
  head.content_length = body.size() + EncodedSequence::kTail.size();
  writer.head(std::move(head));
  writer.write(body);
  writer.write(SharedBytes::of_static(EncodedSequence::kTail));
  writer.end();
}

}  // namespace gatescope::api
