package capi

// CGO_CFLAGS=-I... and CGO_LDFLAGS="-L... -l:libmooring.so.0" name the folders of the header and
// of the library.

// #include <mooring/mooring.h>
import "C"

import "unsafe"

// Opaque objects of the library.
type (
	Error        = C.mooring_error_t
	Registration = C.mooring_registration_t
	Ring         = C.mooring_ring_t
	Slab         = C.mooring_slab_t
)

// Fails to compile if a record of fixed size has another size in C.
var (
	_ = [1]struct{}{}[unsafe.Sizeof(Operation{})-unsafe.Sizeof(C.mooring_op_t{})]
	_ = [1]struct{}{}[unsafe.Sizeof(Segment{})-unsafe.Sizeof(C.mooring_segment_t{})]
	_ = [1]struct{}{}[unsafe.Sizeof(Completion{})-unsafe.Sizeof(C.mooring_completion_t{})]
	_ = [1]struct{}{}[unsafe.Sizeof(Lease{})-unsafe.Sizeof(C.mooring_lease_t{})]
)

const (
	HeaderVersionMajor uint32 = C.MOORING_VERSION_MAJOR
	HeaderVersionMinor uint32 = C.MOORING_VERSION_MINOR
	HeaderVersionPatch uint32 = C.MOORING_VERSION_PATCH
	HeaderVersion      uint32 = C.MOORING_VERSION

	CodeOk              Code = C.MOORING_CODE_OK
	CodeInvalidArgument Code = C.MOORING_CODE_INVALID_ARGUMENT
	CodeInvalidState    Code = C.MOORING_CODE_INVALID_STATE
	CodeNotFound        Code = C.MOORING_CODE_NOT_FOUND
	CodePermission      Code = C.MOORING_CODE_PERMISSION
	CodeUnsupported     Code = C.MOORING_CODE_UNSUPPORTED
	CodeExhausted       Code = C.MOORING_CODE_EXHAUSTED
	CodeMemlockLimit    Code = C.MOORING_CODE_MEMLOCK_LIMIT
	CodeCancelled       Code = C.MOORING_CODE_CANCELLED
	CodeTimeout         Code = C.MOORING_CODE_TIMEOUT
	CodeIo              Code = C.MOORING_CODE_IO
	CodeDataShort       Code = C.MOORING_CODE_DATA_SHORT
	CodeDevice          Code = C.MOORING_CODE_DEVICE
	CodeForked          Code = C.MOORING_CODE_FORKED
	CodeInternal        Code = C.MOORING_CODE_INTERNAL

	RetryNever       Retry = C.MOORING_RETRY_NEVER
	RetryLater       Retry = C.MOORING_RETRY_LATER
	RetryAfterRemedy Retry = C.MOORING_RETRY_AFTER_REMEDY

	FeatureFixedBuffers    uint64 = C.MOORING_FEATURE_FIXED_BUFFERS
	FeatureBufferUpdate    uint64 = C.MOORING_FEATURE_BUFFER_UPDATE
	FeatureBufferTags      uint64 = C.MOORING_FEATURE_BUFFER_TAGS
	FeatureSparseTable     uint64 = C.MOORING_FEATURE_SPARSE_TABLE
	FeatureCloneBuffers    uint64 = C.MOORING_FEATURE_CLONE_BUFFERS
	FeatureFixedFiles      uint64 = C.MOORING_FEATURE_FIXED_FILES
	FeatureWaitTimeout     uint64 = C.MOORING_FEATURE_WAIT_TIMEOUT
	FeatureSingleIssuer    uint64 = C.MOORING_FEATURE_SINGLE_ISSUER
	FeatureDeferTaskrun    uint64 = C.MOORING_FEATURE_DEFER_TASKRUN
	FeatureSqpoll          uint64 = C.MOORING_FEATURE_SQPOLL
	FeatureSendZeroCopy    uint64 = C.MOORING_FEATURE_SEND_ZERO_COPY
	FeatureSubmitAll       uint64 = C.MOORING_FEATURE_SUBMIT_ALL
	FeatureAcceptMultishot uint64 = C.MOORING_FEATURE_ACCEPT_MULTISHOT
	FeatureRecvMultishot   uint64 = C.MOORING_FEATURE_RECV_MULTISHOT

	TransparentHugePagesUnknown TransparentHugePages = C.MOORING_TRANSPARENT_HUGE_PAGES_UNKNOWN
	TransparentHugePagesNever   TransparentHugePages = C.MOORING_TRANSPARENT_HUGE_PAGES_NEVER
	TransparentHugePagesMadvise TransparentHugePages = C.MOORING_TRANSPARENT_HUGE_PAGES_MADVISE
	TransparentHugePagesAlways  TransparentHugePages = C.MOORING_TRANSPARENT_HUGE_PAGES_ALWAYS

	OperationBytesMax uint64 = C.MOORING_OPERATION_BYTES_MAX

	FileOffsetCurrent uint64 = C.MOORING_FILE_OFFSET_CURRENT

	FsyncDataOnly uint64 = C.MOORING_FSYNC_DATA_ONLY

	OpcodeNop             Opcode = C.MOORING_OPCODE_NOP
	OpcodeRead            Opcode = C.MOORING_OPCODE_READ
	OpcodeWrite           Opcode = C.MOORING_OPCODE_WRITE
	OpcodeFsync           Opcode = C.MOORING_OPCODE_FSYNC
	OpcodeFallocate       Opcode = C.MOORING_OPCODE_FALLOCATE
	OpcodeOpenat          Opcode = C.MOORING_OPCODE_OPENAT
	OpcodeClose           Opcode = C.MOORING_OPCODE_CLOSE
	OpcodeStatx           Opcode = C.MOORING_OPCODE_STATX
	OpcodeTimeout         Opcode = C.MOORING_OPCODE_TIMEOUT
	OpcodeCancel          Opcode = C.MOORING_OPCODE_CANCEL
	OpcodeSend            Opcode = C.MOORING_OPCODE_SEND
	OpcodeRecv            Opcode = C.MOORING_OPCODE_RECV
	OpcodeAccept          Opcode = C.MOORING_OPCODE_ACCEPT
	OpcodeConnect         Opcode = C.MOORING_OPCODE_CONNECT
	OpcodeShutdown        Opcode = C.MOORING_OPCODE_SHUTDOWN
	OpcodePoll            Opcode = C.MOORING_OPCODE_POLL
	OpcodeSendmsg         Opcode = C.MOORING_OPCODE_SENDMSG
	OpcodeRecvmsg         Opcode = C.MOORING_OPCODE_RECVMSG
	OpcodeAcceptMultishot Opcode = C.MOORING_OPCODE_ACCEPT_MULTISHOT
	OpcodeRecvMultishot   Opcode = C.MOORING_OPCODE_RECV_MULTISHOT

	SegmentCountMax uint32 = C.MOORING_SEGMENT_COUNT_MAX

	SendAuto     SendKind = C.MOORING_SEND_AUTO
	SendZeroCopy SendKind = C.MOORING_SEND_ZERO_COPY
	SendCopy     SendKind = C.MOORING_SEND_COPY

	OperationLink      OperationFlags = C.MOORING_OPERATION_LINK
	OperationDrain     OperationFlags = C.MOORING_OPERATION_DRAIN
	OperationFixedFile OperationFlags = C.MOORING_OPERATION_FIXED_FILE

	PathNone  Path = C.MOORING_PATH_NONE
	PathFixed Path = C.MOORING_PATH_FIXED
	PathCopy  Path = C.MOORING_PATH_COPY

	CompletionEndOfFile CompletionFlags = C.MOORING_COMPLETION_END_OF_FILE
	CompletionShort     CompletionFlags = C.MOORING_COMPLETION_SHORT
	CompletionMore      CompletionFlags = C.MOORING_COMPLETION_MORE

	PolicyPrefer  Policy = C.MOORING_POLICY_PREFER
	PolicyRequire Policy = C.MOORING_POLICY_REQUIRE
	PolicyNever   Policy = C.MOORING_POLICY_NEVER

	OutcomeFixed   Outcome = C.MOORING_OUTCOME_FIXED
	OutcomePartial Outcome = C.MOORING_OUTCOME_PARTIAL
	OutcomeCopy    Outcome = C.MOORING_OUTCOME_COPY

	ReasonNone           Reason = C.MOORING_REASON_NONE
	ReasonPolicy         Reason = C.MOORING_REASON_POLICY
	ReasonMemlockLimit   Reason = C.MOORING_REASON_MEMLOCK_LIMIT
	ReasonOutOfMemory    Reason = C.MOORING_REASON_OUT_OF_MEMORY
	ReasonBackingRefused Reason = C.MOORING_REASON_BACKING_REFUSED
	ReasonTableFull      Reason = C.MOORING_REASON_TABLE_FULL
	ReasonKernelTooOld   Reason = C.MOORING_REASON_KERNEL_TOO_OLD
	ReasonRegisterDenied Reason = C.MOORING_REASON_REGISTER_DENIED
	ReasonEngineThreads  Reason = C.MOORING_REASON_ENGINE_THREADS
	ReasonOwnerThread    Reason = C.MOORING_REASON_OWNER_THREAD

	SourceNone   Source = C.MOORING_SOURCE_NONE
	SourcePinned Source = C.MOORING_SOURCE_PINNED
	SourceCloned Source = C.MOORING_SOURCE_CLONED

	RegistrationRaiseMemlock uint32 = C.MOORING_REGISTRATION_RAISE_MEMLOCK

	EngineAuto    Engine = C.MOORING_ENGINE_AUTO
	EngineIoUring Engine = C.MOORING_ENGINE_IO_URING
	EngineThreads Engine = C.MOORING_ENGINE_THREADS

	EngineReasonNone            EngineReason = C.MOORING_ENGINE_REASON_NONE
	EngineReasonPolicy          EngineReason = C.MOORING_ENGINE_REASON_POLICY
	EngineReasonMemlockLimit    EngineReason = C.MOORING_ENGINE_REASON_MEMLOCK_LIMIT
	EngineReasonIoUringDenied   EngineReason = C.MOORING_ENGINE_REASON_IO_URING_DENIED
	EngineReasonIoUringDisabled EngineReason = C.MOORING_ENGINE_REASON_IO_URING_DISABLED
	EngineReasonIoUringMissing  EngineReason = C.MOORING_ENGINE_REASON_IO_URING_MISSING

	RingOwnerThread  uint32 = C.MOORING_RING_OWNER_THREAD
	RingSqpoll       uint32 = C.MOORING_RING_SQPOLL
	RingRaiseMemlock uint32 = C.MOORING_RING_RAISE_MEMLOCK

	HugePagesAuto    HugePages = C.MOORING_HUGE_PAGES_AUTO
	HugePagesNever   HugePages = C.MOORING_HUGE_PAGES_NEVER
	HugePagesRequire HugePages = C.MOORING_HUGE_PAGES_REQUIRE

	PageKindAny         PageKind = C.MOORING_PAGE_KIND_ANY
	PageKindOrdinary    PageKind = C.MOORING_PAGE_KIND_ORDINARY
	PageKindTransparent PageKind = C.MOORING_PAGE_KIND_TRANSPARENT
	PageKindHugetlb     PageKind = C.MOORING_PAGE_KIND_HUGETLB

	NumaPolicyDefault NumaPolicy = C.MOORING_NUMA_POLICY_DEFAULT
	NumaPolicyBind    NumaPolicy = C.MOORING_NUMA_POLICY_BIND
	NumaPolicyPrefer  NumaPolicy = C.MOORING_NUMA_POLICY_PREFER

	TouchNow  Touch = C.MOORING_TOUCH_NOW
	TouchNone Touch = C.MOORING_TOUCH_NONE
)

