#include "proxy/ops/install.h"

#include <fmt/format.h>
#include <unistd.h>

#include "proxy/ops/file_steps.h"
#include "proxy/ops/install_files.h"
#include "proxy/ops/shipped_files.h"

namespace gatescope::ops {

namespace {

constexpr const char* kUser = "scope";
constexpr const char* kService = "numberscope.service";
constexpr const char* kSbin = "/usr/local/sbin";
constexpr const char* kUnit = "/etc/systemd/system/numberscope.service";
constexpr const char* kPackaged = "/usr/sbin/gatescope";  // of the Debian package
constexpr const char* kState = "/var/lib/gatescope";
// The user was made by us, so a purge may remove it.
constexpr const char* kUserMade = "/var/lib/gatescope/.user-made";

std::string with_programs_in(std::string_view unit, std::string_view sbin) {
  std::string text(unit);
  constexpr std::string_view kMark = "@SBIN@";
  for (std::size_t at; (at = text.find(kMark)) != std::string::npos;)
    text.replace(at, kMark.size(), sbin);
  return text;
}

class Installation {
 public:
  Installation(const InstallRequest& request, ProgramRunner& programs, InstallEvents& events)
      : request_(request), programs_(programs), files_(request, events) {}

  Result<void> install() {
    if (auto allowed = may_begin("install"); !allowed) return allowed;
    if (auto made = make_user(); !made) return made;
    if (auto made = make_folders(); !made) return made;
    if (!request_.from_package)
      if (auto copied = copy_files(); !copied) return copied;
    if (manages_services()) {
      if (auto done = systemctl({"daemon-reload"}); !done) return done;
      if (request_.from_package)
        if (auto done = systemctl({"try-restart", kService}); !done) return done;
    }
    say_what_is_next();
    return {};
  }

  Result<void> uninstall() {
    if (auto allowed = may_begin("uninstall"); !allowed) return allowed;
    if (manages_services()) {
      const bool known = exists(files_.at(kUnit)) || request_.from_package;
      if (known)
        if (auto done = systemctl({"disable", "--now", kService}); !done) return done;
    }
    if (request_.from_package) return {};  // dpkg removes the files
    for (const char* path :
         {kUnit, "/usr/local/sbin/gatescope", "/usr/local/sbin/gatescope-factor"})
      if (auto removed = files_.remove(path); !removed) return removed;
    if (manages_services())
      if (auto done = systemctl({"daemon-reload"}); !done) return done;
    if (request_.purge) return purge();
    for (const char* path : {"/etc/gatescope", kState, "/var/log/gatescope"})
      if (exists(files_.at(path)))
        files_.say(Step::AsIs, fmt::format("{} (--purge removes it)", files_.at(path)));
    return {};
  }

 private:
  Result<void> may_begin(std::string_view verb) const {
    if (::geteuid() != 0 && !request_.dry_run && request_.root.empty())
      return make_error(ErrorKind::Forbidden, Origin::Internal,
                        fmt::format("this needs root: \"sudo gatescope {0}\"; \"gatescope {0} "
                                    "--dry-run\" shows what it would do",
                                    verb));
    if (!request_.root.empty() && !is_folder(request_.root))
      return make_error(ErrorKind::NotFound, Origin::Internal,
                        fmt::format("--root {}: there is no such folder", request_.root));
    if (!request_.from_package && exists(files_.at(kPackaged)))
      return make_error(ErrorKind::Invalid, Origin::Internal,
                        fmt::format("{} belongs to the Debian package, which does this itself: "
                                    "\"apt install ./gatescope_....deb\", \"apt remove gatescope\"",
                                    files_.at(kPackaged)));
    return {};
  }

  bool manages_services() const { return request_.systemd && request_.root.empty(); }

  Result<void> run(const std::vector<std::string>& words) {
    if (!files_.may(fmt::format("run {}", fmt::join(words, " ")))) return {};
    const auto status = programs_.run(words);
    if (!status) return status.error();
    if (*status != 0)
      return make_error(
          ErrorKind::System, Origin::Internal,
          fmt::format("\"{}\" failed with status {}", fmt::join(words, " "), *status));
    return {};
  }

