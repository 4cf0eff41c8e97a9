#include "proxy/http/body_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace gatescope::http {
namespace {

constexpr int kAttempts = 100;  // names that are taken already (files of an earlier process)
constexpr std::size_t kClosing = 1024;  // files that wait to be closed; more are closed at once

/// Always 500: what the disk refuses is never the client's fault, whatever errno says.
Error failed(std::string_view call, const std::string& path) {
  auto error = system_error(errno, fmt::format("{}() \"{}\"", call, path));
  error.kind = ErrorKind::System;
  return error;
}

/// nginx's layout: the number in ten digits, folders named by its last digits.
std::string name_of(const BodyStorage& storage, std::uint64_t number) {
  const auto digits = fmt::format("{:010}", number % 10'000'000'000);
  std::string path = storage.folder;
  auto end = digits.size();
  for (const unsigned level : storage.levels) {
    end -= level;
    path.append("/").append(digits, end, level);
  }
  return path.append("/").append(digits);
}

}  // namespace

BodyFile::BodyFile(const BodyStorage& storage, std::uint64_t number)
    : storage_(storage), number_(number) {}

BodyFile::~BodyFile() {
  close();
}

Result<void> BodyFile::open() {
  for (int attempt = 0; attempt < kAttempts; ++attempt, number_ += 7919) {
    path_ = name_of(storage_, number_);
    fd_.reset(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd_ && errno == ENOENT) {
      std::error_code ignored;  // open() says what is wrong
      std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
      fd_.reset(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    }
    if (fd_) {
      if (storage_.file_only == BodyStorage::FileOnly::Off) ::unlink(path_.c_str());
      return {};
    }
    if (errno != EEXIST) break;
  }
  return failed("open", path_);
}

Result<void> BodyFile::append(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (closed_)
    return make_error(ErrorKind::Cancelled, Origin::Internal, "the request is over already");
  if (!fd_)
    if (auto opened = open(); !opened) return opened;
  while (!bytes.empty()) {
    const auto n = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return failed("pwrite", path_);
    size_ += static_cast<std::uint64_t>(n);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<std::string> BodyFile::read(std::uint64_t offset, std::size_t size) {
  const std::lock_guard lock(mutex_);
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const auto n =
        ::pread(fd_.get(), bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("pread", path_);
    if (n == 0)
      return make_error(ErrorKind::System, Origin::Internal,
                        fmt::format("pread() \"{}\": the file was cut", path_));
    done += static_cast<std::size_t>(n);
  }
  return bytes;
}

void BodyFile::rewind() {
  const std::lock_guard lock(mutex_);
  size_ = 0;
}

void BodyFile::close() {
  const std::lock_guard lock(mutex_);
  if (fd_ && storage_.file_only == BodyStorage::FileOnly::Clean) ::unlink(path_.c_str());
  fd_.reset();
  closed_ = true;
}

BodyFiles::BodyFiles(net::Loop& loop) : loop_(loop) {
  std::uint32_t random = 0;  // files that an earlier process left are not met one by one
  if (::getrandom(&random, sizeof random, 0) != sizeof random) random = 0;
  next_number_ = random;
}

net::WorkerLane& BodyFiles::lane() {
  if (!lane_) lane_ = loop_.make_lane({.name = "gs-bodies", .threads = 2, .queue_limit = 4096});
  return *lane_;
}

std::shared_ptr<BodyFile> BodyFiles::make(const BodyStorage& storage) {
  return std::make_shared<BodyFile>(storage, next_number_++);
}

void BodyFiles::close(std::shared_ptr<BodyFile> file) {
  if (closing_.size() >= kClosing) return;  // the last owner closes
  const auto key = next_key_++;
  auto ticket = lane().submit(
      [file = std::move(file)](unsigned) { file->close(); },
      [this, key] { std::erase_if(closing_, [key](const Closing& c) { return c.key == key; }); });
  if (ticket) closing_.push_back({key, std::move(*ticket)});
}

}  // namespace gatescope::http
