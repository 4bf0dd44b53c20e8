#include "cpp/engine/threads/exclusive_poll.h"

#include <sys/stat.h>

#include "cpp/base/check.h"
#include "cpp/engine/threads/sockets.h"

namespace mooring {

Turns::Taken Turns::Take(Work* work) {
  // The number alone would make a file wait for another that had its number before. Of a socket
  // st_ino is enough: other files that need turns may share one (anonymous inodes).
  struct stat stat = {};
  ::fstat(work->current_fd(), &stat);
  const int fd = IsSocketOpcode(work->request.opcode) ? -1 : work->fd;
  work->turn = TurnKey{fd, work->request.opcode == Opcode::kWrite, stat.st_dev, stat.st_ino};
  const MutexLock lock(mutex_);
  if (FindHolder(work->turn) == nullptr) {
    Hold(work);
    return Taken::kYes;
  }
  if (!work->Move(WorkState::kRunning, WorkState::kParked)) return Taken::kCancelled;
  parked_.PushBack(work);
  return Taken::kParked;
}

Work* Turns::Pass(Work* work) {
  DCHECK(work->has_turn);
  const MutexLock lock(mutex_);
  work->has_turn = false;
  Work** link = &holders_;
  while (*link != work) link = &(*link)->turn_next;
  *link = work->turn_next;
  Work* next = parked_.front();
  while (next != nullptr && !(next->turn == work->turn)) next = next->list_next;
  if (next == nullptr) return nullptr;
  parked_.Remove(next);
  Hold(next);
  const bool moved = next->Move(WorkState::kParked, WorkState::kQueued);
  CHECK(moved);
  return next;
}

bool Turns::Remove(Work* work, uint32_t seen) {
  const MutexLock lock(mutex_);
  if (!work->MoveFrom(seen, WorkState::kRunning)) return false;
  parked_.Remove(work);
  return true;
}

void Turns::Hold(Work* work) {
  work->has_turn = true;
  work->turn_next = holders_;
  holders_ = work;
}

Work* Turns::FindHolder(const TurnKey& key) const {
  Work* work = holders_;
  while (work != nullptr && !(work->turn == key)) work = work->turn_next;
  return work;
}

}  // namespace mooring
