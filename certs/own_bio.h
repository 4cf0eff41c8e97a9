#pragma once

// The encrypted side of a TLS connection, as OpenSSL sees it. Private to certs/.

#include <cstddef>
#include <span>

#include "certs/openssl_ptr.h"
#include "proxy/base/bytes.h"

namespace gatescope::tls {

/// Two of TLS's four flows. OpenSSL reads `in` until it is empty and then wants more; it never
/// waits for `out`. Belongs to the TlsEngine and outlives the BIO made on it.
struct EncryptedFlows {
  std::span<const std::byte> in;  // came from the peer, not yet read; whose memory: the TlsStream's
  ByteQueue out;                  // to be sent to the peer
};

/// A BIO on these flows, for both directions; null without memory.
BioPtr make_own_bio(EncryptedFlows& flows);

}  // namespace gatescope::tls
