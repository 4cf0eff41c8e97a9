#pragma once

#include <memory>
#include <string_view>

#include "proxy/http/handler.h"
#include "proxy/ops/status_report.h"

namespace gatescope::ops {

/// The parts of the page, as they stand in status_page.html and the files beside it (CMake puts
/// them in).
struct StatusPageText {
  static std::string_view html();  // with {{style}} and {{script}} where the others go
  static std::string_view css();
  static std::string_view script();
};

/// `status_page;`: the page, whole in one answer; with `?json` the report and what happened since
/// the points `seconds=N` and `minutes=N`. Its Content-Security-Policy lets it run the script and
/// the style that are in it, ask where it came from, and nothing else. `report` outlives it.
std::unique_ptr<http::Handler> make_status_page(const StatusReport& report);

}  // namespace gatescope::ops
