#include "conf/reference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "conf/unsupported.h"

namespace gatescope::conf {
namespace {

constexpr std::string_view kPreface =
    "# Directives\n\n"
    "Made from the program's own tables (conf/reference.cc): do not edit. Grammar, contexts and "
    "inheritance are\n"
    "nginx's. A directive that is not listed here is an error that names file, line and column.\n";

// A free-form block's entries have no name of their own.
std::string title_of(const DirectiveSpec& spec, std::string_view contexts) {
  return spec.name == "*" ? fmt::format("entries of {}", contexts) : std::string(spec.name);
}

void append_entry(std::string& out, const DirectiveSpec& spec, std::string_view heading) {
  const std::string contexts = fmt::format("{}", fmt::join(names_of(spec.contexts), ", "));
  fmt::format_to(std::back_inserter(out), "{}{}\n\n", heading, title_of(spec, contexts));
  fmt::format_to(std::back_inserter(out), "    syntax:   {}\n", spec.syntax);
  fmt::format_to(std::back_inserter(out), "    default:  {}\n",
                 spec.fallback.empty() ? "-" : spec.fallback);
  fmt::format_to(std::back_inserter(out), "    context:  {}\n", contexts);
  if (!spec.doc.empty()) fmt::format_to(std::back_inserter(out), "\n{}\n", spec.doc);
  if (!spec.apply)
    out += "\nAccepted, does nothing: it tunes something that this program does not have.\n";
  if (!spec.note.empty())
    fmt::format_to(std::back_inserter(out), "\nDifference from nginx: {}\n", spec.note);
}

}  // namespace

std::string directive_reference(const Schema& schema) {
  std::string out(kPreface);
  for (const DirectiveSpec* spec : schema.all())
    append_entry(out, *spec, "\n## ");
  return out;
}

Result<std::string> explain_directive(const Schema& schema, std::string_view name) {
  std::string out;
  for (const DirectiveSpec* spec : schema.find_all(name))
    append_entry(out, *spec, out.empty() ? "" : "\n");
  if (!out.empty() && name != "*") return out;
  if (const auto why = why_unsupported(name))
    return make_error(ErrorKind::NotFound, Origin::Internal,
                      fmt::format("\"{}\" is not there: {}", name, *why));
  const auto nearest = schema.nearest(name);
  return make_error(ErrorKind::NotFound, Origin::Internal,
                    fmt::format("there is no directive \"{}\"{}", name,
                                nearest ? fmt::format(", did you mean \"{}\"?", *nearest)
                                        : std::string("; doc/directives.md lists them all")));
}

}  // namespace gatescope::conf
