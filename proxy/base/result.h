#pragma once

// What can go wrong, as a value. Exceptions stop at four borders (doc/architecture.md, "Errors");
// everything else returns a Result.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace gatescope {

/// A closed list: whoever handles an error switches over it. One file (proxy/http/error_status.cc)
/// maps kind and origin to a status code.
enum class ErrorKind {
  Closed,       // the other side ended the conversation in order
  Reset,        // ... or without order
  Refused,      // nobody listens (ECONNREFUSED, ENOENT of a unix socket)
  Unreachable,  // no route, no such name
  Timeout,
  Protocol,  // bytes that the protocol does not allow
  TooLarge,  // a limit on size or number was passed
  NotFound,
  Forbidden,
  Invalid,      // the asker's input makes no sense
  Busy,         // a bounded queue is full, try later
  Unavailable,  // a part that is needed is down, try later
  Cancelled,
  System,    // an errno without a kind of its own
  Internal,  // a mistake of this program
};

/// Who is to blame; decides between 4xx, 502/504 and 500.
enum class Origin { Client, Upstream, Internal };

struct Error {
  ErrorKind kind = ErrorKind::Internal;
  Origin origin = Origin::Internal;
  std::string detail;  // for the log; never sent to a client
};

/// `what`: what was tried, e.g. "open() \"/x\"". The detail ends in nginx's "(2: No such file or
/// directory)".
Error system_error(int errno_value, std::string_view what, Origin origin = Origin::Internal);
Error make_error(ErrorKind kind, Origin origin, std::string detail);
std::string_view name_of(ErrorKind kind);

/// A value or an Error. value() on an error (or error() on a value) is a programming mistake and
/// throws.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : held_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return held_.index() == 0; }
  bool ok() const { return held_.index() == 0; }
  T& value() & { return std::get<0>(held_); }
  const T& value() const& { return std::get<0>(held_); }
  T&& value() && { return std::get<0>(std::move(held_)); }
  T* operator->() { return &std::get<0>(held_); }
  const T* operator->() const { return &std::get<0>(held_); }
  T& operator*() & { return std::get<0>(held_); }
  const T& operator*() const& { return std::get<0>(held_); }
  T&& operator*() && { return std::get<0>(std::move(held_)); }
  const Error& error() const& { return std::get<1>(held_); }
  Error&& error() && { return std::get<1>(std::move(held_)); }

 private:
  std::variant<T, Error> held_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return !error_; }
  bool ok() const { return !error_; }
  const Error& error() const& { return error_.value(); }
  Error&& error() && { return std::move(error_).value(); }

 private:
  std::optional<Error> error_;
};

}  // namespace gatescope
