#include "proxy/net/uv_core.h"

namespace gatescope::net {

namespace {

/// DescriptorWatch over uv_poll_t. Owned by its user, who also owns the descriptor and closes it
/// afterwards.
class UvWatch final : public DescriptorWatch {
 public:
  UvWatch(UvCore& core, int fd, DescriptorEvents& events)
      : fd_(fd), events_(events), handle_(*this) {
    const int status = uv_poll_init(core.uv(), handle_.get(), fd);
    usable_ = status == 0;
    if (usable_) return;
    core.log.print(LogLevel::Alert, "descriptor {} cannot be watched ({}: {})", fd, -status,
                   uv_strerror(status));
  }
  void set(bool readable, bool writable) override;
  void on_ready(int status, int ready);

 private:
  const int fd_;
  DescriptorEvents& events_;
  UvHandle<uv_poll_t, UvWatch> handle_;
  bool usable_ = false;
  int wanted_ = 0;  // UV_READABLE and UV_WRITABLE as libuv was told
};

void UvWatch::set(bool readable, bool writable) {
  const int wanted = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
  if (wanted == wanted_ || !usable_) return;
  wanted_ = wanted;
  if (wanted == 0) {
    uv_poll_stop(handle_.get());
    return;
  }
  uv_poll_start(handle_.get(), wanted, [](uv_poll_t* handle, int status, int ready) noexcept {
    UvWatch* watch = UvHandle<uv_poll_t, UvWatch>::owner_of(handle);
    if (watch != nullptr) watch->on_ready(status, ready);
  });
}

// An error on the descriptor stops libuv's handle; the user finds out which by trying.
void UvWatch::on_ready(int status, int ready) {
  if (status < 0) {
    const int wanted = wanted_;
    wanted_ = 0;
    events_.on_ready(fd_, (wanted & UV_READABLE) != 0, (wanted & UV_WRITABLE) != 0);
  } else {
    events_.on_ready(fd_, (ready & UV_READABLE) != 0, (ready & UV_WRITABLE) != 0);
  }
}

}  // namespace

std::unique_ptr<DescriptorWatch> make_uv_watch(UvCore& core, int fd, DescriptorEvents& events) {
  return std::make_unique<UvWatch>(core, fd, events);
}

}  // namespace gatescope::net
