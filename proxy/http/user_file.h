#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "certs/tls_context.h"
#include "proxy/base/clock.h"

namespace gatescope::http {

/// What `name` has behind its colon in an htpasswd file; nullopt: no such line. Lines that begin
/// with '#' are none.
std::optional<std::string_view> find_user(std::string_view file, std::string_view name);

/// One htpasswd file. Read with the configuration (by the keeper, if only root may), and again when
/// it changed: looked at once a second, if the worker may read it. Immutable path; thread-safe.
class UserFile {
 public:
  static constexpr std::size_t kLargest = 4 << 20;  // bytes
  /// `secrets` null: with own rights only.
  UserFile(std::string path, tls::SecretReader* secrets);
  /// The stored password; an error says why the file is not there.
  Result<std::optional<std::string>> find(std::string_view name, MonoTime now);

 private:
  void look_again(MonoTime now);

  const std::string path_;
  std::mutex mutex_;
  Result<std::string> text_;
  MonoTime looked_{};
  std::int64_t modified_ = 0;  // ns
  std::uint64_t inode_ = 0, size_ = 0;
};

/// The files of one configuration, each once.
class UserFiles {
 public:
  explicit UserFiles(tls::SecretReader& secrets) : secrets_(secrets) {}
  std::shared_ptr<UserFile> get(const std::string& path);  // shared by the locations that name it

 private:
  tls::SecretReader& secrets_;
  std::map<std::string, std::shared_ptr<UserFile>> files_;
};

}  // namespace gatescope::http
