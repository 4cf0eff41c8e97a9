#pragma once

// nghttp2 1.60 gave what has ssize_t in its signature a second form, named ...2, and calls the
// first one deprecated. Debian 12 has 1.52, Debian 13 has 1.64.

#include <nghttp2/nghttp2.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace gatescope::http {

#if NGHTTP2_VERSION_NUM >= 0x013c00

using Nghttp2Size = nghttp2_ssize;
using Nghttp2DataProvider = nghttp2_data_provider2;
inline constexpr auto nghttp2_receive = nghttp2_session_mem_recv2;
inline constexpr auto nghttp2_take_output = nghttp2_session_mem_send2;
inline constexpr auto nghttp2_request = nghttp2_submit_request2;
inline constexpr auto nghttp2_respond = nghttp2_submit_response2;
inline constexpr auto nghttp2_set_read_length =
    nghttp2_session_callbacks_set_data_source_read_length_callback2;

#else

using Nghttp2Size = ssize_t;
using Nghttp2DataProvider = nghttp2_data_provider;
inline constexpr auto nghttp2_receive = nghttp2_session_mem_recv;
inline constexpr auto nghttp2_take_output = nghttp2_session_mem_send;
inline constexpr auto nghttp2_request = nghttp2_submit_request;
inline constexpr auto nghttp2_respond = nghttp2_submit_response;
inline constexpr auto nghttp2_set_read_length =
    nghttp2_session_callbacks_set_data_source_read_length_callback;

#endif

}  // namespace gatescope::http
