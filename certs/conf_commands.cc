#include "certs/conf_commands.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "certs/openssl_ptr.h"
#include "certs/tls_directives.h"
#include "proxy/base/text.h"
#include "proxy/base/unique_fd.h"

namespace gatescope::tls {
namespace {

using ConfPtr = std::unique_ptr<SSL_CONF_CTX, Freed<SSL_CONF_CTX_free>>;

/// A file in memory with this text. OpenSSL's commands take names of files only, and the worker may
/// not read the file that was named; the keeper did.
Result<UniqueFd> memory_file(std::string_view text) {
  UniqueFd fd(::memfd_create("gatescope", MFD_CLOEXEC));
  if (!fd) return system_error(errno, "memfd_create()");
  while (!text.empty()) {
    const ssize_t n = ::write(fd.get(), text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(errno, "write() to memory");
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return fd;
}

Result<void> run(SSL_CONF_CTX* conf, const TlsSettings::Command& command, SecretReader& secrets) {
  UniqueFd fd;
  std::string value = command.value;
  if (conf_command_value(command.name) == ConfCommandValue::File) {
    auto text = secrets.read_secret(value);
    if (!text) {
      return make_error(text.error().kind, Origin::Internal,
                        fmt::format("SSL_CONF_cmd(\"{}\", \"{}\") failed: {}", command.name, value,
                                    text.error().detail));
    }
    auto file = memory_file(*text);
    OPENSSL_cleanse(text->data(), text->size());
    if (!file) return file.error();
    fd = *std::move(file);
    value = fmt::format("/proc/self/fd/{}", fd.get());
  }
  ERR_clear_error();
  if (SSL_CONF_cmd(conf, command.name.c_str(), value.c_str()) > 0) return {};
  return config_error(
      fmt::format("SSL_CONF_cmd(\"{}\", \"{}\") failed", command.name, command.value));
}

}  // namespace

Result<void> run_conf_commands(SSL_CTX* context, const std::vector<TlsSettings::Command>& commands,
                               SecretReader& secrets, std::string& groups) {
  if (commands.empty()) return {};
  const ConfPtr conf(SSL_CONF_CTX_new());
  if (!conf) return ssl_error(ErrorKind::Internal, Origin::Internal, "SSL_CONF_CTX_new() failed");
  SSL_CONF_CTX_set_flags(conf.get(), SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER |
                                         SSL_CONF_FLAG_CERTIFICATE | SSL_CONF_FLAG_SHOW_ERRORS);
  SSL_CONF_CTX_set_ssl_ctx(conf.get(), context);
  for (const auto& command : commands) {
    if (auto done = run(conf.get(), command, secrets); !done) {
      return placed(done.error(), command.place);
    }
    const std::string name = lower(command.name);
    if (name == "groups" || name == "curves") groups = command.value;
  }
  const auto& last = commands.back();
  if (SSL_CONF_CTX_finish(conf.get()) != 1) {
    return placed(config_error("SSL_CONF_finish() failed"), last.place);
  }
  // Certificate without its PrivateKey, or the other way round.
  if (SSL_CTX_get0_certificate(context) != nullptr && SSL_CTX_check_private_key(context) != 1) {
    return placed(config_error("the key does not fit the certificate after \"ssl_conf_command\""),
                  last.place);
  }
  ERR_clear_error();
  return {};
}

}  // namespace gatescope::tls
