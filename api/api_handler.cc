#include "api/api_handler.h"

#include <array>
#include <utility>
#include <variant>

#include "api/answer_head.h"
#include "api/api_answer.h"
#include "api/api_pages.h"
#include "api/json_text.h"
#include "api/search_term.h"

namespace gatescope::api {

namespace {

/// The best that we make and the client takes.
http::Coding coding_for(const http::Request& request) {
  const http::AcceptedEncodings accepted(request.head.headers);
  const bool gzip = accepted.takes(http::Coding::Gzip);
  if (accepted.takes(http::Coding::Brotli) &&
      (!gzip || accepted.weight(http::Coding::Brotli) >= accepted.weight(http::Coding::Gzip)))
    return http::Coding::Brotli;
  return gzip ? http::Coding::Gzip : http::Coding::Identity;
}

/// Whose requests are counted together: an address; behind a unix socket there are many clients
/// that cannot be told apart.
std::string client_of(const http::Request& request) {
  if (request.connection == nullptr || request.connection->client_address == "unix:") return {};
  return request.connection->client_address;
}

/// A client that waits. Owned by its exchange; destroying it is all it takes when the client
/// leaves.
class AnswerResponder final : public http::Responder, private AnswerWaiter {
 public:
  explicit AnswerResponder(http::ResponseWriter& writer) : writer_(writer) {}
  void ask(Sequences& sequences, const Question& question, const std::string& client) {
    asked_ = sequences.ask(question, client, *this);
  }

 private:
  // The exchange may drop this inside.
  void on_answer(const Answer& answer) override { send_answer(writer_, answer); }

  http::ResponseWriter& writer_;
  std::unique_ptr<Sequences::Request> asked_;
};

std::string commit_answer(std::string_view commit) {
  std::string out = R"({"short_commit_hash":)";
  append_json_string(out, commit);
  return out + "}\n";
}

/// "/a/b/c" in its parts; at most three, none of them empty. Anything else: no parts.
using Parts = std::array<std::string_view, 3>;
std::size_t take_apart(std::string_view path, Parts& parts) {
  std::size_t n = 0;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = path.find('/');
    if (n == parts.size() || path.empty() || end == 0) return 0;
    parts[n++] = path.substr(0, end);
    path = end == std::string_view::npos ? std::string_view() : path.substr(end);
  }
  return n;
}

struct BadRequest {
  std::string_view why;
};
/// What is asked of sequences, or why that cannot be answered; nothing: it is another endpoint.
using Parsed = std::variant<std::monostate, Question, Refusal, BadRequest>;

/// `path`: behind the prefix.
Parsed parse_question(std::string_view path) {
  Parts parts;
  const std::size_t n = take_apart(path, parts);
  if (n < 2) return {};
  Question question;
  if (parts[0] == "get_oeis_name_and_values" && n == 2) {
    question.real_name = true;
  } else if (parts[0] == "get_oeis_metadata" && n == 2) {
    question.key.topic = Topic::Metadata;
  } else if (n == 3 && (parts[0] == "get_oeis_values" || parts[0] == "get_oeis_factors")) {
    if (parts[0] == "get_oeis_factors") question.key.topic = Topic::Factors;
    const auto count = Count::parse(parts[2]);
    if (!count) return BadRequest{kCountRefusal};
    question.count = *count;
  } else {
    return {};
  }
  const auto id = SequenceId::parse(parts[1]);
  if (!id) return Refusal{refusal_of_id(parts[1])};
  question.key.id = *id;
  return question;
}

Parsed parse_search(SearchTerm term) {
  if (!term.bad_because.empty()) return BadRequest{term.bad_because};
  return Question{.key = {Topic::Search, SequenceId(0), std::move(term.text)}};
}

/// The description speaks of the prefix that it stands below.
std::string with_prefix(std::string_view text, const std::string& prefix) {
  constexpr std::string_view kPlaceholder = "@PREFIX@";
  std::string out(text);
  for (std::size_t at; (at = out.find(kPlaceholder)) != std::string::npos;)
    out.replace(at, kPlaceholder.size(), prefix);
  return out;
}

}  // namespace

ApiHandler::ApiHandler(SequencesByLoop& sequences, std::string prefix, std::string_view commit)
    : sequences_(sequences),
      prefix_(std::move(prefix)),
      search_(prefix_ + "/search_oeis"),
      commit_(kJson, commit_answer(commit)),
      page_("text/html; charset=utf-8", with_prefix(kApiPage, prefix_)),
      description_(kJson, with_prefix(kApiDescription, prefix_)) {}

std::unique_ptr<http::Responder> ApiHandler::start(const http::Request& request,
                                                   http::ResponseWriter& writer) const {
  std::string_view path = request.path;
  // A location "/api" takes "/apix" too, as in nginx.
  const bool below =
      path.starts_with(prefix_) && (path.size() == prefix_.size() || path[prefix_.size()] == '/');
  if (!below) {
    send_not_found(writer);
  } else if (request.head.method == "OPTIONS") {
    send_preflight(writer);
  } else if (!request.is_get_or_head()) {
    send_method_not_allowed(writer);
  } else {
    return answer(request, writer, path.substr(prefix_.size()));
  }
  return nullptr;
}

std::unique_ptr<http::Responder> ApiHandler::answer(const http::Request& request,
                                                    http::ResponseWriter& writer,
                                                    std::string_view path) const {
  const http::Coding coding = coding_for(request);
  auto term = search_term(request, search_, writer.arena());
  auto parsed = term ? parse_search(*std::move(term)) : parse_question(path);
  if (auto* question = std::get_if<Question>(&parsed)) {
    question->coding = coding;
    return ask(request, writer, *question);
  }
  if (const auto* refusal = std::get_if<Refusal>(&parsed))
    send_refusal(writer, *refusal);
  else if (const auto* bad = std::get_if<BadRequest>(&parsed))
    send_bad_request(writer, bad->why);
  else if (path.empty() || path == "/")
    page_.send(coding, writer);
  else if (path == "/get_commit")
    commit_.send(coding, writer);
  else if (path == "/openapi.json")
    description_.send(coding, writer);
  else
    send_not_found(writer);
  return nullptr;
}

std::unique_ptr<http::Responder> ApiHandler::ask(const http::Request& request,
                                                 http::ResponseWriter& writer,
                                                 const Question& question) const {
  auto& sequences = sequences_.on(writer.loop());
  if (const auto known = sequences.find(question)) {
    send_answer(writer, *known);
    return nullptr;
  }
  auto responder = std::make_unique<AnswerResponder>(writer);
  responder->ask(sequences, question, client_of(request));
  return responder;
}

}  // namespace gatescope::api
