#include "static/file_answer.h"

#include "static/file_responder.h"

namespace gatescope::files {
namespace {

http::ResponseHead describe(const FileAnswer& answer, Arena& arena) {
  http::ResponseHead head;
  head.content_type = answer.content_type;
  head.content_length = answer.file->facts.size;
  head.plain_length = answer.plain_size;
  head.last_modified = answer.file->facts.mtime;
  if (answer.etag) {
    const std::string_view tag = answer.file->etag;
    head.etag = answer.etag_suffix.empty()
                    ? arena.copy(tag)
                    : arena.join({tag.substr(0, tag.size() - 1), answer.etag_suffix, "\""});
  }
  head.ranges = http::ResponseHead::Ranges::Any;
  head.seekable = true;
  head.tells_ranges = !(answer.encoding_settled && !answer.encoding.empty());
  head.encoding_settled = answer.encoding_settled;
  if (!answer.encoding.empty()) head.headers.add("Content-Encoding", answer.encoding);
  if (answer.vary) head.headers.add("Vary", "Accept-Encoding");
  if (!answer.cache_control.empty()) {
    head.headers.add("Cache-Control", answer.cache_control);
    head.caching_settled = true;
  }
  return head;
}

}  // namespace

void answer_status(http::ResponseWriter& writer, int status, std::string_view name,
                   std::string_view value) {
  http::ResponseHead head;
  head.status = status;
  head.content_length = 0;
  head.headers.add(name, value);
  writer.head(std::move(head), true);
  writer.end();  // ignored when an error_page took over
}

std::unique_ptr<http::Responder> send_file(const FileAnswer& answer, http::ResponseWriter& writer,
                                           net::WorkerLane* lane) {
  auto head = describe(answer, writer.arena());
  if (answer.file->in_memory) {
    if (const auto* prebuilt = answer.file->heads.get(head)) {
      head = prebuilt->head();
      head.encoding_settled = answer.encoding_settled;
      // Lives in the version; shares its count.
      head.prebuilt = std::shared_ptr<const http::PrebuiltHead>(answer.file, prebuilt);
    }
    writer.answer(std::move(head), answer.file->content);
    return nullptr;
  }
  const auto size = answer.file->facts.size;
  writer.head(std::move(head));
  if (!writer.wants_body()) {
    writer.end();
    return nullptr;
  }
  const auto parts = writer.parts();
  auto responder = std::make_unique<FileResponder>(
      writer, answer.file, answer.path,
      parts.empty() ? std::vector<http::BytePart>{{0, size}}
                    : std::vector<http::BytePart>(parts.begin(), parts.end()),
      lane, answer.sendfile);
  responder->begin();
  return responder;
}

}  // namespace gatescope::files
