#include "proxy/http/http2_flood.h"

#include <algorithm>
#include <chrono>

namespace gatescope::http {
namespace {

struct Stock {
  std::string_view name;
  float size, per_second;
  float earned = 0;  // for each DATA frame that we send
};

// By Kind. Browsers were seen to need a tenth of each at most; doc/administration.md has the table.
constexpr Stock kStocks[Http2FloodGuard::kKinds] = {
    {"RST_STREAM frames", 256, 50},
    {"SETTINGS frames", 64, 5},
    {"PING frames", 128, 10, 1},
    {"PRIORITY frames", 512, 50},
    {"WINDOW_UPDATE frames", 1024, 100, 4},
    {"empty DATA frames", 100, 10},
    {"small DATA frames", 20000, 10000, 1},
    {"frames of unknown types", 1024, 100},
    {"invalid frames", 256, 20},
    {"frames on streams that are over", 512, 50},
};

}  // namespace

bool Http2FloodGuard::allow(Kind kind, MonoTime now) {
  if (now != now_) {
    const float passed = now_ == MonoTime{} ? 0 : std::chrono::duration<float>(now - now_).count();
    now_ = now;
    for (std::size_t i = 0; i < kKinds; ++i)
      used_[i] = std::max(0.0F, used_[i] - passed * kStocks[i].per_second);
  }
  const auto index = static_cast<std::size_t>(kind);
  float size = kStocks[index].size;
  if (kind == Kind::Reset) size = std::max(size, 2.0F * static_cast<float>(streams_));
  used_[index] += 1;
  return used_[index] <= size;
}

void Http2FloodGuard::on_data_sent() {
  for (const Kind kind : {Kind::Ping, Kind::WindowUpdate, Kind::SmallData}) {
    auto& used = used_[static_cast<std::size_t>(kind)];
    used = std::max(0.0F, used - kStocks[static_cast<std::size_t>(kind)].earned);
  }
}

std::string_view Http2FloodGuard::name_of(Kind kind) {
  return kStocks[static_cast<std::size_t>(kind)].name;
}

}  // namespace gatescope::http
