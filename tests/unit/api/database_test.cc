#include "api/database.h"

#include <cstdlib>
#include <fstream>

#include "tests/support/catch.h"
#include "tests/unit/api/api_fixture.h"

using namespace gatescope::api;

namespace {

gatescope::Result<std::string> connection_of(const std::string& file) {
  const auto environment = Environment::read(file);
  if (!environment) return environment.error();
  return environment->connection();
}

}  // namespace

TEST_CASE("a .env file of the old service") {
  OpenFolder folder;
  const std::string path = folder / ".env";
  std::ofstream(path)
      << "# settings\nexport POSTGRES_USER=scope\nPOSTGRES_PASSWORD='it\\s \"x\"'\r\n"
         "POSTGRES_DB = \"back scope\"  # the database\n\nPOSTGRES_DISPOSABLE_DB=throw\n"
         "APP_ENVIRONMENT=production # no test\n";
  CHECK(connection_of(path).value() ==
        R"(host='localhost' port='5432' dbname='back scope' user='scope' password='it\\s "x"')");
  std::ofstream(path, std::ios::app) << "APP_ENVIRONMENT=testing\nPOSTGRES_PORT=6000\n";
  CHECK(connection_of(path).value().find("port='6000' dbname='throw'") != std::string::npos);
  ::setenv("POSTGRES_PORT", "7000", 1);
  CHECK(connection_of(path).value().find("port='7000'") != std::string::npos);
  ::unsetenv("POSTGRES_PORT");
}

TEST_CASE("what is missing in it is named") {
  OpenFolder folder;
  CHECK(connection_of(folder / "none").error().detail.find("open()") != std::string::npos);
  std::ofstream(folder / ".env") << "POSTGRES_USER=scope\n";
  CHECK(connection_of(folder / ".env").error().detail.find("needs POSTGRES_DB in") !=
        std::string::npos);
}

TEST_CASE("parameters are added to connection strings of both forms") {
  CHECK(with_parameter("dbname=x", "connect_timeout", "2") == "dbname=x connect_timeout=2");
  CHECK(with_parameter("connect_timeout=9 dbname=x", "connect_timeout", "2") ==
        "connect_timeout=9 dbname=x");
  CHECK(with_parameter("postgresql://h/x", "a", "b") == "postgresql://h/x?a=b");
  CHECK(with_parameter("postgres://h/x?c=d", "a", "b") == "postgres://h/x?c=d&a=b");
}
