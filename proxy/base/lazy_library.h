#pragma once

// Shared libraries that are loaded when they are first called. libpq and libcurl bring 27 others
// (LDAP, Kerberos, GnuTLS ...), whose loading took longer than all the rest of a start, and a
// server without an API needs none of them.
//
// A .cc file declares one with GATESCOPE_LAZY_LIBRARY and its functions with GATESCOPE_LAZY_SYMBOL;
// the program is then linked without the library. Callers notice nothing: each function is a jump
// through a slot, which until the first call leads to the loader.

#include <mutex>

#include "proxy/base/result.h"

namespace gatescope {

/// One such library. A constant-initialised object, like the functions that it stands for.
class LazyLibrary {
 public:
  struct Symbol {
    const char* name;  // null: the end of the list
    void** slot;
  };
  constexpr LazyLibrary(const char* file, const Symbol* symbols) : file_(file), symbols_(symbols) {}

  /// Loads it unless it is. From any thread. Error Unavailable: what the dynamic linker says.
  /// Optional: a call does the same, but can only abort the program when there is no such library.
  Result<void> load();
  void load_or_abort() noexcept;

 private:
  const char* const file_;
  const Symbol* const symbols_;
  std::mutex mutex_;
  bool loaded_ = false;  // under the mutex
};

}  // namespace gatescope

// Slots and jumps are hidden: the library itself, once loaded, must find its own functions.
#if defined(__x86_64__)
// The argument registers are kept; floating point ones too would be needed by functions that take
// a double, and none does. Seven pushes leave the stack aligned to 16 bytes as a call wants it.
#define GATESCOPE_LAZY_JUMP(slot) "lea " slot "(%rip), %r11\n\tjmp *(%r11)\n"
#define GATESCOPE_LAZY_LOADER(loader)                                                         \
  "push %rdi\n\tpush %rsi\n\tpush %rdx\n\tpush %rcx\n\tpush %r8\n\tpush %r9\n\tpush %r11\n\t" \
  "call " loader                                                                              \
  "\n\t"                                                                                      \
  "pop %r11\n\tpop %r9\n\tpop %r8\n\tpop %rcx\n\tpop %rdx\n\tpop %rsi\n\tpop %rdi\n\t"        \
  "xor %eax, %eax\n\tjmp *(%r11)\n"
#elif defined(__aarch64__)
#define GATESCOPE_LAZY_JUMP(slot) \
  "adrp x17, " slot "\n\tadd x17, x17, :lo12:" slot "\n\tldr x16, [x17]\n\tbr x16\n"
#define GATESCOPE_LAZY_LOADER(loader)                                                      \
  "stp x29, x30, [sp, #-96]!\n\tstp x0, x1, [sp, #16]\n\tstp x2, x3, [sp, #32]\n\t"        \
  "stp x4, x5, [sp, #48]\n\tstp x6, x7, [sp, #64]\n\tstp x8, x17, [sp, #80]\n\tbl " loader \
  "\n"                                                                                     \
  "\tldp x0, x1, [sp, #16]\n\tldp x2, x3, [sp, #32]\n\tldp x4, x5, [sp, #48]\n\t"          \
  "ldp x6, x7, [sp, #64]\n\tldp x8, x17, [sp, #80]\n\tldp x29, x30, [sp], #96\n\t"         \
  "ldr x16, [x17]\n\tbr x16\n"
#else
#error "say here how this processor jumps through a slot"
#endif

// The compiler does not know that a section was changed, hence push and pop.
#define GATESCOPE_LAZY_FUNCTION(name, body)                                                     \
  asm(".pushsection .text\n.globl " name "\n.hidden " name "\n.type " name ", @function\n" name \
      ":\n\t" body ".size " name ", . - " name "\n.popsection\n");

/// Once in a file, on namespace level, before its symbols: LIBRARY is an identifier.
#define GATESCOPE_LAZY_LOADER_OF(LIBRARY)                                                          \
  extern "C" __attribute__((visibility("hidden"), used)) void gatescope_load_##LIBRARY() noexcept; \
  extern "C" __attribute__((visibility("hidden"))) void gatescope_first_##LIBRARY() noexcept;      \
  GATESCOPE_LAZY_FUNCTION("gatescope_first_" #LIBRARY,                                             \
                          GATESCOPE_LAZY_LOADER("gatescope_load_" #LIBRARY))

#define GATESCOPE_LAZY_SYMBOL(LIBRARY, name)                                \
  extern "C" {                                                              \
  __attribute__((visibility("hidden"), used)) void* gatescope_slot_##name = \
      reinterpret_cast<void*>(&gatescope_first_##LIBRARY);                  \
  }                                                                         \
  GATESCOPE_LAZY_FUNCTION(#name, GATESCOPE_LAZY_JUMP("gatescope_slot_" #name))
