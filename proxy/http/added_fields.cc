// add_header: fields for successful answers, or with `always` for all (nginx's headers module).

#include "proxy/http/exchange.h"
#include "proxy/http/routing_builder.h"

namespace gatescope::http {

namespace {

bool usual_status(int status) {
  switch (status) {
    case 200:
    case 201:
    case 204:
    case 206:
    case 301:
    case 302:
    case 303:
    case 304:
    case 307:
    case 308:
      return true;
    default:
      return false;
  }
}

class AddedFields final : public HeadFilter {
 public:
  explicit AddedFields(const std::vector<AddedField>& fields) : fields_(fields) {}

  void apply(Exchange& exchange, ResponseHead& head) const override {
    const std::size_t own =
        head.headers.size();  // what the handler set itself wins over add_header of the same name
    for (const auto& field : fields_) {
      if (!field.always && !usual_status(head.status)) continue;
      const auto value = field.value.evaluate(exchange, exchange.arena());
      if (value.empty()) continue;
      bool set_by_handler = false;
      for (std::size_t i = 0; i < own && !set_by_handler; ++i)
        set_by_handler = equals_ignoring_case(
            (head.headers.begin() + static_cast<std::ptrdiff_t>(i))->name, field.name);
      if (!set_by_handler) head.headers.add(field.name, without_breaks(exchange, value));
    }
  }

 private:
  /// No variable may end the field: a CR, LF or NUL becomes a blank (response splitting).
  static std::string_view without_breaks(Exchange& exchange, std::string_view value) {
    if (value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos) return value;
    char* out = exchange.arena().text(value.size());
    for (std::size_t i = 0; i < value.size(); ++i)
      out[i] = value[i] == '\r' || value[i] == '\n' || value[i] == '\0' ? ' ' : value[i];
    return {out, value.size()};
  }

  const std::vector<AddedField>& fields_;  // the scope's; it outlives the location
};

}  // namespace

std::unique_ptr<HeadFilter> make_added_fields(const CoreSettings& core) {
  if (core.add_headers.get().empty()) return nullptr;
  return std::make_unique<AddedFields>(core.add_headers.get());
}

}  // namespace gatescope::http
