#pragma once

#include <memory>

#include "proxy/base/log_file.h"

namespace gatescope::http {

/// access_log gzip=level: each time the buffer is written it is a gzip member of its own (RFC 1952
/// 2.2), so that zcat reads the file at any time. Level 1..9.
std::shared_ptr<const LogEncoder> make_gzip_log_encoder(int level);

}  // namespace gatescope::http
