// The directive table of the rewrite module: what is written becomes RewriteSettings::ops.

#include <fmt/format.h>

#include "conf/setters.h"
#include "proxy/base/text.h"
#include "proxy/http/core_settings.h"
#include "proxy/http/rewrite.h"
#include "proxy/http/template_argument.h"
#include "proxy/http/variables.h"

namespace gatescope::http {

namespace {

using conf::Directive;
using conf::Loader;
using conf::Scope;

using Names = std::vector<std::pair<conf::VariableId, unsigned>>;

Result<std::shared_ptr<const conf::Regex>> regex_of(Loader& loader, const Directive& d,
                                                    std::string_view pattern, bool ignore_case,
                                                    Names& names) {
  auto regex = conf::Regex::compile(pattern, ignore_case);
  if (!regex)
    return Loader::fail(d, fmt::format("has an invalid regular expression \"{}\": {}", pattern,
                                       regex.error().detail));
  auto shared = std::make_shared<const conf::Regex>(std::move(*regex));
  for (const auto& [name, group] : shared->names()) {
    auto id = loader.service<VariableTable>().define(name);
    if (!id) return Loader::fail(d, id.error().detail);
    names.emplace_back(*id, group);
  }
  return std::shared_ptr<const conf::Regex>(std::move(shared));
}

Result<void> apply_return(Loader& loader, Scope& scope, const Directive& d) {
  RewriteSettings::Return op;
  std::string_view text;
  if (d.count() == 1 && !parse_unsigned(d.arg(0))) {
    if (!d.arg(0).starts_with("http://") && !d.arg(0).starts_with("https://") &&
        !d.arg(0).starts_with("$scheme"))
      return Loader::fail(
          d, fmt::format(
                 "has an invalid return code \"{}\"; a code, or a URL that begins with http://, "
                 "https:// or $scheme is needed",
                 d.arg(0)));
    op.status = 302;
    text = d.arg(0);
  } else {
    const auto code = parse_unsigned(d.arg(0));
    if (!code || *code > 999)
      return Loader::fail(d, fmt::format("has an invalid return code \"{}\"", d.arg(0)));
    op.status = static_cast<int>(*code);
    if (d.count() == 2) text = d.arg(1);
  }
  if (text.data()) {
    auto compiled = template_of(loader, d, text);
    if (!compiled) return compiled.error();
    op.text = std::move(*compiled);
  }
  scope.own<RewriteSettings>().ops.emplace_back(std::move(op));
  return {};
}

Result<void> apply_set(Loader& loader, Scope& scope, const Directive& d) {
  if (!d.arg(0).starts_with('$') || d.arg(0).size() < 2)
    return Loader::fail(
        d, fmt::format("has an invalid variable name \"{}\"; it must begin with \"$\"", d.arg(0)));
  auto id = loader.service<VariableTable>().define(d.arg(0).substr(1));
  if (!id) return Loader::fail(d, id.error().detail);
  auto value = template_of(loader, d, d.arg(1));
  if (!value) return value.error();
  scope.own<RewriteSettings>().ops.emplace_back(RewriteSettings::Set{*id, std::move(*value)});
  return {};
}

Result<void> apply_rewrite(Loader& loader, Scope& scope, const Directive& d) {
  using Flag = RewriteSettings::Rewrite::Flag;
  RewriteSettings::Rewrite op;
  auto regex = regex_of(loader, d, d.arg(0), false, op.names);
  if (!regex) return regex.error();
  op.regex = std::move(*regex);
  auto replacement = d.arg(1);
  op.redirects = replacement.starts_with("http://") || replacement.starts_with("https://") ||
                 replacement.starts_with("$scheme");
  op.keep_args = !replacement.ends_with('?');
  if (!op.keep_args) replacement.remove_suffix(1);
  const auto question = replacement.find('?');
  auto path = template_of(loader, d, replacement.substr(0, question));
  if (!path) return path.error();
  op.path = std::move(*path);
  if (question != std::string_view::npos) {
    auto args = template_of(loader, d, replacement.substr(question + 1));
    if (!args) return args.error();
    op.args = std::move(*args);
  }
  if (d.count() == 3) {
    constexpr std::string_view kFlags[] = {"last", "break", "redirect", "permanent"};
    auto flag = loader.choice(d, 2, kFlags);
    if (!flag) return flag.error();
    op.flag = static_cast<Flag>(*flag + 1);
    op.redirects = op.redirects || op.flag == Flag::Redirect || op.flag == Flag::Permanent;
  }
  scope.own<RewriteSettings>().ops.emplace_back(std::move(op));
  return {};
}

/// The arguments of `if`: nginx splits by blanks, so "($a", "=", "b)" and "($a)" and "(!-f", "x)"
/// come here.
Result<Condition> condition_of(Loader& loader, const Directive& d) {
  std::vector<std::string> words;
  for (const auto& a : d.arguments)
    words.push_back(a.text);
  const auto bad = [&](std::string_view what) { return Loader::fail(d, what); };
  if (words.empty() || words.front().empty() || words.front().front() != '(' ||
      words.back().empty() || words.back().back() != ')')
    return bad("needs a condition in parentheses: if ($host = example.org) { ... }");
  words.front().erase(0, 1);
  words.back().pop_back();
  if (words.front().empty()) words.erase(words.begin());
  if (!words.empty() && words.back().empty() && !d.arguments.back().quoted) words.pop_back();
  if (words.empty()) return bad("has an empty condition");
  Condition c;
  if (words[0].starts_with("-") || words[0].starts_with("!-")) {
    using K = Condition::Kind;
    const std::pair<std::string_view, K> tests[] = {
        {"-f", K::File},   {"!-f", K::NoFile},    {"-d", K::Directory},  {"!-d", K::NoDirectory},
        {"-e", K::Exists}, {"!-e", K::ExistsNot}, {"-x", K::Executable}, {"!-x", K::ExecutableNot}};
    if (words.size() != 2)
      return bad("needs a file name behind the test: if (-f $request_filename) { ... }");
    for (const auto& [word, kind] : tests)
      if (words[0] == word) {
        auto left = template_of(loader, d, words[1]);
        if (!left) return left.error();
        c.kind = kind;
        c.left = std::move(*left);
        return c;
      }
    return bad(fmt::format("has an unknown test \"{}\"", words[0]));
  }
  if (!words[0].starts_with('$'))
    return bad(
        fmt::format("has an invalid condition \"{}\": a variable must stand first", words[0]));
  auto left = template_of(loader, d, words[0]);
  if (!left) return left.error();
  c.left = std::move(*left);
  if (words.size() == 1) return c;
  if (words.size() != 3)
    return bad("has a condition of unknown form; quote a value that holds blanks");
  const auto& op = words[1];
  if (op == "=" || op == "!=") {
    c.kind = op == "=" ? Condition::Kind::Equals : Condition::Kind::Differs;
    auto right = template_of(loader, d, words[2]);
    if (!right) return right.error();
    c.right = std::move(*right);
    return c;
  }
  if (op == "~" || op == "~*" || op == "!~" || op == "!~*") {
    auto regex = regex_of(loader, d, words[2], op.ends_with('*'), c.names);
    if (!regex) return regex.error();
    c.regex = std::move(*regex);
    c.kind = op.starts_with('!') ? Condition::Kind::MatchesNot : Condition::Kind::Matches;
    return c;
  }
  return bad(fmt::format("has an unknown operator \"{}\"; =, !=, ~, ~*, !~, !~* are known", op));
}

Result<void> apply_if(Loader& loader, Scope& scope, const Directive& d) {
  auto condition = condition_of(loader, d);
  if (!condition) return condition.error();
  const bool in_server = scope.context() == conf::Context::Server;
  auto inner =
      loader.load_block(d, scope, in_server ? conf::Context::ServerIf : conf::Context::LocationIf);
  if (!inner) return inner.error();
  scope.own<RewriteSettings>().ops.emplace_back(RewriteSettings::If{std::move(*condition), *inner});
  return {};
}

constexpr conf::Contexts kRewriteContexts = conf::Context::Server | conf::Context::Location |
                                            conf::Context::ServerIf | conf::Context::LocationIf;

constexpr conf::Contexts kLevelsAndIfs =
    conf::kHttpLevels | conf::Context::ServerIf | conf::Context::LocationIf;

const conf::DirectiveSpec kRewriteDirectives[] = {
    {.name = "return",
     .contexts = kRewriteContexts,
     .arity = {1, 2},
     .syntax = "return code [text]; return code URL; return URL;",
     .doc = "Stops and answers with the code, a text or a redirect. 444 closes the connection "
            "without an answer.",
     .apply = apply_return},
    {.name = "set",
     .contexts = kRewriteContexts,
     .arity = {2, 2},
     .syntax = "set $variable value;",
     .doc = "Gives a variable a value for this request.",
     .apply = apply_set},
    {.name = "rewrite",
     .contexts = kRewriteContexts,
     .arity = {2, 3},
     .syntax = "rewrite regex replacement [last | break | redirect | permanent];",
     .doc = "Changes the path when the expression matches it.",
     .apply = apply_rewrite},
    {.name = "break",
     .contexts = kRewriteContexts,
     .arity = {0, 0},
     .syntax = "break;",
     .doc = "Ends the directives of the rewrite module at this level.",
     .apply = [](Loader&, Scope& scope, const Directive&) -> Result<void> {
       scope.own<RewriteSettings>().ops.emplace_back(RewriteSettings::Break{});
       return {};
     }},
    {.name = "if",
     .contexts = conf::Context::Server | conf::Context::Location,
     .arity = {1, conf::Arity::kAny, true},
     .syntax = "if (condition) { ... }",
     .doc = "When the condition holds, return, rewrite, set and break inside run, and (in a "
            "location) the settings inside count instead of those around: the last `if` that "
            "holds.",
     .apply = apply_if,
     .note = "What may stand inside says so (if in location); anything else is better said with a "
             "location, a map or try_files."},
    {.name = "rewrite_log",
     .contexts = kLevelsAndIfs,
     .arity = {1, 1},
     .syntax = "rewrite_log on | off;",
     .fallback = "off",
     .doc = "Says in the error log, at level notice, what rewrite and if matched and made.",
     .apply = conf::set_flag<&CoreSettings::rewrite_log>},
    {.name = "uninitialized_variable_warn",
     .contexts = kLevelsAndIfs,
     .arity = {1, 1},
     .syntax = "uninitialized_variable_warn on | off;",
     .fallback = "on",
     .doc = "Whether the error log says that a variable is used before `set` gave it a value.",
     .apply = conf::set_flag<&CoreSettings::uninitialized_variable_warn>},
};

}  // namespace

void add_rewrite_directives(conf::Schema& schema) {
  schema.add(kRewriteDirectives);
  schema.add_settings<RewriteSettings>();
}

}  // namespace gatescope::http
