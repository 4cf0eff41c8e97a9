#include "proxy/base/log_files.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

namespace gatescope {

LogFiles::~LogFiles() {
  if (!writer_.joinable()) return;
  {
    const std::lock_guard lock(writer_mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  writer_.join();
}

Result<LogFile*> LogFiles::get(const std::string& path, LogFileSettings settings) {
  const std::lock_guard lock(mutex_);
  auto& held = files_[path];
  if (!held) {
    auto fd = opener_.open_log(path);
    if (!fd) {
      files_.erase(path);
      return fd.error();
    }
    held = std::make_unique<LogFile>(std::move(*fd), path, std::move(settings), &opener_);
    if (writer_.joinable()) held->set_waker(this);
  }
  return held.get();
}

Result<Syslog*> LogFiles::syslog(const std::string& words) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto held = syslogs_.find(words); held != syslogs_.end()) return held->second.get();
  }
  const auto settings = SyslogSettings::parse(words);
  if (!settings) return settings.error();
  auto made = Syslog::open(*settings);  // not under the lock: names may be asked for
  if (!made) return made.error();
  const std::lock_guard lock(mutex_);
  return syslogs_.try_emplace(words, *std::move(made)).first->second.get();
}

void LogFiles::start_writer() {
  // Signals are the loop's: a thread inherits the mask of its maker.
  sigset_t every, before;
  sigfillset(&every);
  pthread_sigmask(SIG_SETMASK, &every, &before);
  writer_ = std::thread([this] { run_writer(); });
  pthread_setname_np(writer_.native_handle(), "gs-logs");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  for (auto* file : all())
    file->set_waker(this);
}

void LogFiles::wake() {
  if (woken_.exchange(true)) return;
  { const std::lock_guard lock(writer_mutex_); }  // it waits, or has not looked yet
  wake_.notify_one();
}

void LogFiles::run_writer() {
  const SystemClock clock;
  MonoTime next{}, last{};
  std::unique_lock lock(writer_mutex_);
  while (!stopping_) {
    const auto second = clock.now() + Duration(1000);
    const auto until = next == MonoTime{} ? second : std::min(second, next);
    wake_.wait_until(lock, until, [this] { return stopping_ || woken_.load(); });
    if (stopping_) return;
    // A lone line is written at once; in a crowd one write takes what came since the last one.
    if (woken_.load()) wake_.wait_until(lock, last + kGather, [this] { return stopping_; });
    woken_.store(false);
    lock.unlock();
    last = clock.now();
    next = tick_all(last, clock.wall());
    lock.lock();
  }
}

std::vector<LogFile*> LogFiles::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<LogFile*> files;
  for (const auto& [path, file] : files_)
    files.push_back(file.get());
  return files;
}

MonoTime LogFiles::tick_all(MonoTime now, WallTime wall) {
  MonoTime next{};
  for (auto* file : all()) {
    const auto wanted = file->tick(now, wall);
    if (wanted != MonoTime{} && (next == MonoTime{} || wanted < next)) next = wanted;
  }
  return next;
}

void LogFiles::tick(MonoTime now, WallTime wall) {
  if (!writer_.joinable()) tick_all(now, wall);
}

std::vector<std::string> LogFiles::reopen() {
  std::vector<std::string> failed;
  for (auto* file : all()) {
    auto fd = opener_.open_log(file->path());
    if (fd) {
      file->replace(std::move(*fd));
    } else {
      failed.push_back(fd.error().detail);
    }
  }
  return failed;
}

void LogFiles::flush() {
  for (auto* file : all())
    file->flush();
}

std::uint64_t LogFiles::lost_lines() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t lost = 0;
  for (const auto& [path, file] : files_)
    lost += file->lost_lines();
  for (const auto& [words, target] : syslogs_)
    lost += target->lost_lines();
  for (const auto& [path, loss] : elsewhere_)
    lost += loss.lines;
  return lost;
}

void LogFiles::note_lost(const std::string& path, std::uint64_t lines, int error) {
  const std::lock_guard lock(mutex_);
  auto& loss = elsewhere_[path];
  loss.lines += lines;
  loss.error = error;
}

std::vector<std::string> LogFiles::take_losses(MonoTime now) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> texts;
  const auto say = [&](const std::string& path, std::uint64_t lines, int error) {
    auto& said = said_[path];
    if (lines == said.said || (said.said != 0 && now - said.said_at < kSayAgain)) return;
    const auto reason = error == 0 ? std::string("more waited than may wait for a slow disk")
                                   : system_error(error, "write()").detail;
    texts.push_back(fmt::format("{} lines of the log \"{}\" were lost, the last because {}",
                                lines - said.said, path, reason));
    said.said = lines;
    said.said_at = now;
  };
  for (const auto& [path, file] : files_)
    say(path, file->lost_lines(), file->last_error());
  for (const auto& [words, target] : syslogs_)
    say("syslog:" + words, target->lost_lines(), target->last_error());
  for (const auto& [path, loss] : elsewhere_)
    say(path, loss.lines, loss.error);
  return texts;
}

}  // namespace gatescope
