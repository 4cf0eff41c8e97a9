#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "conf/schema.h"
#include "conf/template.h"
#include "proxy/http/charset.h"
#include "proxy/http/type_set.h"

namespace gatescope::http {

struct CharsetSettings final : conf::Settings {
  conf::Inherited<std::optional<conf::Template>> charset, source;  // nullopt: off
  conf::Inherited<bool> override_charset{false};
  conf::Inherited<TypeSet> types{TypeSet{"text/html", "text/xml", "text/plain", "text/vnd.wap.wml",
                                         "application/javascript", "application/rss+xml"}};
  conf::Inherited<std::vector<std::shared_ptr<const CharsetMap>>> maps;  // of the http level
  /// Bodies may be changed, not only labelled.
  bool recodes() const { return charset->has_value() && source->has_value(); }
  void inherit(const Settings& outer) override;
};

std::span<const conf::DirectiveSpec> charset_directives();

}  // namespace gatescope::http
