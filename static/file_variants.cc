#include "static/file_variants.h"

#include <fmt/format.h>

#include <algorithm>

#include "static/file_cache.h"

namespace gatescope::files {
namespace {

bool says_the_same(const http::ResponseHead& a, const http::ResponseHead& b) {
  if (a.content_type != b.content_type || a.etag != b.etag || a.headers.size() != b.headers.size())
    return false;
  return std::equal(
      a.headers.begin(), a.headers.end(), b.headers.begin(),
      [](const auto& x, const auto& y) { return x.name == y.name && x.value == y.value; });
}

}  // namespace

PrebuiltHeads::~PrebuiltHeads() {
  for (Node* node = first_; node;)
    delete std::exchange(node, node->next);
}

const http::PrebuiltHead* PrebuiltHeads::get(const http::ResponseHead& wanted) {
  for (const Node* node = first_; node; node = node->next)
    if (says_the_same(node->prebuilt.head(), wanted)) return &node->prebuilt;
  if (count_.fetch_add(1) >= kMax) {
    count_ = kMax;
    return nullptr;
  }
  auto node = std::make_unique<Node>(wanted);
  node->next = first_;
  while (!first_.compare_exchange_weak(node->next, node.get())) {
  }
  return &node.release()->prebuilt;
}

FileVariants::Slot* FileVariants::slot_of(const http::EncoderOptions& options) const {
  const auto at = std::find_if(slots_.begin(), slots_.end(), [&](const Slot& slot) {
    return slot.coding == options.coding && slot.level == options.level;
  });
  return at == slots_.end() ? nullptr : &*at;
}

FileVariants::Answer FileVariants::find(const http::EncoderOptions& options) const {
  const std::lock_guard lock(mutex_);
  if (const Slot* slot = slot_of(options)) return {slot->state, slot->version};
  return {slots_.size() < kMax ? State::Absent : State::Useless, nullptr};
}

bool FileVariants::begin(const http::EncoderOptions& options) {
  const std::lock_guard lock(mutex_);
  if (slot_of(options) || slots_.size() >= kMax) return false;
  slots_.push_back({options.coding, options.level, State::Making, nullptr});
  return true;
}

void FileVariants::finish(const http::EncoderOptions& options,
                          std::shared_ptr<const FileVersion> version) {
  const std::lock_guard lock(mutex_);
  Slot* slot = slot_of(options);
  if (!slot) return;
  slot->state = version ? State::Ready : State::Useless;
  if (version) bytes_ += version->content.size();
  slot->version = std::move(version);
}

void FileVariants::give_up(const http::EncoderOptions& options) {
  const std::lock_guard lock(mutex_);
  std::erase_if(slots_, [&](const Slot& slot) {
    return slot.coding == options.coding && slot.level == options.level &&
           slot.state == State::Making;
  });
}

std::shared_ptr<const FileVersion> make_variant(const FileVersion& plain,
                                                const http::EncoderOptions& options) {
  auto encoded = http::encode_whole(options, plain.content.text());
  if (!encoded || encoded->size() >= plain.content.size()) return nullptr;
  auto version = std::make_shared<FileVersion>();
  version->facts = plain.facts;
  version->facts.size = encoded->size();
  const std::string_view tag = plain.etag;
  version->etag =
      fmt::format("{}-{}-{:x}\"", tag.substr(0, tag.size() - 1),
                  http::extension_of(options.coding).substr(1), http::checksum(*encoded));
  version->in_memory = true;
  encoded->shrink_to_fit();
  version->content = SharedBytes(std::move(*encoded));
  return version;
}

}  // namespace gatescope::files
