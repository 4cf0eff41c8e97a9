#include "proxy/net/uv_stream.h"

#include <sys/sendfile.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace gatescope::net {

namespace {

constexpr std::size_t kPieces = 64;              // per system call; a turn's answers are fewer
constexpr std::size_t kPerRequest = 128 * 1024;  // bytes handed to libuv at a time, about

void on_alloc(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) noexcept {
  UvStream* stream = static_cast<StreamBlock*>(handle->data)->owner;
  *buffer = stream != nullptr ? stream->core().read_buffer() : uv_buf_init(nullptr, 0);
}
void on_read_event(uv_stream_t* handle, ssize_t count, const uv_buf_t* buffer) noexcept {
  UvStream* stream = static_cast<StreamBlock*>(handle->data)->owner;
  if (stream != nullptr) stream->on_read(count, buffer->base);
}
void on_write_event(uv_write_t* request, int status) noexcept {
  auto* block = static_cast<StreamBlock*>(request->data);
  if (block->owner != nullptr) block->owner->on_written(status);
}

}  // namespace

void CloseStreamBlock::operator()(StreamBlock* block) const {
  block->owner = nullptr;
  block->connecting = nullptr;
  uv_close(&block->handle,
           [](uv_handle_t* handle) noexcept { delete static_cast<StreamBlock*>(handle->data); });
}

StreamBlockPtr make_stream_block(UvCore& core, Endpoint::Family family) {
  auto* block = new StreamBlock;
  if (family == Endpoint::Family::Unix) {
    uv_pipe_init(core.uv(), &block->pipe, 0);
  } else {
    uv_tcp_init(core.uv(), &block->tcp);
  }
  block->handle.data = block;
  return StreamBlockPtr(block);
}

UvStream::UvStream(UvCore& core, StreamBlockPtr block, const Endpoint& peer, const Endpoint& local,
                   Origin origin)
    : core_(core), block_(std::move(block)), peer_(peer), origin_(origin), local_(local) {
  block_->owner = this;
}

