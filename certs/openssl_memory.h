#pragma once

namespace gatescope::tls {

/// OpenSSL's memory comes from what the threads keep (Spare): a connection gives its two buffers
/// for records back after each answer and takes them again with the next request, and malloc() has
/// no quick place for pieces of 17 KB. Once, before anything of OpenSSL's is used; later it has no
/// effect.
void keep_openssl_memory();

}  // namespace gatescope::tls
