// ProvidedRing: a ring of provided buffers (io_uring_register(2), IORING_REGISTER_PBUF_RING). The
// kernel takes the next buffer from it when a receive has data to store.
//
// Lifecycle: made by Engine::CreateProvidedRing. It may outlive the engine. The kernel uses it
// until Unregister, or until the engine is destroyed. It may contain buffers then, but no request
// of its group may be in flight.
//
// Threading: one thread at a time; Unregister as Engine::UpdateBuffers.
//
//   std::unique_ptr<ProvidedRing> ring;
//   const int result = engine->CreateProvidedRing(64, &ring);   // 0, or a negative errno
//   ring->Add(buffer, 4096, 7);
//   ring->Publish();   // an event with kEventBuffer and ProvidedIdOf() 7 reports its use
#ifndef MOORING_CPP_ENGINE_PROVIDED_RING_H_
#define MOORING_CPP_ENGINE_PROVIDED_RING_H_

#include <cstddef>
#include <cstdint>

namespace mooring {

class ProvidedRing {
 public:
  static constexpr uint64_t kEntryBytes = 16;  // struct io_uring_buf

  virtual ~ProvidedRing() = default;
  ProvidedRing(const ProvidedRing&) = delete;
  ProvidedRing& operator=(const ProvidedRing&) = delete;

  // For Request::provided_group.
  uint16_t group() const { return group_; }

  // Adds a buffer, which the kernel sees after Publish. The ring never contains more buffers than
  // it has entries.
  virtual void Add(std::byte* data, uint32_t size, uint16_t id) = 0;
  virtual void Publish() = 0;

  // Call it only while the engine exists and no request of this group is in flight. 0, or a
  // negative errno; then it stays registered until the engine is destroyed, but unused.
  virtual int Unregister() = 0;

 protected:
  explicit ProvidedRing(uint16_t group) : group_(group) {}

 private:
  const uint16_t group_;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_PROVIDED_RING_H_
