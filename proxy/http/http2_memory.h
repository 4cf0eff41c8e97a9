#pragma once

#include <nghttp2/nghttp2.h>

namespace gatescope::http {

/// malloc() and its like for nghttp2's sessions. Each session keeps a buffer of 16 KB for one frame
/// that it sends, of which it touches a few hundred bytes (bodies do not go through it). What
/// malloc() gives was somebody's TLS record a moment ago and is in RAM as a whole: its pages
/// are given back to the kernel, a system call for each connection.
nghttp2_mem* http2_memory();

}  // namespace gatescope::http
