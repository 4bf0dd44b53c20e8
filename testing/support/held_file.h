// held_file.h: a file whose inode lock is held. A write to it blocks in the kernel, with its memory
// in use, until the test releases the file. Nothing can cancel it.
//
// A writer thread stops in the middle of its write, with the lock taken, because the page that it
// writes from never arrives (held_page.h). Every file system of Linux writes under such a lock.
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
  // Returns when the lock is held.
  explicit HeldFile(const TempDir& dir);
  ~HeldFile();
  HeldFile(const HeldFile&) = delete;
  HeldFile& operator=(const HeldFile&) = delete;

  int fd() const { return file_.get(); }
  // Waits until another thread of this process is in an uninterruptible wait: a worker of the
  // kernel or one of the library. False after the deadline.
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
