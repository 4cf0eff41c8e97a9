# What the Debian package holds, and what it needs. `./dev package` builds it: build/release/gatescope_VERSION_ARCH.deb.

set(GATESCOPE_SBIN /usr/sbin)
file(READ ${CMAKE_SOURCE_DIR}/conf/numberscope.service unit)
string(REPLACE "@SBIN@" ${GATESCOPE_SBIN} unit "${unit}")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/numberscope.service CONTENT "${unit}" @ONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/conf/numberscope.service)

install(PROGRAMS $<TARGET_FILE:gatescope> DESTINATION ${GATESCOPE_SBIN})
install(PROGRAMS $<TARGET_FILE:gatescope-factor> DESTINATION /usr/lib/gatescope)  # nobody's command
install(FILES conf/gatescope.conf conf/proxy_params DESTINATION /etc/gatescope)
install(FILES conf/numberscope.conf DESTINATION /etc/gatescope/sites)
install(FILES ${CMAKE_BINARY_DIR}/generated/numberscope.service DESTINATION /lib/systemd/system)
install(FILES doc/administration.md doc/directives.md doc/api.md DESTINATION /usr/share/doc/gatescope)
install(FILES LICENSE DESTINATION /usr/share/doc/gatescope RENAME copyright)

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_NAME gatescope)
set(CPACK_PACKAGE_CONTACT "numberscope <root@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "TLS, files, proxy and the numberscope API in one process")
set(CPACK_PACKAGE_DESCRIPTION
    "Serves numberscope.colorado.edu: it speaks nginx's configuration language, keeps its certificates itself, and answers /api from PostgreSQL.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION httpd)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Those that are loaded when they are first called, which nobody can read off the programs (proxy/base/lazy_library.h); and what
# makes the user. On Debian 13 two have another name.
set(CPACK_DEBIAN_PACKAGE_DEPENDS
    "libpq5, libcurl4t64 | libcurl4, libarchive13t64 | libarchive13, libzstd1, passwd")
# The embedded database, types of files, and authorities for https://oeis.org.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "postgresql, media-types, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "certbot")
file(WRITE ${CMAKE_BINARY_DIR}/generated/conffiles
     "/etc/gatescope/gatescope.conf\n/etc/gatescope/proxy_params\n/etc/gatescope/sites/numberscope.conf\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/conf/debian/postinst ${CMAKE_SOURCE_DIR}/conf/debian/prerm
    ${CMAKE_SOURCE_DIR}/conf/debian/postrm ${CMAKE_BINARY_DIR}/generated/conffiles)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
