#pragma once

// Steps of install and uninstall that touch the file system; each says what it did, or what it
// would do.

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/ops/install.h"

namespace gatescope::ops {

class InstallFiles {
 public:
  InstallFiles(const InstallRequest& request, InstallEvents& events)
      : request_(request), events_(events) {}

  /// Below the root.
  std::string at(const std::string& path) const { return request_.root + path; }
  void say(Step step, const std::string& text) { events_.on_step(step, text); }
  /// Says that it is done or would be; false: it is not to be done.
  bool may(const std::string& text);

  /// `user`, `group`: nullptr: root.
  Result<void> folder(const std::string& path, unsigned mode, const char* user = nullptr,
                      const char* group = nullptr);
  /// A file that operators edit. What was shipped is remembered, so that an unedited one follows an
  /// update and an edited one stays, with the new one beside it as PATH.new.
  Result<void> edited_file(const std::string& path, std::string_view text);
  /// Copies a program, in one step: a running one goes on with what it was.
  Result<void> program(const std::string& from, const std::string& path);
  Result<void> remove(const std::string& path);
  Result<void> remove_all_below(const std::string& path);

  /// As the machine below the root knows them.
  bool has_user(const char* name) const { return user_id(name).has_value(); }
  std::optional<std::pair<uid_t, gid_t>> user_id(const char* name) const;
  std::optional<gid_t> group_id(const char* name) const;

 private:
  std::string shipped_path(const std::string& path) const;
  Result<void> write(const std::string& path, std::string_view text);
  Result<void> remember(const std::string& path, std::string_view text);

  const InstallRequest& request_;
  InstallEvents& events_;
};

}  // namespace gatescope::ops
