#pragma once

// What directives mean: each module owns a table of them, next to the settings that they fill.
//
//   struct GreetingSettings final : conf::Settings {            // one struct per module and level
//     conf::Inherited<std::string> greeting{"hello"};
//     void inherit(const Settings& outer) override {
//     greeting.inherit(as<GreetingSettings>(outer).greeting); }
//   };
//   const conf::DirectiveSpec kGreeting[] = {
//     {.name = "greeting", .contexts = conf::kHttpLevels, .arity = {1, 1}, .syntax = "greeting
//     text;",
//      .fallback = "hello", .doc = "What is said first.",
//      .apply = [](conf::Loader& l, conf::Scope& s, const conf::Directive& d) -> Result<void> {
//        return l.set_once(s.own<GreetingSettings>().greeting, std::string(d.arg(0)), d); }},
//   };
//   schema.add(kGreeting);  schema.add_settings<GreetingSettings>();

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "conf/source.h"
#include "conf/syntax.h"
#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace gatescope::conf {

/// Where a directive may stand. A set: contexts combine with |.
enum class Context : std::uint32_t {
  Main = 1,
  Events = 2,
  Http = 4,
  Server = 8,
  Location = 16,
  ServerIf = 32,
  LocationIf = 64,
  LimitExcept = 128,
  Upstream = 256,
  Types = 512,
  Map = 1024,
  Geo = 2048,
  Numberscope = 4096,
  AcmeIssuer = 8192,
  Match = 16384,
};
using Contexts = std::uint32_t;
constexpr Contexts operator|(Context a, Context b) {
  return static_cast<Contexts>(a) | static_cast<Contexts>(b);
}
constexpr Contexts operator|(Contexts a, Context b) {
  return a | static_cast<Contexts>(b);
}
constexpr Contexts only(Context a) {
  return static_cast<Contexts>(a);
}
inline constexpr Contexts kHttpServer = Context::Http | Context::Server;
inline constexpr Contexts kHttpLevels = kHttpServer | Context::Location;
inline constexpr Contexts kAnywhere = (static_cast<Contexts>(Context::Match) << 1) - 1;
inline constexpr Contexts kHttpLevelsAndIf = kHttpLevels | Context::LocationIf;
std::string_view name_of(Context context);
std::vector<std::string_view> names_of(Contexts contexts);

/// How many arguments; `block`: a `{ }` follows instead of `;`.
struct Arity {
  unsigned min = 0, max = 0;
  bool block = false;
  static constexpr unsigned kAny = ~0u;
};

/// The settings of one module at one level (main, http, server, location ...).
class Settings {
 public:
  virtual ~Settings() = default;
  /// Takes from the level around what this one did not set. Called once, outermost first, after all
  /// is read.
  virtual void inherit(const Settings& outer) = 0;
  template <class T>
  static const T& as(const Settings& s) {
    return static_cast<const T&>(s);
  }
};

/// A value that a level may set or take from the level around. Array settings use T = vector: nginx
/// replaces them as a whole.
template <class T>
class Inherited {
 public:
  Inherited() = default;
  explicit Inherited(T fallback) : value_(std::move(fallback)) {}
  bool is_set() const { return set_; }
  const T& get() const { return value_; }
  const T& operator*() const { return value_; }
  const T* operator->() const { return &value_; }
  void set(T value) {
    value_ = std::move(value);
    set_ = true;
  }
  T& edit() {
    set_ = true;
    return value_;
  }  // for arrays: append
  /// inherited_ values count as set for the levels inside.
  void inherit(const Inherited& outer) {
    if (!set_ && outer.set_) {
      value_ = outer.value_;
      set_ = true;
    }
  }

 private:
  T value_{};
  bool set_ = false;
};

/// One level of the configuration: main, http, a server, a location, an if. A tree; the
/// Configuration owns the root.
class Scope {
 public:
  Scope(Scope* parent, Context context, const Directive* opened_by)
      : parent_(parent), context_(context), opened_by_(opened_by) {}
  Context context() const { return context_; }
  Scope* parent() const { return parent_; }
  const Directive* opened_by() const { return opened_by_; }  // null for main
  Scope& add_child(Context context, const Directive* opened_by);
  const std::vector<std::unique_ptr<Scope>>& children() const { return children_; }

  /// The module's settings of this level, made when first asked for.
  template <class T>
  T& own() {
    auto& held = settings_[key<T>()];
    if (!held) held = std::make_unique<T>();
    return static_cast<T&>(*held);
  }
  /// After Configuration is complete: this level's settings with everything inherited. T must be
  /// registered by Schema::add_settings.
  template <class T>
  const T& get() const {
    return static_cast<const T&>(*settings_.at(key<T>()));
  }
  template <class T>
  const T* find() const {
    auto it = settings_.find(key<T>());
    return it == settings_.end() ? nullptr : static_cast<const T*>(it->second.get());
  }

 private:
  friend class Schema;
  friend class Loader;
  using Key = const void*;
  template <class T>
  static Key key() {
    static const char id = 0;
    return &id;
  }  // one address per type
  Scope* parent_;
  Context context_;
  const Directive* opened_by_;
  std::unordered_map<Key, std::unique_ptr<Settings>> settings_;
  std::vector<std::unique_ptr<Scope>> children_;
};

