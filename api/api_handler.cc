#include "api/api_handler.h"

#include <utility>
#include <vector>

#include "api/api_answer.h"
#include "api/api_pages.h"
#include "proxy/base/text.h"

namespace gatescope::api {

namespace {

constexpr std::string_view kJson = "application/json";
// Says nothing of sequences and changes with each release: asked for again, but cheap.
constexpr std::string_view kAskAgain = "no-cache";

void send(const http::Request& request, http::ResponseWriter& writer, Count count,
          const SequenceAnswer& answer) {
  if (const auto* encoded = std::get_if<std::shared_ptr<const EncodedSequence>>(&answer))
    return send_sequence(request, writer, **encoded, count);
  if (const auto* refusal = std::get_if<Refusal>(&answer)) return send_refusal(writer, *refusal);
  if (const auto* too_many = std::get_if<TooMany>(&answer)) return send_too_many(writer, *too_many);
  send_unavailable(writer, std::get<Unavailable>(answer));
}

/// Whose requests are counted together: an address; behind a unix socket there are many clients
/// that cannot be told apart.
std::string client_of(const http::Request& request) {
  if (request.connection == nullptr || request.connection->client_address == "unix:") return {};
  return request.connection->client_address;
}

/// A client that waits for a sequence. Owned by its exchange; destroying it is all it takes when
/// the client leaves.
class SequenceResponder final : public http::Responder, private SequenceWaiter {
 public:
  SequenceResponder(const http::Request& request, http::ResponseWriter& writer, Count count)
      : request_(request), writer_(writer), count_(count) {}
  void ask(Sequences& sequences, SequenceId id, Need need) {
    asked_ = sequences.ask(id, need, client_of(request_), *this);
  }

 private:
  // The exchange may drop this inside.
  void on_sequence(const SequenceAnswer& answer) override {
    send(request_, writer_, count_, answer);
  }

  const http::Request& request_;
  http::ResponseWriter& writer_;
  const Count count_;
  std::unique_ptr<Sequences::Request> asked_;
};

std::string commit_answer(std::string_view commit) {
  std::string out = R"({"short_commit_hash":)";
  append_json_string(out, commit);
  return out + "}\n";
}

}  // namespace

ApiHandler::ApiHandler(SequencesByLoop& sequences, std::string prefix, std::string commit)
    : sequences_(sequences), prefix_(std::move(prefix)), commit_answer_(commit_answer(commit)) {}

std::unique_ptr<http::Responder> ApiHandler::start(const http::Request& request,
                                                   http::ResponseWriter& writer) const {
  std::string_view path = request.path;
  // A location "/api" takes "/apix" too, as in nginx.
  const bool below =
      path.starts_with(prefix_) && (path.size() == prefix_.size() || path[prefix_.size()] == '/');
  if (!below) {
    send_not_found(writer);
    return nullptr;
  }
  path.remove_prefix(prefix_.size());
  if (request.head.method == "OPTIONS") {
    send_preflight(writer);
    return nullptr;
  }
  if (!request.is_get_or_head()) {
    send_method_not_allowed(writer);
    return nullptr;
  }
  if (path.empty() || path == "/") {
    send_text(writer, 200, "text/html; charset=utf-8", kAskAgain, SharedBytes::of_static(kApiPage));
    return nullptr;
  }
  const auto parts = split(path.substr(1), '/');
  const std::string_view endpoint = parts[0];
  if (endpoint == "get_oeis_values" && parts.size() == 3 && !parts[1].empty() &&
      !parts[2].empty()) {
    if (const auto count = Count::parse(parts[2]))
      return answer_sequence(request, writer, parts[1], *count, Need::Terms);
    send_bad_request(writer, kCountRefusal);
  } else if (endpoint == "get_oeis_name_and_values" && parts.size() == 2 && !parts[1].empty()) {
    return answer_sequence(request, writer, parts[1], Count::all(), Need::TermsAndName);
  } else if (path == "/get_commit") {
    send_text(writer, 200, kJson, kAskAgain, SharedBytes::copy_of(commit_answer_));
  } else if (path == "/openapi.json") {
    send_text(writer, 200, kJson, kAskAgain, SharedBytes::of_static(kApiDescription));
  } else {
    send_not_found(writer);
  }
  return nullptr;
}

std::unique_ptr<http::Responder> ApiHandler::answer_sequence(const http::Request& request,
                                                             http::ResponseWriter& writer,
                                                             std::string_view id_text, Count count,
                                                             Need need) const {
  const auto id = SequenceId::parse(id_text);
  if (!id) {
    send_refusal(writer, {refusal_of_id(id_text)});
    return nullptr;
  }
  auto& sequences = sequences_.on(writer.loop());
  if (const auto known = sequences.find(*id, need)) {
    send(request, writer, count, *known);
    return nullptr;
  }
  auto responder = std::make_unique<SequenceResponder>(request, writer, count);
  responder->ask(sequences, *id, need);
  return responder;
}

}  // namespace gatescope::api
