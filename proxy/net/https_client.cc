#include "proxy/net/https_client.h"

#include <curl/curl.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string_view>

#include "proxy/base/text.h"

namespace gatescope::net {

namespace {

// Heads of honest servers are a few KB; curl 7.88 limits a line only.
constexpr std::size_t kMaxHeaders = 256 * 1024;

class CurlTransfer;

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// HttpsClient over curl's multi interface: curl asks for a timer and for descriptors to be
/// watched, the loop tells it what happened. Owned by its user; transfers that outlive it end in
/// silence.
class CurlClient final : public HttpsClient, private TimerEvents, private DescriptorEvents {
 public:
  CurlClient(Loop& loop, HttpsClientSettings settings);
  ~CurlClient() override;
  std::unique_ptr<HttpsTransfer> start(HttpsRequest request, HttpsEvents& events) override;

  // What curl asks for.
  void on_socket(curl_socket_t fd, int what);
  void on_timeout_change(long milliseconds);
  // What transfers ask for.
  CURLM* multi() { return multi_; }
  Loop& loop() { return loop_; }
  const HttpsClientSettings& settings() const { return settings_; }
  void forget(CurlTransfer& transfer) { std::erase(transfers_, &transfer); }

 private:
  void on_timer(Timer& timer) override;
  void on_ready(int fd, bool readable, bool writable) override;
  void tell_curl(curl_socket_t fd, int what);

  // Constant after construction.
  Loop& loop_;
  const HttpsClientSettings settings_;
  CURLM* const multi_;
  const std::unique_ptr<Timer> timer_;

  std::map<curl_socket_t, std::unique_ptr<DescriptorWatch>> watches_;
  std::vector<CurlTransfer*> transfers_;  // not finished yet
};

/// One transfer. Owned by whoever started it.
///   Running -> Finished (curl is done; told at the end of the turn) -> Told
class CurlTransfer final : public HttpsTransfer, private TurnHook {
 public:
  CurlTransfer(CurlClient& client, HttpsRequest request, HttpsEvents& events);
  ~CurlTransfer() override { detach(); }

  void on_done(CURLcode code);
  bool on_header(std::string_view line);
  bool on_body(std::string_view bytes);
  /// Takes the transfer away from the client.
  void detach();

 private:
  enum class State { Running, Finished, Told };

  void set_options();
  void set_method();
  void set_headers();
  void on_turn_end() override;
  HttpsAnswer take_answer();
  bool length_known(const HttpsAnswer& answer) const;
  Error error() const;
  ErrorKind error_kind() const;

  // Constant after construction.
  CurlClient* client_;  // null once detached
  Loop& loop_;
  const HttpsRequest request_;
  HttpsEvents& events_;
  std::unique_ptr<curl_slist, FreeList> header_list_;
  const std::unique_ptr<CURL, FreeEasy> easy_;

  State state_ = State::Running;
  CURLcode code_ = CURLE_OK;    // while Finished
  bool head_complete_ = false;  // what follows are trailers
  bool too_large_ = false;
  std::size_t header_bytes_ = 0;
  HttpsAnswer answer_;
  char message_[CURL_ERROR_SIZE] = "";
};

// curl's callbacks.

int curl_socket_callback(CURL*, curl_socket_t fd, int what, void* client, void*) noexcept {
  static_cast<CurlClient*>(client)->on_socket(fd, what);
  return 0;
}
int timer_callback(CURLM*, long milliseconds, void* client) noexcept {
  static_cast<CurlClient*>(client)->on_timeout_change(milliseconds);
  return 0;
}
std::size_t header_callback(char* data, std::size_t, std::size_t size, void* transfer) noexcept {
  return static_cast<CurlTransfer*>(transfer)->on_header({data, size}) ? size : 0;
}
std::size_t body_callback(char* data, std::size_t, std::size_t size, void* transfer) noexcept {
  return static_cast<CurlTransfer*>(transfer)->on_body({data, size}) ? size : size + 1;
}
int new_socket_callback(void*, curl_socket_t fd, curlsocktype) noexcept {
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);  // curl 7.88 leaves it open for children
  return CURL_SOCKOPT_OK;
}

CurlClient::CurlClient(Loop& loop, HttpsClientSettings settings)
    : loop_(loop),
      settings_(std::move(settings)),
      multi_(curl_multi_init()),
      timer_(loop.make_timer(*this)) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, curl_socket_callback);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, timer_callback);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS,
                    static_cast<long>(settings_.connections_per_host));
}

