#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"

namespace gatescope::acme {

/// What must outlive the program, in a folder that only its user may enter. Each file is written
/// beside its place, synced and renamed: a crash leaves the old one or the new one. Several
/// gatescopes may share a folder: who holds the lock orders. All of it blocks. A value: copied to
/// the lane that works with it.
///
///   account.key, account.json   who we are to the authority
///   account.key.closed          who we were until it closed the account
///   NAME.pem                    a certificate: its key, then the chain
///   NAME.order                  an order under way: its URL and the key that it is for
///   NAME.status                 how it stands with it, for people
///   challenge-TOKEN, proof-NAME what an authority may ask a gatescope for that shares the folder
///   lock
class StateFolder {
 public:
  explicit StateFolder(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

  /// Makes it (0700) where it is missing, and takes the lock. No descriptor: somebody else holds
  /// it. The lock goes with the descriptor, or with the process.
  Result<UniqueFd> lock() const;
  /// nullopt: there is no such file.
  Result<std::optional<std::string>> read(std::string_view name) const;
  Result<void> write(std::string_view name, std::string_view text) const;  // 0600
  void remove(std::string_view name) const;
  /// Renames it. Never over another: then it is an error.
  Result<void> rename(std::string_view from, std::string_view to) const;

 private:
  std::string path_;
};

}  // namespace gatescope::acme
