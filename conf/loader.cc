#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>

#include "conf/schema.h"
#include "conf/unsupported.h"
#include "proxy/base/text.h"

namespace gatescope::conf {
namespace {

std::string without_slash_at_end(std::string path) {
  while (path.size() > 1 && path.ends_with('/'))
    path.pop_back();
  return path;
}

std::string below(const std::string& folder, std::string_view text) {
  // "$document_root/x" becomes a path only when a request runs.
  if (text.starts_with('/') || text.starts_with('$')) return std::string(text);
  return folder == "/" ? fmt::format("/{}", text) : fmt::format("{}/{}", folder, text);
}

Contexts all_contexts_of(const std::vector<const DirectiveSpec*>& specs) {
  Contexts contexts = 0;
  for (const DirectiveSpec* spec : specs)
    contexts |= spec->contexts;
  return contexts;
}

Error not_found(const Schema& schema, const Directive& d, Context context) {
  if (const auto elsewhere = schema.find_all(d.name); !elsewhere.empty()) {
    const bool in_if = context == Context::ServerIf || context == Context::LocationIf;
    return Loader::fail(
        d, fmt::format(
               "\"{}\" directive is not allowed here (it belongs in {}){}", d.name,
               fmt::join(names_of(all_contexts_of(elsewhere)), ", "),
               in_if ? "; choose its value by a map, or say it in a location of its own" : ""));
  }
  if (const auto reason = why_unsupported(d.name)) {
    return Loader::fail(d, fmt::format("\"{}\" directive is not supported ({})", d.name, *reason));
  }
  const auto nearest = schema.nearest(d.name);
  return Loader::fail(
      d, nearest ? fmt::format("unknown directive \"{}\", did you mean \"{}\"?", d.name, *nearest)
                 : fmt::format("unknown directive \"{}\"", d.name));
}

Error wrong_count(const Directive& d, const DirectiveSpec& spec) {
  // Usual cause of too many: a forgotten `;`, which lets the next line's words become arguments.
  std::string mend;
  if (d.count() > spec.arity.max) {
    const Argument* before = nullptr;
    for (const Argument& argument : d.arguments) {
      const Place& last = before ? before->place : d.place;
      if (argument.place.line != last.line) {
        mend = fmt::format(", is a \";\" missing at the end of line {}?", last.line);
        break;
      }
      before = &argument;
    }
  }
  return Loader::fail(
      d, fmt::format("invalid number of arguments in \"{}\" directive (syntax: {}){}", d.name,
                     spec.syntax, mend));
}

std::optional<Error> wrong_shape(const Directive& d, const DirectiveSpec& spec) {
  if (spec.arity.block && !d.has_block) {
    return Loader::fail(d, fmt::format("directive \"{}\" has no opening \"{{\"", d.name));
  }
  if (!spec.arity.block && d.has_block) {
    return Loader::fail(d, fmt::format("directive \"{}\" is not terminated by \";\"", d.name));
  }
  if (d.count() < spec.arity.min || d.count() > spec.arity.max) return wrong_count(d, spec);
  return std::nullopt;
}

bool is_sentence(std::string_view what, std::string_view quoted_name) {
  return what.starts_with("invalid ") || what.starts_with("unknown ") ||
         what.find(quoted_name) != std::string_view::npos;
}

// Whether `what` reads on after `"root" directive`.
bool is_predicate(std::string_view what) {
  static constexpr std::string_view kVerbs[] = {"is",  "has",   "was",      "must",    "cannot",
                                                "can", "needs", "takes",    "wants",   "ends",
                                                "may", "does",  "requires", "expects", "with"};
  return std::find(std::begin(kVerbs), std::end(kVerbs), what.substr(0, what.find(' '))) !=
         std::end(kVerbs);
}

// One of the four borders where exceptions stop (doc/architecture.md, "Errors").
Result<void> apply_guarded(const DirectiveSpec& spec, Loader& loader, Scope& scope,
                           const Directive& d) {
  try {
    return spec.apply(loader, scope, d);
  } catch (const std::exception& e) {
    return make_error(ErrorKind::Internal, Origin::Internal,
                      fmt::format("\"{}\" directive: {}", d.name, e.what()));
  }
}

}  // namespace

Loader::Loader(const Schema& schema, std::string prefix, std::string conf_prefix)
    : schema_(schema),
      prefix_(without_slash_at_end(std::move(prefix))),
      conf_prefix_(without_slash_at_end(std::move(conf_prefix))) {}

Result<void> Loader::load(const std::vector<Directive>& directives, Scope& scope) {
  for (const Directive& d : directives) {
    const DirectiveSpec* spec = schema_.find(d.name, scope.context());
    if (!spec) return not_found(schema_, d, scope.context());
    if (auto error = wrong_shape(d, *spec)) return std::move(*error);
    if (!spec->apply) continue;
    if (auto done = apply_guarded(*spec, *this, scope, d); !done) {
      Error error = std::move(done).error();
      return at_place(std::move(error), d.place);
    }
  }
  return {};
}

Result<Scope*> Loader::load_block(const Directive& directive, Scope& parent, Context context) {
  Scope& child = parent.add_child(context, &directive);
  if (auto done = load(directive.block, child); !done) return std::move(done).error();
  return &child;
}

Error Loader::fail(const Directive& directive, std::string_view what) {
  const std::string name = fmt::format("\"{}\"", directive.name);
  if (is_sentence(what, name)) return error_at(directive.place, what);
  return error_at(directive.place,
                  fmt::format("{} directive{} {}", name, is_predicate(what) ? "" : ":", what));
}

Error Loader::fail_at(const Place& place, std::string_view what) {
  return error_at(place, what);
}

std::string Loader::path(std::string_view text) const {
  return below(prefix_, text);
}

std::string Loader::conf_path(std::string_view text) const {
  return below(conf_prefix_, text);
}

}  // namespace gatescope::conf
