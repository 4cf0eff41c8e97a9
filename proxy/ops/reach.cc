#include "proxy/ops/reach.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>

namespace gatescope::ops {

namespace {

bool may_enter(const struct stat& facts, const Reader& reader) {
  if (reader.user == 0) return true;
  if (facts.st_uid == reader.user) return (facts.st_mode & S_IXUSR) != 0;
  if (std::ranges::find(reader.groups, facts.st_gid) != reader.groups.end())
    return (facts.st_mode & S_IXGRP) != 0;
  return (facts.st_mode & S_IXOTH) != 0;
}

}  // namespace

Result<Reader> reader_named(const std::string& name) {
  const passwd* user = ::getpwnam(name.c_str());
  if (user == nullptr)
    return make_error(ErrorKind::NotFound, Origin::Internal,
                      fmt::format("there is no user \"{}\"", name));
  Reader reader{name, user->pw_uid, std::vector<gid_t>(64)};
  const gid_t own_group = user->pw_gid;
  int count = static_cast<int>(reader.groups.size());
  if (::getgrouplist(name.c_str(), own_group, reader.groups.data(), &count) < 0) {
    reader.groups.resize(static_cast<std::size_t>(count));
    ::getgrouplist(name.c_str(), own_group, reader.groups.data(), &count);
  }
  reader.groups.resize(static_cast<std::size_t>(count));
  return reader;
}

Result<void> can_reach(const std::string& path, const Reader& reader) {
  for (std::size_t slash = 0; (slash = path.find('/', slash + 1)) != std::string::npos;) {
    const std::string folder = path.substr(0, slash);
    struct stat facts {};
    if (::stat(folder.c_str(), &facts) != 0) return {};  // who makes it will say so
    if (may_enter(facts, reader)) continue;
    if (::getxattr(folder.c_str(), "system.posix_acl_access", nullptr, 0) > 0) continue;
    return make_error(
        ErrorKind::Forbidden, Origin::Internal,
        fmt::format("user \"{}\", who serves the site, may not enter {} (mode {:o}): \"chmod o+x "
                    "{}\", or name a root elsewhere (say /var/lib/gatescope/site)",
                    reader.name, folder, facts.st_mode & 07777, folder));
  }
  return {};
}

}  // namespace gatescope::ops
