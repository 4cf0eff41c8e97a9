#include "proxy/http/rewrite.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <unordered_map>

#include "proxy/base/text.h"
#include "proxy/http/exchange.h"

namespace gatescope::http {

namespace {

void take_names(Exchange& x, const std::vector<std::pair<conf::VariableId, unsigned>>& names) {
  for (const auto& [id, group] : names)
    x.set_value(id, x.captures().group(x.captures_subject(), group));
}

bool test_file(Exchange& x, const std::string& path, Condition::Kind kind) {
  using Kind = Condition::Kind;
  struct stat info {};
  const bool there = ::stat(path.c_str(), &info) == 0;
  if (!there && errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG)
    x.log(LogLevel::Crit, system_error(errno, fmt::format("stat() \"{}\"", path)).detail);
  switch (kind) {
    case Kind::File:
    case Kind::NoFile:
      return (there && S_ISREG(info.st_mode)) == (kind == Kind::File);
    case Kind::Directory:
    case Kind::NoDirectory:
      return (there && S_ISDIR(info.st_mode)) == (kind == Kind::Directory);
    case Kind::Exists:
    case Kind::ExistsNot:
      return there == (kind == Kind::Exists);
    default:  // as nginx: the owner's bit, a folder's too
      return (there && (info.st_mode & S_IXUSR)) == (kind == Kind::Executable);
  }
}

/// Matches, and keeps groups and names; on a mismatch $1 and its like are empty, as in nginx.
conf::Regex::Verdict match(Exchange& x, const conf::Regex& regex, std::string_view subject,
                           const std::vector<std::pair<conf::VariableId, unsigned>>& names) {
  conf::Captures captures;
  const auto verdict = regex.try_match(subject, &captures);
  const bool matched = verdict == conf::Regex::Verdict::Match;
  if (verdict == conf::Regex::Verdict::GaveUp) {
    x.log(LogLevel::Error,
          fmt::format("\"{}\" gave up on \"{}\": too many steps", regex.pattern(), subject));
    return verdict;
  }
  if (x.core().rewrite_log.get())
    x.log(LogLevel::Notice, fmt::format("\"{}\" {} \"{}\"", regex.pattern(),
                                        matched ? "matches" : "does not match", subject));
  x.set_captures(matched ? std::move(captures) : conf::Captures(), subject);
  if (matched) take_names(x, names);
  return verdict;
}

/// nullopt: nobody knows, and 500 is to be answered.
std::optional<bool> holds(Exchange& x, const Condition& c) {
  const auto left = c.left.evaluate(x, x.arena());
  switch (c.kind) {
    case Condition::Kind::Truth:
      return !left.empty() && left != "0";
    case Condition::Kind::Equals:
      return left == c.right.evaluate(x, x.arena());
    case Condition::Kind::Differs:
      return left != c.right.evaluate(x, x.arena());
    case Condition::Kind::Matches:
    case Condition::Kind::MatchesNot: {
      const auto verdict = match(x, *c.regex, left, c.names);
      if (verdict == conf::Regex::Verdict::GaveUp) return std::nullopt;
      return (verdict == conf::Regex::Verdict::Match) == (c.kind == Condition::Kind::Matches);
    }
    default:
      return test_file(x, std::string(left), c.kind);
  }
}

StepResult do_return(Exchange& x, const RewriteSettings::Return& r) {
  x.set_returning(r.status);  // its text may say it
  const bool redirects = (r.status >= 301 && r.status <= 303) || r.status == 307 || r.status == 308;
  if (redirects) {
    x.status(r.status, r.text ? r.text->evaluate(x, x.arena()) : std::string_view());
    return StepResult::Answered;
  }
  if (!r.text && r.status >= 400) {
    x.status(r.status, {});
    return StepResult::Answered;
  }
  ResponseHead head{.status = r.status};
  if (r.status == 204) {
    head.content_length = 0;  // shown when an error's status takes its place
  } else {
    head.content_type = x.default_type();
  }
  x.answer(std::move(head),
           r.text ? SharedBytes::copy_of(r.text->evaluate(x, x.arena())) : SharedBytes());
  return StepResult::Answered;
}

/// As nginx (from 1.21.1) escapes what is put into a query.
bool is_argument_char(unsigned char c) {
  return c > ' ' && c < 0x7f &&
         std::string_view("\"#%&+;<>?\\^`{|}").find(static_cast<char>(c)) == std::string_view::npos;
}

std::string_view escape(Exchange& x, std::string_view text, bool (*stays)(unsigned char)) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::size_t more = 0;
  for (const char c : text)
    if (!stays(static_cast<unsigned char>(c))) more += 2;
  if (more == 0) return text;
  char* const begin = x.arena().text(text.size() + more);
  char* out = begin;
  for (const char ch : text) {
    const auto c = static_cast<unsigned char>(ch);
    if (stays(c)) {
      *out++ = ch;
    } else {
      *out++ = '%';
      *out++ = kHex[c >> 4];
      *out++ = kHex[c & 15];
    }
  }
  return {begin, text.size() + more};
}

/// The request's values, but $1..$9 escaped: they were decoded with the path, and what they are put
/// into is not.
class EscapedCaptures final : public conf::VariableValues {
 public:
  explicit EscapedCaptures(Exchange& x) : x_(x) {}
  std::optional<std::string_view> value(conf::VariableId id) override {
    auto value = x_.value(id);
    if (value && x_.context().variables.entry(id).capture >= 0)
      value = escape(x_, *value, is_argument_char);
    return value;
  }

