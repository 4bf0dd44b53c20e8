// PinCharge: what one pinned range costs of memlock. It is in the ledger from the time when the
// range is pinned until the last slot that holds it is empty. Rings that clone a range share its
// charge, as in the kernel (measured on 6.12 and later: a clone costs nothing, and the budget comes
// back with the last one).
//
// Threading: any thread.
//
//   RefPtr<PinCharge> charge = MakeRef<PinCharge>(exempt ? 0 : bytes);
#ifndef MOORING_CPP_REGISTRATION_PIN_CHARGE_H_
#define MOORING_CPP_REGISTRATION_PIN_CHARGE_H_

#include <cstdint>

#include "cpp/base/ref_counted.h"
#include "cpp/os/memlock_ledger.h"

namespace mooring {

class PinCharge : public RefCounted<PinCharge> {
 public:
  uint64_t bytes() const { return bytes_; }

 private:
  friend class RefCounted<PinCharge>;
  template <typename T, typename... Args>
  friend RefPtr<T> MakeRef(Args&&... args);

  explicit PinCharge(uint64_t bytes) : bytes_(bytes) { MemlockLedger::Charge(bytes_); }
  ~PinCharge() { MemlockLedger::Release(bytes_); }

  const uint64_t bytes_;
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_PIN_CHARGE_H_
