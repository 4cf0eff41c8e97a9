#pragma once

// The seam between what answers (files, upstream, api) and HTTP.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "proxy/base/bytes.h"
#include "proxy/base/log.h"
#include "proxy/base/result.h"
#include "proxy/http/message.h"
#include "proxy/http/session.h"

namespace gatescope::http {

class Exchange;

/// One per exchange: owns the work (a file, a job, an upstream connection). Destroying it cancels
/// the work. It never restarts itself: it asks the writer (redirect, fail), and the Exchange acts
/// at the end of the turn.
class Responder {
 public:
  virtual ~Responder() = default;
  /// Part of the request body, only while not paused (see ResponseWriter::pause_body).
  virtual void on_body(std::span<const std::byte> data) { (void)data; }
  virtual void on_body_end() {}
  /// More may be written now (after Flow::Wait).
  virtual void on_writable() {}
};

/// Why the request body is held back; two pausers cannot undo each other.
enum class Pause : unsigned { NotStarted = 1, UpstreamFull = 2, WaitingForWorker = 4, User = 8 };

/// What a Responder writes to; the Exchange behind it. Calls after end, fail, redirect are ignored,
/// so that a handler need not ask whether the client is still there.
class ResponseWriter {
 public:
  virtual ~ResponseWriter() = default;
  virtual net::Loop& loop() = 0;
  virtual Arena& arena() = 0;        // of the exchange
  virtual Exchange& exchange() = 0;  // variables, the location's settings, the log
  virtual void informational(int status, const HeaderList& headers) = 0;  // 103, 100
  /// Once. Filters run now (add_header, ...). A status of 300 and above without own body goes
  /// through error_page first when `intercept` is set.
  virtual void head(ResponseHead head, bool intercept = false) = 0;
  /// After head(): whether a body is still wanted; not for HEAD, and not when the answer became
  /// another one (304, 412, 416, an error page). Then end() is all that is left to call.
  virtual bool wants_body() { return true; }
  /// After head() with `seekable`: the parts to be written, in this order; empty: everything. In
  /// the arena.
  virtual std::span<const BytePart> parts() { return {}; }
  virtual Flow write(SharedBytes body) = 0;
  /// As Stream::send_file(), for the next bytes of the body: nullopt when they must be written,
  /// since a filter wants to see them, or the connection is no plain socket with room.
  virtual std::optional<std::size_t> write_file(int file, std::uint64_t offset, std::size_t size) {
    (void)file, (void)offset, (void)size;
    return std::nullopt;
  }
  virtual void end(const HeaderList& trailers = {}) = 0;
  /// Head, body and end in one: what a handler that answers at once calls.
  virtual void answer(ResponseHead head, SharedBytes body) = 0;
  /// Internal redirect: "/uri?args" or "@named". Bounded (10, as nginx).
  virtual void redirect(std::string_view uri) = 0;
  /// An answer without a body of its own: error_page, then the default page. Any status that has
  /// one (also 204, 301 with `location`).
  virtual void status(int status, std::string_view location = {}) = 0;
  /// Logs the error with its detail, answers what its kind and origin say (or cuts, when the head
  /// was sent).
  virtual void fail(const Error& error) = 0;
  /// The whole request body is wanted before anything is done with it: it is kept, and
  /// Responder::on_body_end() comes when it is there (Exchange::kept_body()). Instead of
  /// resume_body(NotStarted). Not when kept_body() is there already, after an internal redirect.
  virtual void keep_body() = 0;
  virtual void pause_body(Pause reason) = 0;
  virtual void resume_body(Pause reason) = 0;
  /// After head() with 101 and before anything else: the connection. The exchange is over when the
  /// tunnel is destroyed.
  virtual std::unique_ptr<ByteTunnel> upgrade() = 0;
  /// An error log line with client, server, request and host behind it, as nginx writes.
  virtual void log(LogLevel level, std::string_view message) = 0;
};

/// What kind of work an answer was, for those who count. None: no handler was asked.
enum class HandlerKind : std::uint8_t { None, Files, Proxy, Api, Ops, Other };
inline constexpr std::size_t kHandlerKinds = 6;
std::string_view name_of(HandlerKind kind);  // "files"

/// Shared, immutable, one per location; owned by the Generation. Several loops call it.
class Handler {
 public:
  virtual ~Handler() = default;
  /// Asked once, when the location is built.
  virtual HandlerKind kind() const { return HandlerKind::Other; }
  /// Starts answering. `request` and `writer` outlive the Responder. A handler that can answer at
  /// once does, and returns null: no Responder, no allocation. A Responder gets the request body
  /// once it called writer.resume_body(Pause::NotStarted).
  virtual std::unique_ptr<Responder> start(const Request& request,
                                           ResponseWriter& writer) const = 0;
};

}  // namespace gatescope::http