  Result<void> systemctl(std::vector<std::string> words) {
    words.insert(words.begin(), "systemctl");
    return run(words);
  }

  Result<void> make_user() {
    if (files_.has_user(kUser)) {
      files_.say(Step::AsIs, fmt::format("user {}", kUser));
      return {};
    }
    std::vector<std::string> words{"useradd",          "--system",         "--user-group",
                                   "--no-create-home", "--home-dir",       "/nonexistent",
                                   "--shell",          "/usr/sbin/nologin"};
    if (!request_.root.empty()) words.insert(words.end(), {"--prefix", request_.root});
    words.emplace_back(kUser);
    if (auto made = run(words); !made) return made;
    user_made_ = !request_.dry_run;
    return {};
  }

  Result<void> make_folders() {
    struct Wanted {
      const char* path;
      unsigned mode;
      const char *user = nullptr, *group = nullptr;
    };
    for (const Wanted& f :
         {Wanted{"/etc/gatescope", 0755}, Wanted{"/etc/gatescope/sites", 0755},
          // The first process opens logs; the worker need not see them.
          Wanted{"/var/log/gatescope", 0750, nullptr, "adm"}, Wanted{kState, 0755},
          Wanted{"/var/lib/gatescope/acme", 0755}, Wanted{"/var/lib/gatescope/state", 0700, kUser}})
      if (auto made = files_.folder(f.path, f.mode, f.user, f.group); !made) return made;
    if (user_made_) return write_whole(files_.at(kUserMade), "", 0644);
    return {};
  }

  Result<void> copy_files() {
    const std::string factor =
        request_.program.substr(0, request_.program.rfind('/') + 1) + "gatescope-factor";
    if (auto made = files_.folder(kSbin, 0755); !made) return made;
    if (auto copied = files_.program(request_.program, "/usr/local/sbin/gatescope"); !copied)
      return copied;
    if (exists(factor)) {
      if (auto copied = files_.program(factor, "/usr/local/sbin/gatescope-factor"); !copied)
        return copied;
    } else {
      files_.say(Step::Note,
                 "there is no gatescope-factor beside this program: nothing will be factored");
    }
    for (const auto& [path, text] :
         {std::pair{"/etc/gatescope/gatescope.conf", kGatescopeConf},
          std::pair{"/etc/gatescope/proxy_params", kProxyParams},
          std::pair{"/etc/gatescope/sites/numberscope.conf", kNumberscopeConf}})
      if (auto written = files_.edited_file(path, text); !written) return written;
    if (auto made = files_.folder("/etc/systemd/system", 0755); !made) return made;
    return files_.edited_file(kUnit, with_programs_in(kNumberscopeUnit, kSbin));
  }

  void say_what_is_next() {
    files_.say(
        Step::Note,
        "next: edit /etc/gatescope/sites/numberscope.conf (names, certificates), \"gatescope "
        "-t\", \"gatescope deploy DIR\", and \"systemctl enable --now numberscope\"");
    if (!exists(files_.at("/usr/lib/postgresql")))
      files_.say(Step::Note,
                 "\"database embedded\" needs the package postgresql, for its programs only");
  }

  Result<void> purge() {
    const bool made = exists(files_.at(kUserMade));
    for (const char* path : {"/etc/gatescope", kState, "/var/log/gatescope"})
      if (auto removed = files_.remove_all_below(path); !removed) return removed;
    if (!made || !files_.has_user(kUser)) return {};
    std::vector<std::string> words{"userdel"};
    if (!request_.root.empty()) words.insert(words.end(), {"--prefix", request_.root});
    words.emplace_back(kUser);
    return run(words);
  }

  const InstallRequest& request_;
  ProgramRunner& programs_;
  InstallFiles files_;
  bool user_made_ = false;
};

}  // namespace

Result<void> install(const InstallRequest& request, ProgramRunner& programs,
                     InstallEvents& events) {
  return Installation(request, programs, events).install();
}

Result<void> uninstall(const InstallRequest& request, ProgramRunner& programs,
                       InstallEvents& events) {
  return Installation(request, programs, events).uninstall();
}

}  // namespace gatescope::ops
