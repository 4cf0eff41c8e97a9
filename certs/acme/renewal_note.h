#pragma once

#include <optional>
#include <string>

#include "certs/acme/state_folder.h"
#include "proxy/base/clock.h"

namespace gatescope::acme {

/// How it stands with one certificate, kept in the state folder for people (`gatescope certs`); no
/// decision is made by it. A value.
struct RenewalNote {
  std::optional<WallTime> renew_at;  // nullopt: as soon as possible
  std::string error;                 // of the last try; empty: it went well, or there was none
  std::optional<WallTime> failed_at, next_try;
  bool operator==(const RenewalNote&) const = default;
};
/// `name`: CertificateSettings::file_name(). nullopt: there is none that can be read.
std::optional<RenewalNote> read_note(const StateFolder& folder, const std::string& name);
Result<void> write_note(const StateFolder& folder, const std::string& name,
                        const RenewalNote& note);

}  // namespace gatescope::acme
