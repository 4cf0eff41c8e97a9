#include <cassert>
#include <stdexcept>

#include "proxy/net/loop.h"

namespace gatescope::net {

namespace {
constexpr int kMaxRounds = 10'000;  // far beyond any honest chain of hooks
}

TurnHook::~TurnHook() {
  if (list_ != nullptr) list_->remove(*this);
}

TurnHooks::~TurnHooks() {
  for (TurnHook* hook : hooks_) {
    if (hook != nullptr) hook->list_ = nullptr;
  }
}

void TurnHooks::add(TurnHook& hook) {
  if (hook.list_ != nullptr) return;
  hook.list_ = this;
  hook.index_ = hooks_.size();
  hooks_.push_back(&hook);
}

void TurnHooks::remove(TurnHook& hook) {
  if (hook.list_ != this) return;
  assert(hooks_[hook.index_] == &hook);
  hooks_[hook.index_] = nullptr;  // run() may be going through the list: nobody moves
  hook.list_ = nullptr;
}

void TurnHooks::run() {
  int rounds = 0;
  std::size_t round_end = hooks_.size();
  for (std::size_t i = 0; i < hooks_.size(); ++i) {
    if (i == round_end) {
      round_end = hooks_.size();
      if (++rounds == kMaxRounds) {
        drop_first(i);
        throw std::logic_error("the hooks of a turn's end keep adding hooks");
      }
    }
    TurnHook* hook = hooks_[i];
    if (hook == nullptr) continue;
    hooks_[i] = nullptr;
    hook->list_ = nullptr;
    hook->on_turn_end();
  }
  hooks_.clear();
}

void TurnHooks::move_to(TurnHooks& other) {
  for (TurnHook* hook : hooks_) {
    if (hook == nullptr) continue;
    hook->list_ = nullptr;
    other.add(*hook);
  }
  hooks_.clear();
}

void TurnHooks::drop_first(std::size_t n) {
  hooks_.erase(hooks_.begin(), hooks_.begin() + static_cast<std::ptrdiff_t>(n));
  for (std::size_t i = 0; i < hooks_.size(); ++i) {
    if (hooks_[i] != nullptr) hooks_[i]->index_ = i;
  }
}

}  // namespace gatescope::net
