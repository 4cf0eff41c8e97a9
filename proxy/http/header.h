#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "proxy/base/spare.h"
#include "proxy/base/text.h"

namespace gatescope::http {

/// One field line. Views: of a request into the exchange's arena, of a response into the arena, a
/// generation's template or a literal; valid as long as the exchange.
struct HeaderField {
  std::string_view name;
  std::string_view value;
};

/// Whether the comma-separated `list` holds `token`, without case.
bool list_has_token(std::string_view list, std::string_view token);

/// Field lines in order. Names compare without case (RFC 9110 5.1).
class HeaderList {
 public:
  /// A message seldom has more: room for them at once instead of by doubling.
  static constexpr std::size_t kUsual = 16;

  void add(std::string_view name, std::string_view value) { fields_.push_back({name, value}); }
  /// Replaces the first of that name and drops the others; adds when there is none.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  void clear() { fields_.clear(); }
  void reserve(std::size_t fields) { fields_.reserve(fields); }
  /// The first value; null data when absent.
  std::optional<std::string_view> find(std::string_view name) const {
    for (const auto& f : fields_)
      if (equals_ignoring_case(f.name, name)) return f.value;
    return std::nullopt;
  }
  bool has(std::string_view name) const { return find(name).has_value(); }
  std::size_t count(std::string_view name) const;
  /// Whether a comma-separated list field holds `token` (Connection, Transfer-Encoding,
  /// Accept-Encoding without q).
  bool has_token(std::string_view name, std::string_view token) const;
  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  auto begin() { return fields_.begin(); }
  auto end() { return fields_.end(); }

 private:
  Spare::Vector<HeaderField> fields_;
};

/// The fields that Connection names are the connection's own, too, and not passed on (RFC 9110
/// 7.6.1). Keeps a reference to `all`.
class NamedByConnection {
 public:
  explicit NamedByConnection(const HeaderList& all);
  bool operator()(std::string_view name) const {
    return names_fields_ && all_.has_token("Connection", name);
  }

 private:
  const HeaderList& all_;
  bool names_fields_ = false;  // nearly never
};

}  // namespace gatescope::http