CurlClient::~CurlClient() {
  while (!transfers_.empty())
    transfers_.back()->detach();
  watches_.clear();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, nullptr);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, nullptr);
  curl_multi_cleanup(multi_);
}

std::unique_ptr<HttpsTransfer> CurlClient::start(HttpsRequest request, HttpsEvents& events) {
  auto transfer = std::make_unique<CurlTransfer>(*this, std::move(request), events);
  transfers_.push_back(transfer.get());
  return transfer;
}

// curl closes the descriptor soon after CURL_POLL_REMOVE, and its number may come back in the same
// turn: so the watch stops at once, though it may be the one whose callback is on the stack.
void CurlClient::on_socket(curl_socket_t fd, int what) {
  if (what == CURL_POLL_REMOVE) {
    const auto found = watches_.find(fd);
    if (found == watches_.end()) return;
    found->second->set(false, false);
    loop_.discard(std::move(found->second));
    watches_.erase(found);
    return;
  }
  auto& watch = watches_[fd];
  if (!watch) watch = loop_.watch(fd, *this);
  watch->set((what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0);
}

// Zero too goes through the timer: curl must not be called from its own callback.
void CurlClient::on_timeout_change(long milliseconds) {
  if (milliseconds < 0) {
    timer_->stop();
  } else {
    timer_->start(Duration(milliseconds));
  }
}

void CurlClient::on_timer(Timer&) {
  tell_curl(CURL_SOCKET_TIMEOUT, 0);
}

void CurlClient::on_ready(int fd, bool readable, bool writable) {
  tell_curl(fd, (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
}

// Users hear of it at the end of the turn, when curl is not on the stack.
void CurlClient::tell_curl(curl_socket_t fd, int what) {
  int running = 0;
  curl_multi_socket_action(multi_, fd, what, &running);
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;  // the message dies with the handle's removal
    CurlTransfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    transfer->on_done(code);
  }
}

CurlTransfer::CurlTransfer(CurlClient& client, HttpsRequest request, HttpsEvents& events)
    : client_(&client),
      loop_(client.loop()),
      request_(std::move(request)),
      events_(events),
      easy_(curl_easy_init()) {
  set_options();
  set_method();
  set_headers();
  curl_multi_add_handle(client.multi(), easy_.get());
}

void CurlTransfer::set_options() {
  CURL* easy = easy_.get();
  const HttpsClientSettings& settings = client_->settings();
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);  // nothing in curl limits the host
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // do not wait for a resolver when cancelled
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                   static_cast<long>(std::max<Duration::rep>(1, request_.timeout.count())));
  curl_easy_setopt(easy, CURLOPT_USERAGENT, settings.agent.c_str());
  if (!settings.use_environment_proxy) {
    curl_easy_setopt(easy, CURLOPT_PROXY, settings.proxy.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (!request_.verify) {
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!request_.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, request_.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  if (request_.accept_gzip) curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
  // By Content-Length only; on_body() counts what comes.
  curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request_.max_body));
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, message_);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_callback);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_callback);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, new_socket_callback);
}

void CurlTransfer::set_method() {
  CURL* easy = easy_.get();
  const bool has_body = request_.method == "POST" || !request_.body.empty();
  if (has_body) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.c_str());  // request_ keeps it
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request_.body.size()));
  }
  if (request_.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (request_.method != (has_body ? "POST" : "GET")) {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
}

void CurlTransfer::set_headers() {
  const auto add = [this](const std::string& line) {
    curl_slist* longer = curl_slist_append(header_list_.get(), line.c_str());
    if (longer == nullptr) return;
    (void)header_list_.release();
    header_list_.reset(longer);
  };
  add("Expect:");  // no 100-continue, which costs a second where the server ignores it
  for (const auto& [name, value] : request_.headers) {
    add(value.empty() ? name + ";" : name + ": " + value);
  }
  curl_easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, header_list_.get());
}

