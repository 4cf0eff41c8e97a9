#include "proxy/ops/health.h"

#include <nlohmann/json.hpp>

#include "proxy/ops/shown_text.h"

namespace gatescope::ops {

namespace {

class Health final : public http::Handler {
 public:
  Health(const StatusReport& report, HealthQuestion question)
      : report_(report), question_(question) {}
  http::HandlerKind kind() const override { return http::HandlerKind::Ops; }
  std::unique_ptr<http::Responder> start(const http::Request& request,
                                         http::ResponseWriter& writer) const override {
    if (!may_be_shown(request, writer)) return nullptr;
    std::vector<std::string> reasons;
    if (question_.ready) reasons = report_.not_ready(question_.needs_database);
    const int status = reasons.empty() ? 200 : 503;
    if (accepts(request, "application/json")) {
      const nlohmann::ordered_json json{{"status", reasons.empty() ? "ok" : "unavailable"},
                                        {"reasons", reasons}};
      show_text(writer, status, "application/json", json.dump() + "\n");
      return nullptr;
    }
    std::string text = reasons.empty() ? "ok\n" : "unavailable\n";
    for (const auto& reason : reasons)
      text += reason + "\n";
    show_text(writer, status, "text/plain; charset=utf-8", std::move(text));
    return nullptr;
  }

 private:
  const StatusReport& report_;
  const HealthQuestion question_;
};

}  // namespace

std::unique_ptr<http::Handler> make_health(const StatusReport& report, HealthQuestion question) {
  return std::make_unique<Health>(report, question);
}

}  // namespace gatescope::ops
