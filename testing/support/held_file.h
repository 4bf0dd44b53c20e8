// held_file.h: a file whose lock somebody holds, so that a write to it is stuck in the kernel, with
// its memory, for as long as the test likes, and nothing can cancel it.
//
// A writer of its own stops in the middle, with the file's lock taken, because the page that it
// writes from never comes (held_page.h). Every file system of Linux writes under such a lock.
//
//   SKIP_WITHOUT(HasUserfaultfd(), "userfaultfd", "run as root");
//   HeldFile file(dir);
//   ... submit a write to file.fd() ...
//   ASSERT_TRUE(file.WaitForStuckWrite());
//   file.Release();
//
// Threading: one thread per object.
#ifndef MOORING_TESTING_SUPPORT_HELD_FILE_H_
#define MOORING_TESTING_SUPPORT_HELD_FILE_H_

#include <sys/types.h>

#include <atomic>
#include <thread>

#include "testing/support/files.h"
#include "testing/support/held_page.h"

namespace mooring::conformance {

class HeldFile {
 public:
  // Returns with the lock held.
  explicit HeldFile(const TempDir& dir);
  ~HeldFile();
  HeldFile(const HeldFile&) = delete;
  HeldFile& operator=(const HeldFile&) = delete;

  int fd() const { return file_.get(); }
  // True once another thread of this process, a kernel's worker or one of the library's, waits
  // where nothing can interrupt it.
  bool WaitForStuckWrite() const;
  void Release();

 private:
  Fd file_;
  HeldPage page_;
  std::atomic<pid_t> writer_id_{0};
  std::thread writer_;
};

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_HELD_FILE_H_