func Version() uint32 {
	return uint32(C.mooring_version())
}

func VersionString() string {
	return C.GoString(C.mooring_version_string())
}

func ErrorCode(err *Error) Code {
	return Code(C.mooring_error_code(err))
}

func ErrorMessage(err *Error) string {
	return C.GoString(C.mooring_error_message(err))
}

func ErrorRemedy(err *Error) string {
	return C.GoString(C.mooring_error_remedy(err))
}

func ErrorSystemError(err *Error) int32 {
	return int32(C.mooring_error_system_error(err))
}

func ErrorRetry(err *Error) Retry {
	return Retry(C.mooring_error_retry(err))
}

func ErrorDestroy(err *Error) {
	C.mooring_error_destroy(err)
}

func CodeName(code Code) string {
	return C.GoString(C.mooring_code_name(C.mooring_code_t(code)))
}

func FactsGet(outFacts *Facts) *Error {
	return C.mooring_facts_get((*C.mooring_facts_t)(unsafe.Pointer(outFacts)))
}

func SlabCreate(options *SlabOptions, outSlab **Slab) *Error {
	return C.mooring_slab_create((*C.mooring_slab_options_t)(unsafe.Pointer(options)), outSlab)
}

// SlabAdopt takes memory that is outside Go's heap, or that the caller pins until SlabClose has
// succeeded.
func SlabAdopt(data unsafe.Pointer, sizeBytes uint64, options *SlabOptions, outSlab **Slab) *Error {
	return C.mooring_slab_adopt(data, C.uint64_t(sizeBytes),
		(*C.mooring_slab_options_t)(unsafe.Pointer(options)), outSlab)
}

