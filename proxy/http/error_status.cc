#include "proxy/http/error_status.h"

namespace gatescope::http {

namespace {

int client_status(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Closed:
    case ErrorKind::Reset:
    case ErrorKind::Cancelled:
      return 499;
    case ErrorKind::Timeout:
      return 408;
    case ErrorKind::TooLarge:
      return 413;
    case ErrorKind::NotFound:
      return 404;
    case ErrorKind::Forbidden:
      return 403;
    case ErrorKind::Busy:
    case ErrorKind::Unavailable:
      return 503;
    default:
      return 400;
  }
}

int upstream_status(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Timeout:
      return 504;
    case ErrorKind::Busy:
    case ErrorKind::Unavailable:
      return 503;
    default:
      return 502;
  }
}

int internal_status(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::NotFound:
      return 404;
    case ErrorKind::Forbidden:
      return 403;
    case ErrorKind::TooLarge:
      return 413;
    case ErrorKind::Invalid:
      return 400;
    case ErrorKind::Busy:
    case ErrorKind::Unavailable:
    case ErrorKind::Timeout:
      return 503;
    default:
      return 500;
  }
}

}  // namespace

int status_of(const Error& error) {
  switch (error.origin) {
    case Origin::Client:
      return client_status(error.kind);
    case Origin::Upstream:
      return upstream_status(error.kind);
    case Origin::Internal:
      return internal_status(error.kind);
  }
  return 500;
}

}  // namespace gatescope::http
