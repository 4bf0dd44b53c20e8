// ProvidedRing: memory from which the kernel takes the next piece itself, whenever a receive of an
// engine has something to put there (io_uring_register(2), IORING_REGISTER_PBUF_RING; the kernel's
// word is a ring of provided buffers).
//
// Lifecycle: made by Engine::CreateProvidedRing, which it may outlive. The kernel knows it until
// Unregister, or the engine's end; that pieces are still in it is no matter then, as long as no
// request of its group is in flight.
//
// Threading: one thread at a time; Unregister as Engine::UpdateBuffers.
//
//   std::unique_ptr<ProvidedRing> ring;
//   const int result = engine->CreateProvidedRing(64, &ring);   // 0, or a negative errno
//   ring->Add(buffer, 4096, 7);
//   ring->Publish();   // an event with kEventBuffer and ProvidedIdOf() 7 says that it was taken
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

  // Adds a piece, which the kernel sees after Publish. No more are in it than it has entries.
  virtual void Add(std::byte* data, uint32_t size, uint16_t id) = 0;
  virtual void Publish() = 0;

  // Only while the engine is there, and no request of this group in flight. 0, or a negative errno:
  // then the kernel knows it until the engine's end, and never looks at it again.
  virtual int Unregister() = 0;

 protected:
  explicit ProvidedRing(uint16_t group) : group_(group) {}

 private:
  const uint16_t group_;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_PROVIDED_RING_H_
