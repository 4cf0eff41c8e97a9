#pragma once

#include <string>
#include <string_view>

#include "tests/support/http2_peer.h"

namespace gatescope::test {

/// Whether the tests tagged [both] are being run over HTTP/2: GATESCOPE_TEST_HTTP=2 is in the
/// environment.
bool speaks_http2();
/// The fields of a request that was written for HTTP/1, without those of its connection. `head`:
/// its lines, with or without what follows the last one.
Http2Peer::Fields http2_fields(std::string_view head, std::string_view scheme);

}  // namespace gatescope::test
