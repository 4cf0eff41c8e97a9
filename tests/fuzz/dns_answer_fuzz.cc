// What a name server answers: any bytes are records or an error, never a crash.

#include <cstdint>
#include <cstdlib>

#include "proxy/net/dns.h"

using namespace gatescope;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto answer = net::read_dns_answer({data, size});
  if (!answer) return 0;
  for (const auto& record : *answer)
    if (record.name.ends_with('.') || (record.ttl >> 31) != 0) std::abort();
  return 0;
}