class Lint;
class Loader;

struct DirectiveSpec {
  std::string_view
      name;  // "*": any name that has no spec of its own in that context (lines of map, types, geo)
  Contexts contexts = 0;
  Arity arity;
  std::string_view syntax;    // "keepalive_timeout timeout [header_timeout];"
  std::string_view fallback;  // the default as text, for the reference; empty: none
  std::string_view doc;       // one or two sentences for doc/directives.md and `conf explain`
  /// Null: accepted, does nothing (tunes nginx's memory layout); the reference says so.
  Result<void> (*apply)(Loader& loader, Scope& scope, const Directive& directive) = nullptr;
  std::string_view note = {};  // difference from nginx, if any
};

/// The union of all modules' tables. Built once per load, by Server; no globals.
class Schema {
 public:
  void add(std::span<const DirectiveSpec> table);  // the table outlives the Schema (static const)
  template <class T>
  void add_settings() {
    kinds_.push_back(
        {Scope::key<T>(), [] { return std::unique_ptr<Settings>(std::make_unique<T>()); }});
  }
  const DirectiveSpec* find(std::string_view name,
                            Context context) const;  // null: not allowed there
  std::vector<const DirectiveSpec*> find_all(std::string_view name) const;
  std::vector<const DirectiveSpec*> all() const;  // sorted by name
  std::optional<std::string_view> nearest(std::string_view name) const;
  /// Fills every scope's settings and inherits, outermost first.
  void resolve(Scope& scope) const;
  /// A module's rules for the check; see conf/lint.h.
  void add_lint(void (*rules)(Lint&)) { lint_.push_back(rules); }
  void lint(Lint& lint) const {
    for (const auto rules : lint_)
      rules(lint);
  }

 private:
  struct Kind {
    const void* key;
    std::unique_ptr<Settings> (*make)();
  };
  std::unordered_map<std::string_view, std::vector<const DirectiveSpec*>> by_name_;
  std::vector<Kind> kinds_;
  std::vector<void (*)(Lint&)> lint_;
};

/// A remark of the check: not an error.
struct Warning {
  Place place;
  std::string text;
};

/// Walks the tree, checks names, contexts and arity, calls the tables. Handed to every apply
/// function.
class Loader {
 public:
  Loader(const Schema& schema, std::string prefix, std::string conf_prefix);
  Result<void> load(const std::vector<Directive>& directives, Scope& scope);
  /// For block directives: makes a child scope, loads the block in it, returns it.
  Result<Scope*> load_block(const Directive& directive, Scope& parent, Context context);

  /// `what` with the directive's name and place. It may complete `"root" directive ...` ("is
  /// duplicate", "must be
  /// ..."), or be a sentence: one that names the directive in quotes, or begins with "invalid" or
  /// "unknown" as nginx's do, stands as it is; any other follows a colon. An error that an apply
  /// function passes on without a place (from a Template, a Regex) gets its directive's.
  static Error fail(const Directive& directive, std::string_view what);
  static Error fail_at(const Place& place, std::string_view what);
  void warn(const Place& place, std::string text) { warnings_.push_back({place, std::move(text)}); }
  const std::vector<Warning>& warnings() const { return warnings_; }

  // Values, with errors that name the place and the mend.
  template <class T>
  Result<void> set_once(Inherited<T>& field, T value, const Directive& d) {
    if (field.is_set()) return fail(d, "is duplicate");
    field.set(std::move(value));
    return {};
  }
  Result<bool> flag(const Directive& d, std::size_t i = 0) const;  // on | off
  Result<std::uint64_t> number(const Directive& d, std::size_t i = 0) const;
  Result<std::uint64_t> size(const Directive& d, std::size_t i = 0) const;  // bytes
  Result<Duration> duration(const Directive& d, std::size_t i = 0) const;
  /// One of the words; otherwise an error that lists them.
  Result<std::size_t> choice(const Directive& d, std::size_t i,
                             std::span<const std::string_view> words) const;
  std::string path(std::string_view text) const;  // relative to the prefix (-p)
  std::string conf_path(
      std::string_view text) const;  // relative to the main file's folder (keys, password files)
  const std::string& prefix() const { return prefix_; }
  const std::string& conf_prefix() const { return conf_prefix_; }

  /// What modules need while loading and the core does not know (the variable table, ...), by type;
  /// set by the owner.
  template <class T>
  void provide(T& service) {
    services_[service_key<T>()] = &service;
  }
  template <class T>
  T& service() const {
    return *static_cast<T*>(services_.at(service_key<T>()));
  }

 private:
  template <class T>
  static const void* service_key() {
    static const char id = 0;
    return &id;
  }
  const Schema& schema_;
  const std::string prefix_, conf_prefix_;
  std::vector<Warning> warnings_;
  std::unordered_map<const void*, void*> services_;
};

/// One loaded configuration: what was written and what it means. Immutable once complete; owned by
/// a Generation.
struct Configuration {
  std::unique_ptr<Document> document;
  std::unique_ptr<Scope> main;
  std::vector<Warning> warnings;
};

}  // namespace gatescope::conf
