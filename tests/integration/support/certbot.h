#pragma once

#include <string>
#include <vector>

#include "tests/integration/support/process.h"
#include "tests/integration/support/temp_dir.h"

namespace gatescope::integration {

/// The real certbot (Debian's package) with folders of its own instead of /etc/letsencrypt. Made
/// by root it keeps keys and archive for root alone.
class Certbot {
 public:
  /// Whether the package is here.
  static bool installed();

  /// `directory`: the authority's; `ca_file`: who is believed for its server.
  Certbot(std::string directory, const std::string& ca_file);

  /// certbot certonly --webroot. The first name is that of the folder in live/.
  Outcome obtain(const std::string& webroot, const std::vector<std::string>& names);
  /// certbot renew --force-renewal, without any hook.
  Outcome renew();

  /// live/NAME/FILE: a link.
  std::string live(const std::string& name, const std::string& file) const {
    return dir_.path("etc/live/" + name + "/" + file);
  }
  std::string archive(const std::string& name) const { return dir_.path("etc/archive/" + name); }

 private:
  Outcome run(std::vector<std::string> words);

  TempDir dir_;
  const std::string directory_;
};

}  // namespace gatescope::integration
