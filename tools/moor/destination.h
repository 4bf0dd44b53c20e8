// Destination: where a copy goes. A file is written under a temporary name in the same directory
// and renamed when it is whole, so its final name never shows half a file and an old file of that
// name stays until then. A device or a pipe is written straight into.
//
// Lifecycle: FindDestination checks everything that can be checked without touching anything;
// Create makes the temporary file; Commit gives it its name. Without Commit, Remove (or the
// destructor) takes it away again. Threading: one owner.
//
//   DestinationPath path = FindDestination(source, "backup/");
//   Destination destination(path);
//   ... write to destination.fd() ...
//   destination.Commit(source, size, false);
#ifndef MOORING_TOOLS_MOOR_DESTINATION_H_
#define MOORING_TOOLS_MOOR_DESTINATION_H_

#include <cstdint>
#include <memory>
#include <string>

#include "tools/moor/descriptor.h"
#include "tools/moor/interrupts.h"
#include "tools/moor/source.h"

namespace moor {

// What DST names: symbolic links followed, directories completed with the name of SRC.
struct DestinationPath {
  std::string shown;      // for messages: what the user may recognise
  std::string directory;  // of the file, "." for the current one
  std::string name;       // of the file in it
  bool is_file = true;    // false: a device or a pipe, opened as `shown`
  bool replace = true;    // a file of that name
};

// What goes to nobody who asked for it: `existing` is there, and may not be replaced.
[[noreturn]] void ThrowExists(const std::string& existing);

// Throws where the copy cannot work, SRC and DST being the same file among it.
DestinationPath FindDestination(const SourcePath& source, const std::string& path);

class Destination {
 public:
  // Makes the temporary file, or opens the device. Waits for the reader of a pipe.
  explicit Destination(const DestinationPath& path);
  ~Destination();

  int fd() const { return fd_.get(); }
  bool is_file() const { return path_.is_file; }
  const std::string& shown() const { return path_.shown; }

  // Reserves `size` bytes at `offset`, where that is cheap and tells of a full filesystem before
  // the work instead of after it. Throws only for want of space.
  void Reserve(uint64_t offset, uint64_t size);

  // The file is whole: length, owner, mode, times, and then its name. `sync`: on the storage first.
  // For a device, only closes.
  void Commit(const Source& source, uint64_t size, bool sync);

  // Takes the temporary file away; what is still under way writes to a file without a name.
  void Remove();

 private:
  void CreateTemporary();
  void OpenDevice();
  void CopyMetadata(const Source& source);
  void SyncTemporary();
  void TakeName();

  DestinationPath path_;
  Descriptor directory_;
  Descriptor fd_;
  std::string temporary_;  // "" when there is none to remove
  std::unique_ptr<TemporaryFileGuard> guard_;
  bool reserves_ = false;
};

// The temporary name for `name`: hidden, recognisable, no longer than `name_bytes_max`.
std::string TemporaryName(const std::string& name, size_t name_bytes_max,
                          const std::string& random);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_DESTINATION_H_