void CurlTransfer::detach() {
  if (client_ == nullptr) return;
  curl_multi_remove_handle(client_->multi(), easy_.get());
  client_->forget(*this);
  client_ = nullptr;
}

// One line with its CRLF. A status line begins anew: 100 and 103 come before the answer.
bool CurlTransfer::on_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxHeaders) {
    too_large_ = true;
    return false;
  }
  if (line.starts_with("HTTP/")) {
    answer_.headers.clear();
    head_complete_ = false;
    return true;
  }
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r'))
    line.remove_suffix(1);
  if (line.empty()) {
    head_complete_ = true;
    return true;
  }
  const std::size_t colon = line.find(':');
  if (head_complete_ || colon == std::string_view::npos) return true;
  answer_.headers.emplace_back(lower(trim(line.substr(0, colon))), trim(line.substr(colon + 1)));
  return true;
}

bool CurlTransfer::on_body(std::string_view bytes) {
  too_large_ = bytes.size() > request_.max_body - answer_.body.size();
  if (!too_large_) answer_.body.append(bytes);
  return !too_large_;
}

void CurlTransfer::on_done(CURLcode code) {
  code_ = code;
  state_ = State::Finished;
  loop_.at_turn_end(*this);
}

void CurlTransfer::on_turn_end() {
  if (state_ != State::Finished) return;
  state_ = State::Told;
  if (code_ == CURLE_OK) {
    HttpsAnswer answer = take_answer();
    detach();
    events_.on_answer(std::move(answer));
  } else {
    const Error failure = error();
    detach();
    events_.on_request_failed(failure);
  }
}

HttpsAnswer CurlTransfer::take_answer() {
  HttpsAnswer answer = std::move(answer_);
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  const auto text = [this](CURLINFO info) {
    const char* value = nullptr;
    curl_easy_getinfo(easy_.get(), info, &value);
    return std::string(value != nullptr ? value : "");
  };
  answer.effective_url = text(CURLINFO_EFFECTIVE_URL);
  answer.redirect_url = text(CURLINFO_REDIRECT_URL);
  answer.content_type = text(CURLINFO_CONTENT_TYPE);
  answer.length_known = length_known(answer);
  return answer;
}

bool CurlTransfer::length_known(const HttpsAnswer& answer) const {
  long version = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_HTTP_VERSION, &version);
  if (version >= CURL_HTTP_VERSION_2_0) return true;
  if (request_.method == "HEAD" || answer.status == 204 || answer.status == 304) return true;
  return std::any_of(answer.headers.begin(), answer.headers.end(), [](const auto& header) {
    if (header.first == "content-length") return true;
    return header.first == "transfer-encoding" && lower(header.second).ends_with("chunked");
  });
}

Error CurlTransfer::error() const {
  const std::string reason = message_[0] != '\0' ? message_ : curl_easy_strerror(code_);
  const char* what = too_large_ ? "the answer is too large" : reason.c_str();
  return make_error(error_kind(), Origin::Upstream,
                    request_.method + " " + request_.url + ": " + what + " (curl " +
                        std::to_string(static_cast<int>(code_)) + ")");
}

ErrorKind CurlTransfer::error_kind() const {
  if (too_large_) return ErrorKind::TooLarge;
  switch (code_) {
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorKind::Timeout;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return ErrorKind::Unreachable;
    case CURLE_COULDNT_CONNECT: {
      long error = 0;
      curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &error);
      return error == ECONNREFUSED ? ErrorKind::Refused : ErrorKind::Unreachable;
    }
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:  // cut before the length that was promised
      return ErrorKind::Reset;
    case CURLE_FILESIZE_EXCEEDED:
      return ErrorKind::TooLarge;
    default:
      return ErrorKind::Protocol;
  }
}

}  // namespace

std::unique_ptr<HttpsClient> HttpsClient::make(Loop& loop, HttpsClientSettings settings) {
  // Once per process, as curl wants it; the language makes a local static's start thread-safe.
  // It loads the library, which takes milliseconds: here and not with a first transfer.
  static const CURLcode kInitialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)kInitialised;
  return std::make_unique<CurlClient>(loop, std::move(settings));
}

}  // namespace gatescope::net
