#include "proxy/upstream/proxy_settings.h"

namespace gatescope::upstream {

void ProxySettings::inherit(const Settings& outer_settings) {
  const auto& outer = as<ProxySettings>(outer_settings);
  set_headers.inherit(outer.set_headers);
  http10.inherit(outer.http10);
  pass_request_headers.inherit(outer.pass_request_headers);
  pass_request_body.inherit(outer.pass_request_body);
  request_buffering.inherit(outer.request_buffering);
  body.inherit(outer.body);
  method.inherit(outer.method);
  hide_headers.inherit(outer.hide_headers);
  pass_headers.inherit(outer.pass_headers);
  pass_trailers.inherit(outer.pass_trailers);
  intercept_errors.inherit(outer.intercept_errors);
  redirects.inherit(outer.redirects);
  cookie_domains.inherit(outer.cookie_domains);
  cookie_paths.inherit(outer.cookie_paths);
  cookie_flags.inherit(outer.cookie_flags);
  ignored.inherit(outer.ignored);
  buffer_size.inherit(outer.buffer_size);
  buffering.inherit(outer.buffering);
  buffers.inherit(outer.buffers);
  max_temp_file_size.inherit(outer.max_temp_file_size);
  temp_file_write_size.inherit(outer.temp_file_write_size);
  temp_path.inherit(outer.temp_path);
  limit_rate.inherit(outer.limit_rate);
  ignore_client_abort.inherit(outer.ignore_client_abort);
  connect_timeout.inherit(outer.connect_timeout);
  send_timeout.inherit(outer.send_timeout);
  read_timeout.inherit(outer.read_timeout);
  next_upstream.inherit(outer.next_upstream);
  next_upstream_tries.inherit(outer.next_upstream_tries);
  next_upstream_timeout.inherit(outer.next_upstream_timeout);
  wait_upstream.inherit(outer.wait_upstream);
  bind.inherit(outer.bind);
  send_proxy.inherit(outer.send_proxy);
  tls.inherit(outer.tls);
}

}  // namespace gatescope::upstream
