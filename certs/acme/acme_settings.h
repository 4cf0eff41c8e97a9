#pragma once

// What the directives say, in a form that the rest of this folder works with.

#include <string>
#include <vector>

#include "certs/acme/private_key.h"
#include "certs/tls_settings.h"

namespace gatescope::acme {

enum class ChallengeKind { Http, TlsAlpn };
std::string_view name_of(ChallengeKind kind);  // "http-01"

/// One acme_issuer block.
struct IssuerSettings {
  std::string name;
  conf::Place place;  // of the block
  std::string uri;    // of the directory
  std::vector<std::string> contacts;
  std::string state_path;  // absolute
  KeyType account_key_type;
  tls::NamedFile account_key;  // a key of the operator's own; empty: one is made
  bool accepts_terms = false;
  ChallengeKind challenge = ChallengeKind::Http;
  std::string profile;  // empty: whatever the authority thinks best
  bool profile_required = false;
  std::string trusted_certificate;  // for the authority's own server; empty: the system's
  bool verify = true;
  std::string binding_kid;     // external_account_key; empty: none
  tls::NamedFile binding_key;  // file, or "data:"; base64url
};

/// One acme_certificate directive, its names settled.
struct CertificateSettings {
  std::string issuer;
  std::vector<std::string> identifiers;  // at least one; lower case
  KeyType key;
  conf::Place place;

  /// Its files in the issuer's folder: the first name, and a digest of all that would make it
  /// another certificate.
  std::string file_name() const;
  /// How tls settings name it, instead of files.
  std::string secret_name() const { return "$acme_certificate:" + issuer + "/" + file_name(); }
  /// "a.test, b.test", for the log.
  std::string shown() const;
};

/// An issuer and what it is to obtain.
struct IssuerPlan {
  IssuerSettings settings;
  std::vector<CertificateSettings> certificates;
  /// All of it as text: two with the same one need not be told apart.
  std::string key() const;
};

}  // namespace gatescope::acme
