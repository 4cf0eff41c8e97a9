#include "proxy/base/result.h"

#include <cerrno>

#include "tests/support/catch.h"

using namespace gatescope;

TEST_CASE("system_error speaks as nginx does and knows the kind") {
  struct Case {
    int number;
    ErrorKind kind;
  };
  for (const Case& c : std::initializer_list<Case>{{ENOENT, ErrorKind::NotFound},
                                                   {ENOTDIR, ErrorKind::NotFound},
                                                   {EACCES, ErrorKind::Forbidden},
                                                   {ECONNREFUSED, ErrorKind::Refused},
                                                   {ECONNRESET, ErrorKind::Reset},
                                                   {ETIMEDOUT, ErrorKind::Timeout},
                                                   {EHOSTUNREACH, ErrorKind::Unreachable},
                                                   {EIO, ErrorKind::System}}) {
    INFO(c.number);
    CHECK(system_error(c.number, "x").kind == c.kind);
  }
  const Error error = system_error(ENOENT, "open() \"/x\"", Origin::Upstream);
  CHECK(error.detail == "open() \"/x\" failed (2: No such file or directory)");
  CHECK(error.origin == Origin::Upstream);
}

TEST_CASE("Result holds a value or an error, never both") {
  const Result<std::string> good = std::string("yes");
  const Result<std::string> bad = make_error(ErrorKind::Busy, Origin::Internal, "later");
  CHECK(good.ok());
  CHECK(*good == "yes");
  CHECK_FALSE(bad.ok());
  CHECK(name_of(bad.error().kind) == "busy");
  CHECK_THROWS(bad.value());
  CHECK_THROWS(good.error());
  CHECK_THROWS(Result<void>().error());
}
