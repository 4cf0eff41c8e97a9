#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "conf/template.h"

namespace gatescope::http {

class Exchange;

/// How a variable's value is found: `data` is the rest of a prefix variable's name ("user_agent" of
/// $http_user_agent). Views live in the exchange's arena or longer.
using VariableGetter = std::optional<std::string_view> (*)(Exchange& exchange,
                                                           std::string_view data);

struct VariableSpec {
  std::string_view name;  // "request_uri"; a prefix ends in '_': "http_"
  VariableGetter get;
  bool prefix = false;
  bool changeable = false;  // `set` may change it ($args)
  std::string_view doc = {};
};

/// All variables of one generation: the modules' tables, plus what `set` and named captures make.
/// Filled while the configuration loads, read afterwards by every loop.
class VariableTable final : public conf::VariableNames {
 public:
  void add(std::span<const VariableSpec> table);  // outlives the table
  /// `set $name`, (?<name>...): a slot per exchange. An existing getter of that name is overridden
  /// only if it is one of those that nginx lets change ($args, $limit_rate ...): otherwise `the
  /// duplicate "x" variable`.
  Result<conf::VariableId> define(std::string_view name);
  Result<conf::VariableId> find(std::string_view name) override;
  std::size_t size() const { return entries_.size(); }
  struct Entry {
    std::string name, data;
    VariableGetter get = nullptr;  // null: a slot (set), or a capture
    int capture = -1;              // $1..$9
    bool slot = false;
    bool undefined = false;  // named, but nothing that was read so far gives it a value
  };
  /// After everything is read: a name that nothing defines, and the words for it.
  struct Unknown {
    std::string name, message;
  };
  std::optional<Unknown> first_unknown() const;
  const Entry& entry(conf::VariableId id) const { return entries_[id]; }

 private:
  std::deque<Entry> entries_;
  std::unordered_map<std::string, conf::VariableId> by_name_;
  std::vector<VariableSpec> exact_, prefixes_;
};

}  // namespace gatescope::http
