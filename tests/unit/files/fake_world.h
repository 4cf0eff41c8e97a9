#pragma once

// A loop, a response writer and a folder for the tests of files: time stands still until told, the
// client takes what it is told to take.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "proxy/http/handler.h"
#include "proxy/net/loop.h"

namespace gatescope::files {

class FakeClock final : public Clock {
 public:
  MonoTime now() const override { return now_; }
  WallTime wall() const override { return wall_; }
  void pass(Duration duration) { now_ += duration; }
  /// Far in the future: files on the disk count as long settled.
  void set_wall(WallTime wall) { wall_ = wall; }

 private:
  MonoTime now_{std::chrono::seconds(1000)};
  WallTime wall_{std::chrono::seconds(4102444800)};
};

class FakeTimer final : public net::Timer {
 public:
  explicit FakeTimer(net::TimerEvents& events, FakeTimer** place) : events_(events), place_(place) {
    *place_ = this;
  }
  ~FakeTimer() override { *place_ = nullptr; }
  void start(Duration) override { running_ = true; }
  void stop() override { running_ = false; }
  bool running() const override { return running_; }
  void fire() {
    running_ = false;
    events_.on_timer(*this);
  }

 private:
  net::TimerEvents& events_;
  FakeTimer** const place_;
  bool running_ = false;
};

/// One timer at a time, nothing else.
class FakeLoop final : public net::Loop {
 public:
  FakeClock fake_clock;
  FakeTimer* timer = nullptr;
  net::TurnHooks next_turn;
  void run_next_turn() {
    net::TurnHooks now;
    next_turn.move_to(now);
    now.run();
  }

  const Clock& clock() const override { return fake_clock; }
  std::unique_ptr<net::Timer> make_timer(net::TimerEvents& events) override {
    return std::make_unique<FakeTimer>(events, &timer);
  }
  void at_turn_end(net::TurnHook&) override { unused(); }
  void at_next_turn_end(net::TurnHook& hook) override { next_turn.add(hook); }
  void post(net::Task) override { unused(); }
  Result<std::unique_ptr<net::Listener>> listen(const net::Endpoint&, const net::ListenOptions&,
                                                net::AcceptEvents&) override {
    return unused();
  }
  std::unique_ptr<net::Listener> listen_on(net::BoundSocket, net::AcceptEvents&) override {
    std::abort();
  }
  std::unique_ptr<net::Connecting> connect(const net::Endpoint&, Duration,
                                           net::ConnectEvents&) override {
    unused();
    return nullptr;
  }
  std::shared_ptr<net::WorkerLane> make_lane(const net::LaneOptions&) override {
    unused();
    return nullptr;
  }
  Result<std::unique_ptr<net::Process>> spawn(const net::ProcessOptions&,
                                              net::ProcessEvents&) override {
    return unused();
  }
  std::unique_ptr<net::DescriptorWatch> watch(int, net::DescriptorEvents&) override {
    unused();
    return nullptr;
  }

 protected:
  void discard_raw(void* object, void (*destroy)(void*)) override { destroy(object); }

 private:
  static Error unused() { throw std::logic_error("not part of the fake loop"); }
};

/// Work waits until the test runs it.
class FakeLane final : public net::WorkerLane {
 public:
  bool full = false;
  Result<std::unique_ptr<Ticket>> submit(std::function<void(unsigned)> work,
                                         net::Task done) override {
    if (full) return make_error(ErrorKind::Busy, Origin::Internal, "full");
    work_ = std::move(work);
    done_ = std::move(done);
    return std::unique_ptr<Ticket>(std::make_unique<FakeTicket>(*this));
  }
  std::size_t waiting() const override { return work_ ? 1 : 0; }
  /// Nobody will do it.
  void drop() {
    work_ = nullptr;
    done_ = nullptr;
  }
  void run() {
    auto work = std::move(work_);
    work_ = nullptr;
    work(0);
    if (const auto done = std::move(done_)) done();
  }

