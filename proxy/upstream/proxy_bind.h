#pragma once

#include "conf/schema.h"
#include "conf/template.h"
#include "proxy/net/loop.h"

namespace gatescope::upstream {

/// proxy_bind: where connections to servers come from.
struct ProxyBind {
  conf::Template address;  // empty: off
  bool transparent = false;
  conf::Place place;

  /// An address, with a port or without; an empty text is none. Errors: `invalid local address`.
  Result<net::LocalAddress> local(conf::VariableValues& values, Arena& arena) const;
};

}  // namespace gatescope::upstream
