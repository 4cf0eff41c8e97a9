#include "proxy/base/result.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace gatescope {
namespace {

ErrorKind kind_of(int errno_value) {
  switch (errno_value) {
    case EPIPE:
      return ErrorKind::Closed;
    case ECONNRESET:
    case ECONNABORTED:
      return ErrorKind::Reset;
    case ECONNREFUSED:
      return ErrorKind::Refused;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
      return ErrorKind::Unreachable;
    case ETIMEDOUT:
      return ErrorKind::Timeout;
    // ENOTDIR: "/file.txt/x" names nothing either, and nginx answers 404 to both.
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
      return ErrorKind::NotFound;
    case EACCES:
    case EPERM:
    case ELOOP:
      return ErrorKind::Forbidden;
    case ECANCELED:
      return ErrorKind::Cancelled;
    default:
      return ErrorKind::System;
  }
}

}  // namespace

Error system_error(int errno_value, std::string_view what, Origin origin) {
  // generic_category().message() is strerror without its shared buffer.
  return {kind_of(errno_value), origin,
          fmt::format("{} failed ({}: {})", what, errno_value,
                      std::generic_category().message(errno_value))};
}

Error make_error(ErrorKind kind, Origin origin, std::string detail) {
  return {kind, origin, std::move(detail)};
}

std::string_view name_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Closed:
      return "closed";
    case ErrorKind::Reset:
      return "reset";
    case ErrorKind::Refused:
      return "refused";
    case ErrorKind::Unreachable:
      return "unreachable";
    case ErrorKind::Timeout:
      return "timeout";
    case ErrorKind::Protocol:
      return "protocol";
    case ErrorKind::TooLarge:
      return "too large";
    case ErrorKind::NotFound:
      return "not found";
    case ErrorKind::Forbidden:
      return "forbidden";
    case ErrorKind::Invalid:
      return "invalid";
    case ErrorKind::Busy:
      return "busy";
    case ErrorKind::Unavailable:
      return "unavailable";
    case ErrorKind::Cancelled:
      return "cancelled";
    case ErrorKind::System:
      return "system";
    case ErrorKind::Internal:
      return "internal";
  }
  return "unknown";
}

}  // namespace gatescope
