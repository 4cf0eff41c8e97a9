#pragma once

#include <string>
#include <string_view>

namespace gatescope::tls {

/// Whether it takes longer than a loop may be held up: hashes that are made to be slow.
bool is_slow_hash(std::string_view stored);

/// Whether `password` is what a line of an htpasswd file stores: {PLAIN}, {SHA}, {SSHA}, $apr1$, or
/// anything that crypt(3) knows ($1$, $5$, $6$, $2y$, $y$, DES). A broken hash matches nothing.
/// Thread-safe; as slow as the hash wants to be.
bool password_matches(std::string_view password, std::string_view stored);

}  // namespace gatescope::tls
