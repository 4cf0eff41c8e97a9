#include "static/file_answer.h"

#include "static/conditional.h"
#include "static/file_responder.h"
#include "static/range.h"

namespace gatescope::files {
namespace {

http::ResponseHead describe(const FileAnswer& answer, std::string_view etag) {
  http::ResponseHead head;
  head.content_type = answer.content_type;
  head.content_length = answer.file->facts.size;
  head.last_modified = answer.file->facts.mtime;
  head.etag = etag;
  if (!answer.encoding.empty()) head.headers.add("Content-Encoding", answer.encoding);
  if (answer.vary) head.headers.add("Vary", "Accept-Encoding");
  if (!answer.cache_control.empty()) head.headers.add("Cache-Control", answer.cache_control);
  return head;
}

/// RFC 9110 15.4.5: validators and caching fields, nothing that describes content.
http::ResponseHead not_modified(http::ResponseHead head) {
  head.status = 304;
  head.content_type = {};
  head.content_length.reset();
  head.headers.remove("Content-Encoding");
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

std::unique_ptr<http::Responder> send_file(const FileAnswer& answer, const FileSettings& settings,
                                           const http::Request& request,
                                           http::ResponseWriter& writer, net::WorkerLane* lane) {
  const std::uint64_t size = answer.file->facts.size;
  const Version version{writer.arena().copy(answer.file->etag), answer.file->facts.mtime};
  auto head = describe(answer, version.etag);
  RangeChoice part{RangeChoice::Kind::Whole, 0, size};
  if (!answer.settled_status) {
    switch (check_preconditions(request, version, settings.if_modified_since.get())) {
      case Precondition::Failed:
        writer.status(412);
        return nullptr;
      case Precondition::NotModified: {
        auto short_head = not_modified(std::move(head));
        writer.head(std::move(short_head));
        writer.end();
        return nullptr;
      }
      case Precondition::Send:
        break;
    }
    // nginx offers no ranges of what gzip_static sends.
    const auto ranges = answer.encoding.empty() ? settings.max_ranges.get() : 0;
    const auto choice = choose_range(request, version, size, ranges);
    if (choice.kind == RangeChoice::Kind::Unsatisfiable) {
      answer_status(writer, 416, "Content-Range", writer.arena().copy(content_range(choice, size)));
      return nullptr;
    }
    if (choice.kind == RangeChoice::Kind::Part) {
      part = choice;
      head.status = 206;
      head.content_length = part.length;
      head.headers.add("Content-Range", writer.arena().copy(content_range(part, size)));
    } else if (ranges != 0) {
      head.headers.add("Accept-Ranges", "bytes");
    }
  }
  if (answer.file->in_memory) {
    writer.answer(std::move(head),
                  answer.file->content.slice(static_cast<std::size_t>(part.first),
                                             static_cast<std::size_t>(part.length)));
    return nullptr;
  }
  writer.head(std::move(head));
  if (request.is_head()) {
    writer.end();
    return nullptr;
  }
  auto responder = std::make_unique<FileResponder>(writer, answer.file, answer.path, part.first,
                                                   part.length, lane);
  responder->begin();
  return responder;
}

}  // namespace gatescope::files