func SlabImport(fd int32, offsetBytes, sizeBytes uint64, options *SlabOptions,
	outSlab **Slab) *Error {
	return C.mooring_slab_import(C.int32_t(fd), C.uint64_t(offsetBytes), C.uint64_t(sizeBytes),
		(*C.mooring_slab_options_t)(unsafe.Pointer(options)), outSlab)
}

func SlabGetInfo(slab *Slab, outInfo *SlabInfo) *Error {
	return C.mooring_slab_get_info(slab, (*C.mooring_slab_info_t)(unsafe.Pointer(outInfo)))
}

func SlabAcquire(slab *Slab, bufferCount uint32, outLease *Lease) *Error {
	return C.mooring_slab_acquire(slab, C.uint32_t(bufferCount),
		(*C.mooring_lease_t)(unsafe.Pointer(outLease)))
}

func SlabRelease(slab *Slab, lease Lease) *Error {
	return C.mooring_slab_release(slab, *(*C.mooring_lease_t)(unsafe.Pointer(&lease)))
}

func SlabData(slab *Slab, lease Lease) unsafe.Pointer {
	return C.mooring_slab_data(slab, *(*C.mooring_lease_t)(unsafe.Pointer(&lease)))
}

func SlabGrow(slab *Slab, bufferCount uint64) *Error {
	return C.mooring_slab_grow(slab, C.uint64_t(bufferCount))
}

