// Package capi is the C interface of Mooring (c_api/include/mooring/*.h) as Go calls it, and
// nothing more.
//
// capi.go holds every use of cgo in this module: one Go function for each C function, under its
// name without the prefix, and one constant for each constant. types.go holds the records in Go's
// own types, laid out as in C, so that an operation or a completion is filled and read without cgo,
// and a batch of them crosses the boundary in one call.
//
// The headers say what each function does, who owns what, and which thread may call; none of it is
// softened here. A nil *Error is success, and any other goes back with ErrorDestroy. No Go pointer
// is kept by C: operations name memory of a slab, which is not Go's, or addresses that the caller
// pins (runtime.Pinner) until the completion.
package capi
