#include "proxy/ops/stub_status.h"

#include <fmt/format.h>

#include "proxy/ops/shown_text.h"

namespace gatescope::ops {

namespace {

class StubStatus final : public http::Handler {
 public:
  explicit StubStatus(const http::ServingTotals& totals) : totals_(totals) {}
  http::HandlerKind kind() const override { return http::HandlerKind::Ops; }
  std::unique_ptr<http::Responder> start(const http::Request& request,
                                         http::ResponseWriter& writer) const override {
    if (!may_be_shown(request, writer)) return nullptr;
    const auto c = totals_.counts();
    show_text(
        writer, 200, "text/plain",
        fmt::format("Active connections: {} \nserver accepts handled requests\n {} {} {} \n"
                    "Reading: {} Writing: {} Waiting: {} \n",
                    c.active, c.accepted, c.handled, c.requests, c.reading, c.writing, c.waiting));
    return nullptr;
  }

 private:
  const http::ServingTotals& totals_;
};

}  // namespace

std::unique_ptr<http::Handler> make_stub_status(const http::ServingTotals& totals) {
  return std::make_unique<StubStatus>(totals);
}

}  // namespace gatescope::ops
