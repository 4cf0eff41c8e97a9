#include "proxy/heap.h"

#include <malloc.h>

#include "proxy/base/spare_lists.h"

namespace gatescope::server {

namespace {

// More than a turn of downloads needs, little beside what a server has.
constexpr int kKeepTop = 32 << 20;
constexpr int kGrowBy = 256 << 10;
// Above it a piece comes from mmap: fresh, zeroed pages each time.
constexpr int kMapFrom = 4 << 20;

}  // namespace

void tune_heap() {
  ::mallopt(M_TRIM_THRESHOLD, kKeepTop);
  ::mallopt(M_TOP_PAD, kGrowBy);
  ::mallopt(M_MMAP_THRESHOLD, kMapFrom);
}

HeapTrimmer::HeapTrimmer(net::Loop& loop) : timer_(loop.make_timer(*this)) {
  timer_->start(kLookEvery);
}

void HeapTrimmer::on_timer(net::Timer& timer) {
  if (::mallinfo2().fordblks > kKeepFree) {
    free_spare();
    ::malloc_trim(kKeepFree / 4);
  }
  timer.start(kLookEvery);
}

}  // namespace gatescope::server
