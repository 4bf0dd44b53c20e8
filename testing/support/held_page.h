// held_page.h: a page that the kernel cannot write to before the test lets it, so that an operation
// runs for as long as the test likes and nothing can cancel it (userfaultfd(2)).
//
//   SKIP_WITHOUT(HasUserfaultfd(), "userfaultfd", "run as root");
//   HeldPage page;
//   ... submit a statx that answers into page.data() ...
//   ASSERT_TRUE(page.WaitForUse());     // an operation is stuck in it now
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

  // Not for the test to touch before Release.
  void* data() const { return data_; }
  // True once someone is waiting for the page.
  bool WaitForUse() const;
  // Gives the page, as zeros, to whoever waits and to whoever comes.
  void Release();

 private:
  Fd userfaultfd_;
  void* data_ = nullptr;
};

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_HELD_PAGE_H_
