// held_page.h: a page that the kernel cannot write to until the test releases it. An operation on
// it stays in flight, and nothing can cancel it (userfaultfd(2)).
//
//   SKIP_WITHOUT(HasUserfaultfd(), "userfaultfd", "run as root");
//   HeldPage page;
//   ... submit a statx with its result in page.data() ...
//   ASSERT_TRUE(page.WaitForUse());     // an operation waits for the page now
//   page.Release();
//
// Threading: one thread per object.
#ifndef MOORING_TESTING_SUPPORT_HELD_PAGE_H_
#define MOORING_TESTING_SUPPORT_HELD_PAGE_H_

#include "testing/support/files.h"

namespace mooring::conformance {

class HeldPage {
 public:
  HeldPage();
  ~HeldPage();
  HeldPage(const HeldPage&) = delete;
  HeldPage& operator=(const HeldPage&) = delete;

  // The test must not access it before Release.
  void* data() const { return data_; }
  // Waits until a thread waits for the page. False after the deadline.
  bool WaitForUse() const;
  // Provides the page, filled with zeros, to all threads that wait for it now or access it later.
  void Release();

 private:
  Fd userfaultfd_;
  void* data_ = nullptr;
};

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_HELD_PAGE_H_