 private:
  Exchange& x_;
};

/// nginx escapes captures only when the client had escaped something.
bool path_was_escaped(const Request& request) {
  const auto path = request.original_uri.substr(0, request.original_uri.find('?'));
  return path.find_first_of("%+") != std::string_view::npos;
}

/// A Location from a replacement: what needs no escape is decoded, up to the first '?'. Controls
/// stay escaped, or are escaped now: no variable may end the line.
std::string_view redirect_target(Exchange& x, std::string_view text) {
  const auto hex = [](char c) {
    return is_digit(c)                                ? c - '0'
           : to_lower(c) >= 'a' && to_lower(c) <= 'f' ? to_lower(c) - 'a' + 10
                                                      : -1;
  };
  char* const begin = x.arena().text(text.size());
  char* out = begin;
  std::size_t i = 0;
  for (bool done = false; i < text.size() && !done;) {
    const char c = text[i];
    if (c == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
      const int decoded = hex(text[i + 1]) * 16 + hex(text[i + 2]);
      if (decoded > '%' && decoded < 0x7f) {
        *out++ = static_cast<char>(decoded);
        i += 3;
        done = decoded == '?';
        continue;
      }
    }
    done = c == '?';
    *out++ = c;
    ++i;
  }
  out += text.substr(i).copy(out, std::string_view::npos);
  return escape(x, {begin, static_cast<std::size_t>(out - begin)},
                [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

StepResult do_rewrite(Exchange& x, const RewriteSettings::Rewrite& r, bool& changed) {
  using Flag = RewriteSettings::Rewrite::Flag;
  const auto verdict = match(x, *r.regex, x.request().path, r.names);
  if (verdict == conf::Regex::Verdict::GaveUp) {
    x.status(500, {});
    return StepResult::Answered;
  }
  if (verdict == conf::Regex::Verdict::NoMatch) return StepResult::Next;
  EscapedCaptures escaped(x);
  conf::VariableValues& plain = x;
  const bool escapes = path_was_escaped(x.request());
  auto& for_args = escapes ? static_cast<conf::VariableValues&>(escaped) : plain;
  auto& arena = x.arena();
  const auto own = r.keep_args ? x.request().args : std::string_view();
  const auto args = r.args ? r.args->evaluate(for_args, arena) : std::string_view();
  if (r.redirects) {
    auto target = r.path.evaluate(for_args, arena);
    target = redirect_target(x, r.args ? arena.join({target, "?", args}) : target);
    if (!own.empty()) target = arena.join({target, r.args ? "&" : "?", own});
    if (x.core().rewrite_log.get())
      x.log(LogLevel::Notice, fmt::format("rewritten redirect: \"{}\"", target));
    x.status(r.flag == Flag::Permanent ? 301 : 302, target);
    return StepResult::Answered;
  }
  const auto path = r.path.evaluate(plain, arena);
  const auto all = own.empty() ? args : r.args ? arena.join({args, "&", own}) : own;
  if (x.core().rewrite_log.get())
    x.log(LogLevel::Notice, fmt::format("rewritten data: \"{}\", args: \"{}\"", path, all));
  if (path.empty()) {
    x.log(LogLevel::Error, "the rewritten URI has a zero length");
    x.status(500, {});
    return StepResult::Answered;
  }
  x.set_uri(path, all);
  changed = r.flag != Flag::Break;
  if (r.flag == Flag::Break) return StepResult::EndPhase;
  return r.flag == Flag::Last ? StepResult::Restart : StepResult::Next;
}

class RewriteStep final : public RequestStep {
 public:
  RewriteStep(const conf::Scope& scope, std::span<const std::unique_ptr<Location>> ifs)
      : scope_(scope) {
    for (const auto& location : ifs)
      ifs_[location->scope] = location.get();
  }
  StepResult run(Exchange& x) const override {
    bool changed = false;
    const auto result = run_ops(x, scope_, changed);
    // A rewrite without a flag: the rest of the level ran, then the location is looked for again
    return result == StepResult::Next && changed ? StepResult::Restart : result;
  }

 private:
  StepResult run_ops(Exchange& x, const conf::Scope& scope, bool& changed) const {
    for (const auto& op : scope.get<RewriteSettings>().ops) {
      StepResult result = StepResult::Next;
      if (const auto* r = std::get_if<RewriteSettings::Return>(&op)) {
        result = do_return(x, *r);
      } else if (const auto* s = std::get_if<RewriteSettings::Set>(&op)) {
        x.set_value(s->variable, x.arena().copy(s->value.evaluate(x, x.arena())));
      } else if (const auto* w = std::get_if<RewriteSettings::Rewrite>(&op)) {
        result = do_rewrite(x, *w, changed);
      } else if (const auto* i = std::get_if<RewriteSettings::If>(&op)) {
        result = run_if(x, *i, changed);
      } else {
        result = StepResult::EndPhase;
      }
      if (result != StepResult::Next) return result;
    }
    return StepResult::Next;
  }

  StepResult run_if(Exchange& x, const RewriteSettings::If& op, bool& changed) const {
    const auto held = holds(x, op.condition);
    if (!held) {
      x.status(500, {});
      return StepResult::Answered;
    }
    if (!*held) return StepResult::Next;
    if (const auto it = ifs_.find(op.scope); it != ifs_.end()) x.use_settings(*it->second);
    return run_ops(x, *op.scope, changed);
  }

  const conf::Scope& scope_;
  std::unordered_map<const conf::Scope*, const Location*> ifs_;
};

}  // namespace

std::unique_ptr<RequestStep> make_rewrite_step(const conf::Scope& scope,
                                               std::span<const std::unique_ptr<Location>> ifs) {
  if (scope.get<RewriteSettings>().ops.empty()) return nullptr;
  return std::make_unique<RewriteStep>(scope, ifs);
}

}  // namespace gatescope::http
