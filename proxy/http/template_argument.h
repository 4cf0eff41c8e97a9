#pragma once

#include "conf/schema.h"
#include "proxy/http/variables.h"

namespace gatescope::http {

/// `text`, which stands in `d`, as a template; the error names the directive's place.
inline Result<conf::Template> template_of(conf::Loader& loader, const conf::Directive& d,
                                          std::string_view text) {
  auto compiled = conf::Template::compile(text, loader.service<VariableTable>());
  if (!compiled) return conf::Loader::fail(d, compiled.error().detail);
  return compiled;
}

}  // namespace gatescope::http
