#include "certs/own_bio.h"

#include <algorithm>
#include <cstring>

namespace gatescope::tls {
namespace {

using MethodPtr = std::unique_ptr<BIO_METHOD, Freed<BIO_meth_free>>;

EncryptedFlows& flows_of(BIO* bio) {
  return *static_cast<EncryptedFlows*>(BIO_get_data(bio));
}

int on_read(BIO* bio, char* room, std::size_t size, std::size_t* done) noexcept {
  auto& in = flows_of(bio).in;
  BIO_clear_retry_flags(bio);
  *done = std::min(size, in.size());
  if (*done == 0) {
    BIO_set_retry_read(bio);
    return 0;
  }
  std::memcpy(room, in.data(), *done);
  in = in.subspan(*done);
  return 1;
}

int on_write(BIO* bio, const char* data, std::size_t size, std::size_t* done) noexcept {
  flows_of(bio).out.append_copy({data, size});
  *done = size;
  return 1;
}

long on_control(BIO*, int command, long, void*) noexcept {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

// Constant once made; OpenSSL wants it by non-const pointer.
BIO_METHOD* method() {
  static const MethodPtr made = [] {
    MethodPtr method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gatescope"));
    if (method) {
      BIO_meth_set_read_ex(method.get(), on_read);
      BIO_meth_set_write_ex(method.get(), on_write);
      BIO_meth_set_ctrl(method.get(), on_control);
    }
    return method;
  }();
  return made.get();
}

}  // namespace

BioPtr make_own_bio(EncryptedFlows& flows) {
  BioPtr bio(method() == nullptr ? nullptr : BIO_new(method()));
  if (bio) {
    BIO_set_data(bio.get(), &flows);
    BIO_set_init(bio.get(), 1);
  }
  return bio;
}

}  // namespace gatescope::tls