 private:
  struct FakeTicket final : Ticket {
    explicit FakeTicket(FakeLane& lane) : lane(lane) {}
    ~FakeTicket() override { lane.done_ = nullptr; }
    FakeLane& lane;
  };
  std::function<void(unsigned)> work_;
  net::Task done_;
};

class FakeWriter final : public http::ResponseWriter {
 public:
  explicit FakeWriter(net::Loop& loop) : loop_(loop) {}
  Flow flow = Flow::GoOn;
  int status_code = 0;  // 0: no answer yet
  std::string location, redirected, body, failed;
  http::ResponseHead sent;
  bool ended = false;
  std::vector<std::string> lines;
  std::vector<std::size_t> pieces;

  std::string_view header(std::string_view name) const {
    return sent.headers.find(name).value_or(std::string_view());
  }

  net::Loop& loop() override { return loop_; }
  Arena& arena() override { return arena_; }
  http::Exchange& exchange() override { throw std::logic_error("no exchange in this test"); }
  void informational(int, const http::HeaderList&) override {}
  void head(http::ResponseHead head, bool) override {
    sent = std::move(head);
    status_code = sent.status;
  }
  bool body_wanted = true;
  bool wants_body() override { return body_wanted; }
  Flow write(SharedBytes bytes) override {
    body += bytes.text();
    pieces.push_back(bytes.size());
    return flow;
  }
  /// How much goes by write_file() at a time; 0: nothing.
  std::size_t file_room = 0;
  std::vector<std::size_t> file_pieces;
  std::optional<std::size_t> write_file(int file, std::uint64_t offset, std::size_t size) override {
    std::string text(std::min(size, file_room), '\0');
    const auto got = ::pread(file, text.data(), text.size(), static_cast<off_t>(offset));
    if (got <= 0) return std::nullopt;
    body += text.substr(0, static_cast<std::size_t>(got));
    file_pieces.push_back(static_cast<std::size_t>(got));
    return static_cast<std::size_t>(got);
  }
  void end(const http::HeaderList&) override { ended = true; }
  void answer(http::ResponseHead response, SharedBytes bytes) override {
    head(std::move(response), false);
    body = bytes.text();
    ended = true;
  }
  void redirect(std::string_view uri) override { redirected = uri; }
  void status(int code, std::string_view where) override {
    status_code = code;
    location = where;
    ended = true;
  }
  void fail(const Error& error) override { failed = error.detail; }
  void keep_body() override {}
  void pause_body(http::Pause) override {}
  void resume_body(http::Pause) override {}
  std::unique_ptr<http::ByteTunnel> upgrade() override { return nullptr; }
  void log(LogLevel level, std::string_view message) override {
    lines.push_back(std::string(name_of(level)).append(": ").append(message));
  }

 private:
  net::Loop& loop_;
  Arena arena_;
};

/// A folder of its own, gone with the test.
class Folder {
 public:
  Folder() {
    char name[] = "/tmp/gatescope-files-XXXXXX";
    if (!::mkdtemp(name)) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string at(std::string_view name) const { return path_ + std::string(name); }
  void make(std::string_view name) const { std::filesystem::create_directories(at(name)); }
  /// In place, as an editor or `cp` does: the same inode.
  std::string write(std::string_view name, std::string_view text) const {
    std::ofstream(at(name), std::ios::binary | std::ios::trunc) << text;
    return at(name);
  }
  /// As a deploy does: another inode under the name.
  void replace(std::string_view name, std::string_view text) const {
    write(std::string(name) + ".new", text);
    std::filesystem::rename(at(std::string(name) + ".new"), at(name));
  }
  void set_time(std::string_view name, std::int64_t seconds) const {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    ::utimensat(AT_FDCWD, at(name).c_str(), times, 0);
  }

 private:
  std::string path_;
};

}  // namespace gatescope::files
