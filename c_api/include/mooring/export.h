// export.h: macros that mark every Mooring declaration. They are not part of the binary interface.
#ifndef MOORING_EXPORT_H_
#define MOORING_EXPORT_H_

#if defined(__GNUC__)
#define MOORING_API __attribute__((visibility("default")))
#define MOORING_NODISCARD __attribute__((warn_unused_result))
#else
#define MOORING_API
#define MOORING_NODISCARD
#endif

#if defined(__cplusplus)
#define MOORING_NOEXCEPT noexcept
#define MOORING_BEGIN_DECLS extern "C" {
#define MOORING_END_DECLS }
#else
#define MOORING_NOEXCEPT
#define MOORING_BEGIN_DECLS
#define MOORING_END_DECLS
#endif

#endif  // MOORING_EXPORT_H_
