// Package capi declares the C interface of Mooring (c_api/include/mooring/*.h) for Go.
//
// capi.go has every use of cgo in this module: one Go function for each C function, named without
// the prefix, and one constant for each constant. types.go has the records in Go types, with the
// layout of C. Go code fills operations and reads completions without cgo, and a batch of them
// needs one call.
//
// The headers document what each function does, ownership, and which thread may call. The same
// rules apply here. A nil *Error is success. Free any other with ErrorDestroy. C keeps no Go
// pointer: operations name memory of a slab, which is outside Go's heap, or addresses that the
// caller pins (runtime.Pinner) until the completion.
package capi