UvStream::~UvStream() {
  if (!reset_on_close_) return;
  const linger at_once{1, 0};
  ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

int UvStream::fd() const {
  uv_os_fd_t fd = -1;
  uv_fileno(&block_->handle, &fd);
  return fd;
}

const Endpoint& UvStream::local() const {
  if (local_.family() == Endpoint::Family::None) {
    sockaddr_storage storage{};
    socklen_t size = sizeof(storage);
    if (::getsockname(fd(), reinterpret_cast<sockaddr*>(&storage), &size) == 0) {
      local_ = Endpoint::of_sockaddr(reinterpret_cast<sockaddr*>(&storage), size);
    }
  }
  return local_;
}

void UvStream::start_reading() {
  if (reading_ || ended_ || state_ == State::Failed) return;
  const int status = uv_read_start(&block_->stream, on_alloc, on_read_event);
  if (status == 0) {
    reading_ = true;
  } else if (state_ == State::Open) {
    fail_later(-status, "recv()");
  }
}

void UvStream::stop_reading() {
  if (reading_) uv_read_stop(&block_->stream);
  reading_ = false;
}

void UvStream::on_read(ssize_t count, const char* data) {
  if (count == 0) return;  // libuv's EAGAIN
  if (count > 0) {
    if (events_ != nullptr) {
      events_->on_data(std::as_bytes(std::span(data, static_cast<std::size_t>(count))));
    }
    return;
  }
  stop_reading();
  if (count == UV_EOF) {
    ended_ = true;
    if (events_ != nullptr) events_->on_end();
  } else {
    fail_now(system_error(static_cast<int>(-count), "recv()", origin_));
  }
}

Flow UvStream::write(ByteQueue& bytes) {
  if (state_ != State::Open || fin_wanted_) {
    bytes.clear();
    return Flow::Wait;
  }
  const bool idle = !block_->is_sending() && !waiting_;
  if (idle && !try_send(bytes)) {
    bytes.clear();
    return Flow::Wait;
  }
  if (!bytes.empty()) {
    if (!waiting_) waiting_ = std::make_unique<ByteQueue>();
    waiting_->append_all(std::move(bytes));  // leaves it empty, with its memory
    if (!block_->is_sending()) send_waiting();
  }
  if (unsent() <= kHighWater) return Flow::GoOn;
  told_to_wait_ = true;
  return Flow::Wait;
}

// A failure of the socket is left to write(), which meets it too; one of the file to its reader.
std::optional<std::size_t> UvStream::send_file(int file, std::uint64_t offset, std::size_t size) {
  if (state_ != State::Open || fin_wanted_ || block_->is_sending() || waiting_) return std::nullopt;
  auto at = static_cast<off_t>(offset);
  const auto sent = ::sendfile(fd(), file, &at, size);
  if (sent <= 0) return std::nullopt;
  return static_cast<std::size_t>(sent);
}

bool UvStream::try_send(ByteQueue& bytes) {
  while (!bytes.empty()) {
    std::array<std::span<const std::byte>, kPieces> pieces;
    std::array<uv_buf_t, kPieces> buffers;
    const std::size_t count = bytes.peek(pieces);
    std::size_t total = 0;
    for (std::size_t i = 0; i < count; ++i) {
      // libuv does not write through the pointer.
      auto* base = const_cast<char*>(reinterpret_cast<const char*>(pieces[i].data()));
      buffers[i].base = base;
      buffers[i].len = pieces[i].size();
      total += pieces[i].size();
    }
    const int sent = uv_try_write(&block_->stream, buffers.data(), static_cast<unsigned>(count));
    if (sent == UV_EAGAIN) return true;
    if (sent < 0) {
      fail_later(-sent, "send()");
      return false;
    }
    bytes.consume(static_cast<std::size_t>(sent));
    if (static_cast<std::size_t>(sent) < total) return true;
  }
  return true;
}

// Precondition: nothing in flight, something waiting. The pieces in flight are out of the queue,
// whose tail may move.
void UvStream::send_waiting() {
  auto& request = block_->make_request();
  auto& in_flight = request.in_flight;
  std::array<uv_buf_t, kPieces> buffers;
  std::size_t total = 0;
  while (!waiting_->empty() && in_flight.size() < kPieces && total < kPerRequest) {
    in_flight.push_back(waiting_->pop_front());
    const SharedBytes& piece = in_flight.back();
    auto* base = const_cast<char*>(reinterpret_cast<const char*>(piece.data()));
    buffers[in_flight.size() - 1].base = base;
    buffers[in_flight.size() - 1].len = piece.size();
    total += piece.size();
  }
  if (waiting_->empty()) waiting_.reset();
  const int status = uv_write(&request.write, &block_->stream, buffers.data(),
                              static_cast<unsigned>(in_flight.size()), on_write_event);
  if (status < 0) {
    in_flight.clear();
    fail_later(-status, "send()");
  }
}

void UvStream::on_written(int status) {
  block_->request->in_flight.clear();
  if (state_ != State::Open) return;
  if (status < 0) {
    fail_later(-status, "send()");
    return;
  }
  if (waiting_) {
    send_waiting();
  } else if (fin_wanted_) {
    send_fin();
  }
  if (state_ != State::Open) return;
  const bool room = told_to_wait_ && unsent() < kHighWater / 2;
  const bool sent = notify_sent_ && unsent() == 0;
  if (!room && !sent) return;
  if (room) told_to_wait_ = false;
  if (sent) notify_sent_ = false;
  if (events_ != nullptr) events_->on_drained();
}

std::size_t UvStream::unsent() const {
  if (state_ != State::Open) return 0;
  return (waiting_ ? waiting_->size() : 0) + uv_stream_get_write_queue_size(&block_->stream);
}

void UvStream::shut_down() {
  if (state_ != State::Open || fin_wanted_) return;
  fin_wanted_ = true;
  if (!block_->is_sending() && !waiting_) send_fin();
}

void UvStream::send_fin() {
  if (fin_sent_) return;
  fin_sent_ = true;
  if (::shutdown(fd(), SHUT_WR) != 0) fail_later(errno, "shutdown()");
}

void UvStream::fail_later(int error, const char* what) {
  state_ = State::Failing;
  waiting_.reset();
  error_ = std::make_unique<Error>(system_error(error, what, origin_));
  if (error == EPIPE) error_->kind = ErrorKind::Reset;
  core_.loop.at_next_turn_end(*this);  // one more round of reading comes first
}

void UvStream::on_turn_end() {
  if (state_ != State::Failing) return;
  const Error error = std::move(*error_);
  fail_now(error);
}

void UvStream::fail_now(const Error& error) {
  stop_reading();
  waiting_.reset();
  state_ = State::Failed;
  if (events_ != nullptr) events_->on_failed(error);
}

Result<std::unique_ptr<Stream>> open_uv_stream(UvCore& core, UniqueFd fd, const Endpoint& peer,
                                               const Endpoint& local, Origin origin) {
  StreamBlockPtr block = make_stream_block(core, peer.family());
  const int status = peer.family() == Endpoint::Family::Unix ? uv_pipe_open(&block->pipe, fd.get())
                                                             : uv_tcp_open(&block->tcp, fd.get());
  if (status != 0) return system_error(-status, "opening a socket");
  fd.release();  // libuv's now
  return std::unique_ptr<Stream>(
      std::make_unique<UvStream>(core, std::move(block), peer, local, origin));
}

}  // namespace gatescope::net
