#pragma once

#include <deque>
#include <memory>
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

/// What `set` does to a built-in variable that may be changed ($args). `value` lives in the arena.
using VariableSetter = void (*)(Exchange& exchange, std::string_view value);

struct VariableSpec {
  std::string_view name;  // "request_uri"; a prefix ends in '_': "http_"
  VariableGetter get;
  bool prefix = false;
  VariableSetter set = nullptr;  // null: `set`, map and captures may not take that name
  bool cached = false;           // found once per request ($request_id)
  std::string_view doc = {};
};

/// A variable that the configuration makes (map, geo). Immutable; owned by the table.
class MadeVariable {
 public:
  virtual ~MadeVariable() = default;
  virtual std::optional<std::string_view> value(Exchange& exchange) const = 0;
};

/// All variables of one generation: the modules' tables, plus what set, map, geo and named captures
/// make. Names have no case, as in nginx. Filled while the configuration loads, read afterwards by
/// every loop.
class VariableTable final : public conf::VariableNames {
 public:
  void add(std::span<const VariableSpec> table);  // outlives the table
  /// `set $name`, (?<name>...): a slot per exchange. A built-in variable of that name is an error,
  /// `the duplicate "x" variable`, unless it may be changed. A prefix variable ($http_x) keeps its
  /// own value until the slot gets one.
  Result<conf::VariableId> define(std::string_view name);
  /// map, geo: the last one of a name counts, as in nginx. `cached`: found once per request.
  Result<conf::VariableId> define(std::string_view name, std::unique_ptr<MadeVariable> made,
                                  bool cached);
  Result<conf::VariableId> find(std::string_view name) override;
  std::size_t size() const { return entries_.size(); }
  struct Entry {
    std::string name, data;
    VariableGetter get = nullptr;
    VariableSetter set = nullptr;
    const MadeVariable* made = nullptr;
    int capture = -1;        // $1..$9
    bool prefix = false;     // of a prefix variable: `data` is the rest of its name
    bool slot = false;       // may be given a value; without getter it is empty until then
    bool cached = false;     // a value once found is kept in the slot
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
  std::vector<std::unique_ptr<MadeVariable>> made_;
};

}  // namespace gatescope::http
