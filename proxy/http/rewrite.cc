#include "proxy/http/rewrite.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/base/text.h"
#include "proxy/http/exchange.h"

namespace gatescope::http {

namespace {

void take_names(Exchange& x, const std::vector<std::pair<conf::VariableId, unsigned>>& names) {
  for (const auto& [id, group] : names)
    x.set_value(id, x.captures().group(x.captures_subject(), group));
}

bool test_file(const std::string& path, Condition::Kind kind) {
  struct stat info {};
  const bool there = ::stat(path.c_str(), &info) == 0;
  switch (kind) {
    case Condition::Kind::File:
      return there && S_ISREG(info.st_mode);
    case Condition::Kind::NoFile:
      return !there || !S_ISREG(info.st_mode);
    case Condition::Kind::Directory:
      return there && S_ISDIR(info.st_mode);
    case Condition::Kind::NoDirectory:
      return !there || !S_ISDIR(info.st_mode);
    case Condition::Kind::Exists:
      return there;
    case Condition::Kind::ExistsNot:
      return !there;
    case Condition::Kind::Executable:
      return there && ::access(path.c_str(), X_OK) == 0;
    default:
      return !there || ::access(path.c_str(), X_OK) != 0;
  }
}

bool holds(Exchange& x, const Condition& c) {
  const auto left = c.left.evaluate(x, x.arena());
  switch (c.kind) {
    case Condition::Kind::Truth:
      return !left.empty() && left != "0";
    case Condition::Kind::Equals:
      return left == c.right;
    case Condition::Kind::Differs:
      return left != c.right;
    case Condition::Kind::Matches:
    case Condition::Kind::MatchesNot: {
      conf::Captures captures;
      const bool matched = c.regex->match(left, &captures);
      if (matched) {
        x.set_captures(std::move(captures), left);
        take_names(x, c.names);
      }
      return matched == (c.kind == Condition::Kind::Matches);
    }
    default:
      return test_file(std::string(left), c.kind);
  }
}

StepResult do_return(Exchange& x, const RewriteSettings::Return& r) {
  const bool redirects = (r.status >= 301 && r.status <= 303) || r.status == 307 || r.status == 308;
  if (redirects) {
    x.status(r.status, r.text ? r.text->evaluate(x, x.arena()) : std::string_view());
    return StepResult::Answered;
  }
  if (!r.text) {
    if (r.status >= 300 || r.status == 204) {
      x.status(r.status, {});
    } else {
      x.answer({.status = r.status, .content_type = x.default_type()}, {});
    }
    return StepResult::Answered;
  }
  ResponseHead head{.status = r.status};
  head.content_type = x.default_type();
  x.answer(std::move(head), SharedBytes::copy_of(r.text->evaluate(x, x.arena())));
  return StepResult::Answered;
}

StepResult do_rewrite(Exchange& x, const RewriteSettings::Rewrite& r) {
  using Flag = RewriteSettings::Rewrite::Flag;
  conf::Captures captures;
  const auto subject = x.request().path;
  if (!r.regex->match(subject, &captures)) return StepResult::Next;
  x.set_captures(std::move(captures), subject);
  take_names(x, r.names);
  auto target = r.replacement.evaluate(x, x.arena());
  const bool away = target.starts_with("http://") || target.starts_with("https://") ||
                    target.starts_with("$scheme");
  const bool drop_args = target.ends_with('?');  // a final '?' says: without the old arguments
  if (drop_args) target.remove_suffix(1);
  const auto question = target.find('?');
  auto path = target.substr(0, question);
  std::string_view args =
      question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
  if (!drop_args && !x.request().args.empty())
    args = args.empty() ? x.request().args : x.arena().join({args, "&", x.request().args});
  if (away || r.flag == Flag::Redirect || r.flag == Flag::Permanent) {
    const auto shown = away ? path : x.arena().copy(percent_encode_path(path));
    x.status(r.flag == Flag::Permanent ? 301 : 302,
             x.arena().join({shown, args.empty() ? "" : "?", args}));
    return StepResult::Answered;
  }
  x.set_uri(path, args);
  if (r.flag == Flag::Break) return StepResult::EndPhase;
  return r.flag == Flag::Last ? StepResult::Restart : StepResult::Next;
}

class RewriteStep final : public RequestStep {
 public:
  explicit RewriteStep(const conf::Scope& scope) : scope_(scope) {}
  StepResult run(Exchange& x) const override {
    const auto before = x.request().path;
    const auto result = run_ops(x, scope_);
    if (result != StepResult::Next) return result;
    // A rewrite without a flag: the rest of the level ran, then the location is looked for again
    return x.request().path.data() == before.data() && x.request().path.size() == before.size()
               ? StepResult::Next
               : StepResult::Restart;
  }

 private:
  static StepResult run_ops(Exchange& x, const conf::Scope& scope) {
    for (const auto& op : scope.get<RewriteSettings>().ops) {
      StepResult result = StepResult::Next;
      if (const auto* r = std::get_if<RewriteSettings::Return>(&op)) {
        result = do_return(x, *r);
      } else if (const auto* s = std::get_if<RewriteSettings::Set>(&op)) {
        x.set_value(s->variable, x.arena().copy(s->value.evaluate(x, x.arena())));
      } else if (const auto* w = std::get_if<RewriteSettings::Rewrite>(&op)) {
        result = do_rewrite(x, *w);
      } else if (const auto* i = std::get_if<RewriteSettings::If>(&op)) {
        if (holds(x, i->condition)) result = run_ops(x, *i->scope);
      } else {
        result = StepResult::EndPhase;
      }
      if (result != StepResult::Next) return result;
    }
    return StepResult::Next;
  }
  const conf::Scope& scope_;
};

}  // namespace

std::unique_ptr<RequestStep> make_rewrite_step(const conf::Scope& scope) {
  if (scope.get<RewriteSettings>().ops.empty()) return nullptr;
  return std::make_unique<RewriteStep>(scope);
}

}  // namespace gatescope::http
