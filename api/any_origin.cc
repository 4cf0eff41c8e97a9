#include "api/any_origin.h"

#include "proxy/http/exchange.h"

namespace gatescope::api {

namespace {

class AnyOriginFilter final : public http::HeadFilter {
 public:
  /// The last one.
  http::FilterStage stage() const override { return http::FilterStage::Range; }
  void apply(http::Exchange&, http::ResponseHead& head) const override {
    constexpr std::string_view kName = "Access-Control-Allow-Origin";
    if (head.headers.count(kName) != 1 || head.headers.find(kName) != "*")
      head.headers.set(kName, "*");
  }
};

}  // namespace

std::unique_ptr<http::HeadFilter> make_any_origin_filter() {
  return std::make_unique<AnyOriginFilter>();
}

}  // namespace gatescope::api
