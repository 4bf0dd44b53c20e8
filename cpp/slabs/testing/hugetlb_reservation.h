// HugetlbReservation: makes reserved huge pages available during a test, if this process may set
// the sysctl. Its destructor restores the sysctl.
//
// The pool belongs to the machine, so a test that uses this is tagged "exclusive".
//
// Threading: one thread.
//
//   HugetlbReservation reservation(8);
//   SKIP_WITHOUT(reservation.ok(), "hugetlb", reservation.remedy());
#ifndef MOORING_CPP_SLABS_TESTING_HUGETLB_RESERVATION_H_
#define MOORING_CPP_SLABS_TESTING_HUGETLB_RESERVATION_H_

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#include "cpp/os/pages.h"

namespace mooring {

class HugetlbReservation {
 public:
  // For pages of the default size.
  explicit HugetlbReservation(uint64_t page_count) : page_count_(page_count) {
    const std::optional<HugetlbPool> pool = ReadDefaultHugetlbPool();
    if (!pool || pool->Available() >= page_count) return;
    before_ = pool->total - pool->surplus;
    Set(*before_ + page_count - pool->Available());
  }
  ~HugetlbReservation() {
    if (before_) Set(*before_);
  }
  HugetlbReservation(const HugetlbReservation&) = delete;
  HugetlbReservation& operator=(const HugetlbReservation&) = delete;

  bool ok() const {
    const std::optional<HugetlbPool> pool = ReadDefaultHugetlbPool();
    return pool && pool->Available() >= page_count_;
  }
  std::string remedy() const {
    return "as root: sysctl vm.nr_hugepages=" + std::to_string(page_count_);
  }

 private:
  // ok() shows whether it succeeded: it may be forbidden, or memory may be too fragmented.
  static void Set(uint64_t page_count) { std::ofstream("/proc/sys/vm/nr_hugepages") << page_count; }

  const uint64_t page_count_;
  std::optional<uint64_t> before_;
};

}  // namespace mooring

#endif  // MOORING_CPP_SLABS_TESTING_HUGETLB_RESERVATION_H_
