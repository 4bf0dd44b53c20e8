package capi

// Enumerations are integers: a library newer than this module may return a value that the module
// does not have.
type (
	Code                 uint32
	Retry                uint32
	TransparentHugePages uint32
	Opcode               uint16
	OperationFlags       uint16
	SendKind             uint32
	Path                 uint32
	CompletionFlags      uint32
	Policy               uint32
	Outcome              uint32
	Reason               uint32
	Source               uint32
	Engine               uint32
	EngineReason         uint32
	HugePages            uint32
	PageKind             uint32
	NumaPolicy           uint32
	Touch                uint32
)

// Facts is mooring_facts_t. Its texts end at the first NUL.
type Facts struct {
	StructSize               uint32
	Engine                   Engine
	EngineReason             EngineReason
	EngineSystemError        int32
	Features                 uint64
	MemlockSoftBytes         uint64
	MemlockHardBytes         uint64
	MemlockUsedBytes         uint64
	MemlockExempt            uint32
	RingCharged              uint32
	PageBytes                uint64
	TransparentHugePageBytes uint64
	HugetlbPageBytes         uint64
	HugetlbPagesTotal        uint64
	HugetlbPagesFree         uint64
	TransparentHugePages     TransparentHugePages
	NumaNodeCount            uint32
	CpuCount                 uint32
	Reserved                 uint32
	KernelRelease            [72]byte
	EngineMessage            [256]byte
	EngineRemedy             [512]byte
}

// Operation is mooring_op_t.
type Operation struct {
	Opcode          Opcode
	Flags           OperationFlags
	Fd              int32
	FileOffset      uint64
	Registration    *Registration
	LeaseFirstIndex uint32
	LeaseGeneration uint32
	Offset          uint64
	Size            uint64
	UserData        uint64
	Parameter       uint64
}

// Completion is mooring_completion_t.
type Completion struct {
	UserData        uint64
	Result          int64
	Flags           CompletionFlags
	Path            Path
	LeaseFirstIndex uint32
	LeaseGeneration uint32
}

// RegistrationOptions is mooring_registration_options_t.
type RegistrationOptions struct {
	StructSize          uint32
	Flags               uint32
	Policy              Policy
	ProvidedBufferCount uint32
	ExtentBytesMax      uint64
}

// RegistrationInfo is mooring_registration_info_t.
type RegistrationInfo struct {
	StructSize          uint32
	Policy              Policy
	Outcome             Outcome
	Reason              Reason
	SystemError         int32
	ExtentCount         uint32
	BytesRequested      uint64
	BytesFixed          uint64
	MemlockSoftBytes    uint64
	MemlockHardBytes    uint64
	MemlockUsedBytes    uint64
	MemlockExempt       uint32
	ProvidedBufferCount uint32
	Message             [512]byte
	Remedy              [512]byte
	BytesCloned         uint64
	ProvidedSystemError int32
	Reserved            uint32
}

// ExtentInfo is mooring_extent_info_t.
type ExtentInfo struct {
	StructSize  uint32
	Outcome     Outcome
	Reason      Reason
	SystemError int32
	Offset      uint64
	Size        uint64
	BytesFixed  uint64
	Source      Source
	Reserved    uint32
}

// RingOptions is mooring_ring_options_t.
type RingOptions struct {
	StructSize       uint32
	Flags            uint32
	Engine           Engine
	SubmissionCount  uint32
	CompletionCount  uint32
	InFlightMax      uint32
	FixedBufferCount uint32
	FixedFileCount   uint32
	WorkerCount      uint32
	SqpollIdleMs     uint32
}

// RingInfo is mooring_ring_info_t.
type RingInfo struct {
	StructSize       uint32
	Flags            uint32
	Engine           Engine
	EngineReason     EngineReason
	SystemError      int32
	SubmissionCount  uint32
	CompletionCount  uint32
	InFlightMax      uint32
	FixedBufferCount uint32
	FixedFileCount   uint32
	WorkerCount      uint32
	SetupFlags       uint32
	Features         uint64
	MemlockBytes     uint64
	Message          [256]byte
	Remedy           [512]byte
}

// RingStats is mooring_ring_stats_t.
type RingStats struct {
	StructSize         uint32
	Reserved           uint32
	Submitted          uint64
	Completed          uint64
	Failed             uint64
	Cancelled          uint64
	Read               uint64
	ReadFixed          uint64
	Write              uint64
	WriteFixed         uint64
	ReadBytes          uint64
	WriteBytes         uint64
	ShortCount         uint64
	InFlight           uint64
	SystemCalls        uint64
	OverflowCount      uint64
	Send               uint64
	Recv               uint64
	SendBytes          uint64
	RecvBytes          uint64
	SendZeroCopy       uint64
	SendCopied         uint64
	MultishotCompleted uint64
	MultishotRequests  uint64
}

// Segment is mooring_segment_t.
type Segment struct {
	LeaseFirstIndex uint32
	LeaseGeneration uint32
	Offset          uint64
	Size            uint64
}

// Lease is mooring_lease_t. The zero value names no buffers.
type Lease struct {
	FirstIndex  uint32
	BufferCount uint32
	Generation  uint32
	Reserved    uint32
}

// SlabOptions is mooring_slab_options_t.
type SlabOptions struct {
	StructSize       uint32
	Flags            uint32
	BufferBytes      uint64
	BufferCount      uint64
	HugePages        HugePages
	HugePageKind     PageKind
	NumaPolicy       NumaPolicy
	NumaNode         uint32
	Touch            Touch
	TouchThreadCount uint32
	BufferCountMax   uint64
}

// SlabInfo is mooring_slab_info_t. Data is an address outside Go's heap.
type SlabInfo struct {
	StructSize           uint32
	Adopted              uint32
	Data                 uintptr
	TotalBytes           uint64
	BufferBytes          uint64
	BufferCount          uint64
	PageBytes            uint64
	HugePageTotalBytes   uint64
	TouchedBytes         uint64
	PageKind             PageKind
	NumaNode             int32
	LeasedCount          uint64
	HeldCount            uint64
	KernelReferenceCount uint64
	Note                 [256]byte
	BufferCountMax       uint64
}
