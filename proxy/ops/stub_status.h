#pragma once

#include <memory>

#include "proxy/http/handler.h"
#include "proxy/http/serving_stats.h"

namespace gatescope::ops {

/// `stub_status;`: nginx's text, byte for byte. `totals` outlives it.
std::unique_ptr<http::Handler> make_stub_status(const http::ServingTotals& totals);

}  // namespace gatescope::ops
