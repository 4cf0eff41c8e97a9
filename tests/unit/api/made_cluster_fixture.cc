#include "tests/unit/api/made_cluster_fixture.h"

#include <cstdlib>
#include <stdexcept>

#include "tests/unit/api/api_fixture.h"
#include "tests/unit/api/pg_cluster.h"

namespace gatescope::api {

namespace {

/// With the words of EmbeddedPostgres::initialise().
class MadeCluster {
 public:
  MadeCluster() : cluster_(folder_ / "made") {
    cluster_.run({"initdb", "-D", data(), "-U", "gatescope", "-A", "peer", "--encoding=UTF8",
                  "--locale=C.UTF-8", "--no-sync", "--no-instructions"});
  }
  std::string data() const { return cluster_.data(); }

 private:
  OpenFolder folder_;
  PgCluster cluster_;
};

}  // namespace

void put_made_cluster(const std::string& state_dir) {
  static const MadeCluster made;
  const auto own = own_os_user();
  const auto user = postgres_os_user();
  const bool prepared = own && user && make_folder(state_dir, 0711, *own) &&
                        make_folder(state_dir + "/postgres", 0700, *user);
  if (!prepared) throw std::runtime_error("no folder for a cluster");
  const auto copy = "cp -a " + made.data() + " " + state_dir + "/postgres/data";
  if (std::system(copy.c_str()) != 0) throw std::runtime_error(copy);
}

}  // namespace gatescope::api
