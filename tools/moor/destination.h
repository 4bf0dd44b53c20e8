// Destination: the file that a copy writes. The data goes into a temporary file in the same
// directory, which is renamed when it is complete. So the final name never refers to a partial
// file, and an existing file of that name stays until then. A device or a pipe is written directly.
//
// Lifecycle: FindDestination makes all checks that change nothing. The constructor creates the
// temporary file. Commit renames it. Without Commit, Remove or the destructor deletes it.
// Threading: one owner.
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

// DST after symbolic links are followed and the base name of SRC is appended to a directory.
struct DestinationPath {
  std::string display_path;  // for messages: close to what the user wrote
  std::string directory;     // of the file, "." for the current one
  std::string name;          // of the file in `directory`
  bool is_file = true;       // false: a device or a pipe, opened as `display_path`
  bool replace = true;       // whether an existing file of that name is replaced
};

// Throws: the file `existing` exists and must not be replaced.
[[noreturn]] void ThrowExists(const std::string& existing);

// Throws if the copy cannot succeed, for example because SRC and DST are the same file.
DestinationPath FindDestination(const SourcePath& source, const std::string& path);

class Destination {
 public:
  // Creates the temporary file, or opens the device. Waits for the reader of a pipe.
  explicit Destination(const DestinationPath& path);
  ~Destination();

  int fd() const { return fd_.get(); }
  bool is_file() const { return path_.is_file; }
  const std::string& display_path() const { return path_.display_path; }

  // Reserves `size` bytes at `offset` on filesystems where that is cheap, so that a full filesystem
  // is detected before the copy starts. Throws only if there is not enough space.
  void Reserve(uint64_t offset, uint64_t size);

  // Completes the file: sets the length, the owner, the mode and the times, then renames it. With
  // `sync`, writes the data to the storage before the rename. A device is only closed.
  void Commit(const Source& source, uint64_t size, bool sync);

  // Deletes the temporary file. Writes that are still in flight go to the unlinked file.
  void Remove();

 private:
  void CreateTemporary();
  void OpenDevice();
  void CopyMetadata(const Source& source);
  void SyncTemporary();
  void RenameTemporary();

  DestinationPath path_;
  Descriptor directory_;
  Descriptor fd_;
  std::string temporary_;  // "" if there is no file to delete
  std::unique_ptr<TemporaryFileGuard> guard_;
  bool reserves_ = false;
};

// Returns the temporary name for `name`: it is hidden, contains `name` (cut if it is too long), and
// has at most `name_bytes_max` bytes.
std::string TemporaryName(const std::string& name, size_t name_bytes_max,
                          const std::string& random);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_DESTINATION_H_
