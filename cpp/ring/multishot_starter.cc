#include "cpp/ring/multishot_starter.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace mooring {

void MultishotStarter::Begin(const Operation& operation, uint32_t index) {
  const bool receives = operation.opcode == static_cast<uint16_t>(Opcode::kRecvMultishot);
  Record& record = records_[index];
  record.user_data.store(operation.user_data, std::memory_order_relaxed);
  record.opcode = operation.opcode;
  record.lease_held = false;
  record.path = receives ? Path::kCopy : Path::kNone;
  record.size = 0;
  record.registration = operation.registration;
  if (record.registration != nullptr) record.registration->AddRef(1);

  Multishot& multishot = table_[index];
  multishot.is_cancelled.store(false, std::memory_order_relaxed);
  multishot.is_engine_multishot = receives ? (features_ & kFeatureRecvMultishot) != 0 &&
                                                 record.registration->provided() != nullptr
                                           : (features_ & kFeatureAcceptMultishot) != 0;
  multishot.has_delivered = false;
  multishot.flags = operation.flags;
  multishot.fd = operation.fd;
  multishot.parameter =
      static_cast<uint32_t>(operation.parameter) | (receives ? 0 : uint32_t{SOCK_CLOEXEC});
  multishot.final_result = 0;
  multishot.lease = {};
}

bool MultishotStarter::Start(uint32_t index, Request* out_request) {
  const Record& record = records_[index];
  Multishot& multishot = table_[index];
  // A nop, which is enough to end the operation.
  *out_request = Request{
      .token = RecordPool::TokenOf(index, record.generation.load(std::memory_order_relaxed))};
  if (multishot.is_cancelled.load(std::memory_order_relaxed)) {
    multishot.final_result = -ECANCELED;
  } else if (!Fill(record.registration, multishot, *out_request)) {
    return false;
  }
  // Release: from now on the entry, with all of the above, belongs to the completion side.
  multishot.state.store(Multishot::State::kRequestInFlight, std::memory_order_release);
  return true;
}

bool MultishotStarter::Fill(Registration* registration, Multishot& multishot, Request& request) {
  request.opcode = registration != nullptr ? Opcode::kRecv : Opcode::kAccept;
  request.flags = multishot.flags | (multishot.is_engine_multishot ? kRequestMultishot : 0);
  request.fd = multishot.fd;
  request.parameter = multishot.parameter;
  if (registration == nullptr || TakeMemory(*registration, multishot, request)) return true;
  registration->WatchForBuffers();
  // A buffer may have become free before the watch began.
  return TakeMemory(*registration, multishot, request);
}

bool MultishotStarter::TakeMemory(Registration& registration, Multishot& multishot,
                                  Request& request) {
  if (multishot.is_engine_multishot) {
    request.provided_group = registration.provided()->group();
    return registration.provided()->Refill();
  }
  Slab& slab = registration.slab();
  if (!slab.Acquire(1, &multishot.lease).ok()) return false;
  request.address = slab.base() + multishot.lease.first_index * slab.buffer_bytes();
  request.size64 = std::min(slab.buffer_bytes(), kTransferBytesMax);
  return true;
}

}  // namespace mooring
