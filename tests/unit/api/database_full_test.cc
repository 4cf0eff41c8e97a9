// The disk that the embedded database is on fills up. A real one: a small tmpfs in a mount
// namespace of the test's own, which it cannot leave behind.

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "tests/unit/api/loss_fixture.h"

namespace gatescope::api {
namespace {

constexpr const char* kFolder = "GATESCOPE_TEST_SMALL_DISK";

bool write_text(const char* path, const std::string& text) {
  const int fd = ::open(path, O_WRONLY);
  const bool written =
      fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (fd >= 0) ::close(fd);
  return written;
}

/// A file system of that size at `folder`, which only this process and its children see.
bool mount_small_disk(const char* folder, const char* size) {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (::unshare(CLONE_NEWNS | (uid == 0 ? 0 : CLONE_NEWUSER)) != 0) return false;
  if (uid != 0) {
    const std::string u = std::to_string(uid), g = std::to_string(gid);
    if (!write_text("/proc/self/setgroups", "deny") ||
        !write_text("/proc/self/uid_map", u + " " + u + " 1") ||
        !write_text("/proc/self/gid_map", g + " " + g + " 1"))
      return false;
  }
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", folder, "tmpfs", 0, (std::string("mode=0755,size=") + size).c_str()) == 0;
}

constexpr int kNotAllowed = 99;

/// This test again, where the folder is a small disk. The exit status.
int again_on_small_disk(const std::string& folder) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!mount_small_disk(folder.c_str(), "80m")) ::_exit(kNotAllowed);
    ::setenv(kFolder, folder.c_str(), 1);
    ::execl("/proc/self/exe", "test_api", "[small-disk]", nullptr);
    ::_exit(100);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Fills the disk to its last byte.
void fill(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  REQUIRE(fd >= 0);
  const std::string block(4096, 'x');
  while (::write(fd, block.data(), block.size()) > 0) {
  }
  ::close(fd);
}

TEST_CASE(
    "the disk of the embedded database is full: nothing stored is lost, and it goes on when there "
    "is room",
    "[small-disk]") {
  const char* small = std::getenv(kFolder);
  if (small == nullptr) {
    const OpenFolder folder;
    const int status = again_on_small_disk(folder.path());
    if (status == kNotAllowed) {
      WARN("not tried: this system allows no mount namespace");
      return;
    }
    CHECK(status == 0);
    return;
  }
  const std::string disk = small;
  LossFixture f({}, disk + "/state");
  for (unsigned n = kFirst; n < kFirst + 5; ++n)
    CHECK(f.get_at_last(*f.handler, path_of(n)) == "200 " + answer_of(n));
  fill(disk + "/ballast");
  // Large entries until PostgreSQL has no room for them, in its tables or its log
  constexpr unsigned kLarge = 100;
  std::string terms;
  std::uint64_t random = 1;  // not to be packed well
  for (int i = 0; i < 100'000; ++i) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    terms += (i > 0 ? "," : "") + std::to_string(random >> 40);
  }
  unsigned n = kLarge, refused = 0;
  for (; refused == 0 && n < kLarge + 300; ++n) {
    f.write_entry(n, terms, "Number " + std::to_string(n) + ".");
    const Asked asked(*f.loop, *f.handler, path_of(n));
    REQUIRE(f.until([&] { return asked.writer.ended; }));
    if (asked.writer.status_code == 200) continue;
    LossFixture::check_come_again(asked);
    refused = n;
  }
  CHECK(refused != 0);
  INFO(f.log.text());
  CHECK((f.log.has("No space left on device") || f.log.has("disk full") || f.log.has("process")));
  f.check_memory();
  const auto asked = f.ask(kFirst + 5, kLast);
  f.check_in_order(asked, kFirst + 5);
  REQUIRE(::unlink((disk + "/ballast").c_str()) == 0);
  f.check_recovered();
  CHECK(f.get_at_last(*f.handler, path_of(refused)).starts_with("200 "));
}

}  // namespace
}  // namespace gatescope::api