func SlabClose(slab *Slab, timeoutNs int64) *Error {
	return C.mooring_slab_close(slab, C.int64_t(timeoutNs))
}

func SlabDestroy(slab *Slab) {
	C.mooring_slab_destroy(slab)
}

func RingCreate(options *RingOptions, outRing **Ring) *Error {
	return C.mooring_ring_create((*C.mooring_ring_options_t)(unsafe.Pointer(options)), outRing)
}

func RingSubmit(ring *Ring, operations []Operation, outAccepted *uint32) *Error {
	return C.mooring_ring_submit(ring, operationsOf(operations), C.uint32_t(len(operations)),
		(*C.uint32_t)(outAccepted))
}

func RingReap(ring *Ring, completions []Completion, minCount uint32, timeoutNs int64,
	outCount *uint32) *Error {
	return C.mooring_ring_reap(ring, completionsOf(completions), C.uint32_t(len(completions)),
		C.uint32_t(minCount), C.int64_t(timeoutNs), (*C.uint32_t)(outCount))
}

func RingSubmitAndReap(ring *Ring, operations []Operation, outAccepted *uint32,
	completions []Completion, minCount uint32, timeoutNs int64, outCount *uint32) *Error {
	return C.mooring_ring_submit_and_reap(ring, operationsOf(operations),
		C.uint32_t(len(operations)), (*C.uint32_t)(outAccepted), completionsOf(completions),
		C.uint32_t(len(completions)), C.uint32_t(minCount), C.int64_t(timeoutNs),
		(*C.uint32_t)(outCount))
}

func RingCancel(ring *Ring, userData uint64, outCount *uint32) *Error {
	return C.mooring_ring_cancel(ring, C.uint64_t(userData), (*C.uint32_t)(outCount))
}

func RingSetFile(ring *Ring, index uint32, fd int32) *Error {
	return C.mooring_ring_set_file(ring, C.uint32_t(index), C.int32_t(fd))
}

func RingEventFd(ring *Ring, outFd *int32) *Error {
	return C.mooring_ring_event_fd(ring, (*C.int32_t)(outFd))
}

func RingGetInfo(ring *Ring, outInfo *RingInfo) *Error {
	return C.mooring_ring_get_info(ring, (*C.mooring_ring_info_t)(unsafe.Pointer(outInfo)))
}

func RingGetStats(ring *Ring, outStats *RingStats) *Error {
	return C.mooring_ring_get_stats(ring, (*C.mooring_ring_stats_t)(unsafe.Pointer(outStats)))
}

func RingClose(ring *Ring, timeoutNs int64) *Error {
	return C.mooring_ring_close(ring, C.int64_t(timeoutNs))
}

func RingDestroy(ring *Ring) {
	C.mooring_ring_destroy(ring)
}

func RegistrationCreate(ring *Ring, slab *Slab, options *RegistrationOptions,
	outRegistration **Registration) *Error {
	return C.mooring_registration_create(ring, slab,
		(*C.mooring_registration_options_t)(unsafe.Pointer(options)), outRegistration)
}

func RegistrationGetInfo(registration *Registration, outInfo *RegistrationInfo) *Error {
	return C.mooring_registration_get_info(registration,
		(*C.mooring_registration_info_t)(unsafe.Pointer(outInfo)))
}

func RegistrationGetExtent(registration *Registration, index uint32, outInfo *ExtentInfo) *Error {
	return C.mooring_registration_get_extent(registration, C.uint32_t(index),
		(*C.mooring_extent_info_t)(unsafe.Pointer(outInfo)))
}

func RegistrationPromote(registration *Registration) *Error {
	return C.mooring_registration_promote(registration)
}

func RegistrationDestroy(registration *Registration) {
	C.mooring_registration_destroy(registration)
}

func operationsOf(operations []Operation) *C.mooring_op_t {
	return (*C.mooring_op_t)(unsafe.Pointer(unsafe.SliceData(operations)))
}

func completionsOf(completions []Completion) *C.mooring_completion_t {
	return (*C.mooring_completion_t)(unsafe.Pointer(unsafe.SliceData(completions)))
}
