#include "proxy/http/core_settings.h"

namespace gatescope::http {

void CoreSettings::inherit(const Settings& outer_settings) {
  const auto& outer = as<CoreSettings>(outer_settings);
  if (!root.is_set()) alias_prefix = outer.alias_prefix;
  root.inherit(outer.root);
  default_type.inherit(outer.default_type);
  types.inherit(outer.types);
  error_pages.inherit(outer.error_pages);
  log_not_found.inherit(outer.log_not_found);
  server_tokens.inherit(outer.server_tokens);
  absolute_redirect.inherit(outer.absolute_redirect);
  server_name_in_redirect.inherit(outer.server_name_in_redirect);
  port_in_redirect.inherit(outer.port_in_redirect);
  merge_slashes.inherit(outer.merge_slashes);
  recursive_error_pages.inherit(outer.recursive_error_pages);
  client_max_body_size.inherit(outer.client_max_body_size);
  client_body_timeout.inherit(outer.client_body_timeout);
  client_header_timeout.inherit(outer.client_header_timeout);
  client_body_buffer_size.inherit(outer.client_body_buffer_size);
  client_body_temp_path.inherit(outer.client_body_temp_path);
  client_body_in_file_only.inherit(outer.client_body_in_file_only);
  send_timeout.inherit(outer.send_timeout);
  keepalive_timeout.inherit(outer.keepalive_timeout);
  keepalive_time.inherit(outer.keepalive_time);
  keepalive_header.inherit(outer.keepalive_header);
  keepalive_requests.inherit(outer.keepalive_requests);
  keepalive_min_timeout.inherit(outer.keepalive_min_timeout);
  keepalive_disable.inherit(outer.keepalive_disable);
  reset_timedout_connection.inherit(outer.reset_timedout_connection);
  chunked_transfer_encoding.inherit(outer.chunked_transfer_encoding);
  lingering_time.inherit(outer.lingering_time);
  lingering_timeout.inherit(outer.lingering_timeout);
  lingering_close.inherit(outer.lingering_close);
  client_header_buffer_size.inherit(outer.client_header_buffer_size);
  large_client_header_buffers.inherit(outer.large_client_header_buffers);
  max_headers.inherit(outer.max_headers);
  http2_streams.inherit(outer.http2_streams);
  http2_preread.inherit(outer.http2_preread);
  http2_chunk.inherit(outer.http2_chunk);
  ignore_invalid_headers.inherit(outer.ignore_invalid_headers);
  underscores_in_headers.inherit(outer.underscores_in_headers);
  lenient_line_endings.inherit(outer.lenient_line_endings);
  rewrite_log.inherit(outer.rewrite_log);
  uninitialized_variable_warn.inherit(outer.uninitialized_variable_warn);
  limit_rate.inherit(outer.limit_rate);
  limit_rate_after.inherit(outer.limit_rate_after);
  access_logs.inherit(outer.access_logs);
  open_log_files.inherit(outer.open_log_files);
  error_logs.inherit(outer.error_logs);
}

ExchangePolicy CoreSettings::exchange_policy() const {
  ExchangePolicy policy;
  policy.body_timeout = client_body_timeout.get();
  policy.send_timeout = send_timeout.get();
  policy.keepalive_timeout = keepalive_timeout.get();
  policy.keepalive_header = keepalive_header.get();
  policy.keepalive_min = keepalive_min_timeout.get();
  policy.keepalive_requests = keepalive_requests.get();
  policy.keepalive_time = keepalive_time.get();
  policy.chunked = chunked_transfer_encoding.get();
  policy.reset_timed_out = reset_timedout_connection.get();
  policy.lingering = lingering_close.get();
  policy.lingering_time = lingering_time.get();
  policy.lingering_timeout = lingering_timeout.get();
  policy.http2_chunk = http2_chunk.get();
  policy.server_field = server_tokens.get() ? GATESCOPE_SERVER_FIELD : "gatescope";
  return policy;
}

}  // namespace gatescope::http
