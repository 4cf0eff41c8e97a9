#pragma once

#include <uv.h>

#include <memory>
#include <vector>

#include "proxy/base/bytes.h"
#include "proxy/net/uv_core.h"

namespace gatescope::net {

class UvStream;
class UvConnecting;

/// The memory that libuv works on; it lives until the close callback, longer than the stream.
struct StreamBlock {
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  };
  struct Request {
    union {  // a connection is made before anything is written
      uv_connect_t connect;
      uv_write_t write;
    };
    std::vector<SharedBytes> in_flight;  // what it sends; empty when nothing is under way
  };
  std::unique_ptr<Request> request;    // null until needed: most streams write all at once
  UvStream* owner = nullptr;           // null before and after the stream's life
  UvConnecting* connecting = nullptr;  // null except while connecting
  StreamBlock() : pipe{} {}
  Request& make_request() {
    if (!request) request.reset(new Request{.write = {}, .in_flight = {}});
    request->connect.data = this;  // uv_req_t's first member, so of each
    return *request;
  }
  bool is_sending() const { return request && !request->in_flight.empty(); }
};
struct CloseStreamBlock {
  void operator()(StreamBlock* block) const;
};
using StreamBlockPtr = std::unique_ptr<StreamBlock, CloseStreamBlock>;

/// A block without a socket yet.
StreamBlockPtr make_stream_block(UvCore& core, Endpoint::Family family);

/// Stream over TCP or a unix socket. Owned by its user.
///   Open -> Failing (a write failed; told at the end of the next turn, after one more round of
///   reading) -> Failed
class UvStream final : public Stream, private TurnHook {
 public:
  /// `origin`: whom to blame for failures. `local` may be empty: it is asked for when needed.
  UvStream(UvCore& core, StreamBlockPtr block, const Endpoint& peer, const Endpoint& local,
           Origin origin);
  ~UvStream() override;

  void set_events(StreamEvents* events) override { events_ = events; }
  void start_reading() override;
  void stop_reading() override;
  Flow write(ByteQueue& bytes) override;
  std::optional<std::size_t> send_file(int file, std::uint64_t offset, std::size_t size) override;
  std::size_t unsent() const override;
  void notify_sent() override { notify_sent_ = true; }
  void shut_down() override;
  void reset_on_close() override { reset_on_close_ = true; }
  const Endpoint& peer() const override { return peer_; }
  const Endpoint& local() const override;

  void on_read(ssize_t count, const char* data);
  void on_written(int status);
  UvCore& core() { return core_; }

 private:
  enum class State { Open, Failing, Failed };

  void on_turn_end() override;
  bool try_send(ByteQueue& bytes);  // false: the socket failed
  void send_waiting();
  void send_fin();
  void fail_later(int error, const char* what);
  void fail_now(const Error& error);
  int fd() const;

  // Constant after construction.
  UvCore& core_;
  const StreamBlockPtr block_;
  const Endpoint peer_;
  const Origin origin_;

  mutable Endpoint local_;          // family None: not asked for yet
  StreamEvents* events_ = nullptr;  // null: what comes is dropped
  State state_ = State::Open;
  std::unique_ptr<Error> error_;  // while Failing
  /// Behind what the block sends; null: nothing, as with most streams all their lives.
  std::unique_ptr<ByteQueue> waiting_;
  bool reading_ = false;
  bool ended_ = false;         // the peer's FIN came
  bool told_to_wait_ = false;  // on_drained is owed
  bool notify_sent_ = false;   // ... when all has left
  bool fin_wanted_ = false;
  bool fin_sent_ = false;
  bool reset_on_close_ = false;
};

/// A stream on a connected descriptor.
Result<std::unique_ptr<Stream>> open_uv_stream(UvCore& core, UniqueFd fd, const Endpoint& peer,
                                               const Endpoint& local, Origin origin);

}  // namespace gatescope::net
