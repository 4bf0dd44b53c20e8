package capi

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"
)

const (
	mebibyte = 1 << 20
	second   = int64(1_000_000_000)
)

// check fails the test with the message and the remedy of err.
func check(t *testing.T, err *Error) {
	t.Helper()
	if err != nil {
		defer ErrorDestroy(err)
		t.Fatalf("%s\nremedy: %s", ErrorMessage(err), ErrorRemedy(err))
	}
}

func text(array []byte) string {
	before, _, _ := bytes.Cut(array, []byte{0})
	return string(before)
}

func getFacts(t *testing.T) *Facts {
	t.Helper()
	facts := &Facts{StructSize: uint32(unsafe.Sizeof(Facts{}))}
	check(t, FactsGet(facts))
	return facts
}

// sample makes a file of one MiB in which all groups of eight bytes differ.
func sample(t *testing.T) (*os.File, []byte) {
	t.Helper()
	content := make([]byte, 0, mebibyte)
	for i := uint64(0); len(content) < mebibyte; i++ {
		content = binary.LittleEndian.AppendUint64(content, i*0x9e3779b97f4a7c15)
	}
	path := filepath.Join(t.TempDir(), "sample")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file, content
}

func TestLibraryHasTheVersionOfTheHeader(t *testing.T) {
	if Version() != HeaderVersion {
		t.Errorf("library %#x, header %#x", Version(), HeaderVersion)
	}
	want := fmt.Sprintf("%d.%d.%d", HeaderVersionMajor, HeaderVersionMinor, HeaderVersionPatch)
	if got := VersionString(); got != want {
		t.Errorf("library %q, header %q", got, want)
	}
}

func TestFactsNameTheRunningKernelAndItsEngine(t *testing.T) {
	facts := getFacts(t)
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text(facts.KernelRelease[:]), strings.TrimSpace(string(release)); got != want {
		t.Errorf("kernel %q, expected %q", got, want)
	}
	if facts.CpuCount == 0 || facts.NumaNodeCount == 0 || facts.PageBytes == 0 {
		t.Errorf("%d CPUs, %d NUMA nodes, pages of %d bytes", facts.CpuCount, facts.NumaNodeCount,
			facts.PageBytes)
	}
	message, remedy := text(facts.EngineMessage[:]), text(facts.EngineRemedy[:])
	switch facts.Engine {
	case EngineIoUring:
		if facts.EngineReason != EngineReasonNone || facts.Features == 0 || message != "" {
			t.Errorf("io_uring, with reason %d, features %#x, message %q",
				facts.EngineReason, facts.Features, message)
		}
	case EngineThreads:
		if facts.EngineReason == EngineReasonNone || message == "" || remedy == "" {
			t.Errorf("threads, with reason %d, message %q, remedy %q",
				facts.EngineReason, message, remedy)
		}
	default:
		t.Errorf("engine %d", facts.Engine)
	}
}

func TestErrorHasCodeMessageRemedyAndRetryClass(t *testing.T) {
	options := SlabOptions{StructSize: uint32(unsafe.Sizeof(SlabOptions{})), BufferBytes: 511}
	var slab *Slab
	err := SlabCreate(&options, &slab)
	if err == nil || slab != nil {
		t.Fatal("SlabCreate accepted buffers of 511 bytes")
	}
	defer ErrorDestroy(err)
	if ErrorCode(err) != CodeInvalidArgument || CodeName(ErrorCode(err)) != "INVALID_ARGUMENT" {
		t.Errorf("code %d, named %q", ErrorCode(err), CodeName(ErrorCode(err)))
	}
	if ErrorRetry(err) != RetryNever {
		t.Errorf("retry %d", ErrorRetry(err))
	}
	if !strings.Contains(ErrorMessage(err), "511") || ErrorRemedy(err) == "" {
		t.Errorf("message %q, remedy %q", ErrorMessage(err), ErrorRemedy(err))
	}
}

// expectedPath returns the path that a read must take, from the report of the registration.
func expectedPath(t *testing.T, registration *Registration) Path {
	t.Helper()
	info := RegistrationInfo{StructSize: uint32(unsafe.Sizeof(RegistrationInfo{}))}
	check(t, RegistrationGetInfo(registration, &info))
	if info.Outcome == OutcomeFixed {
		if info.Reason != ReasonNone || info.BytesFixed != info.BytesRequested {
			t.Fatalf("FIXED, with reason %d and %d of %d bytes", info.Reason, info.BytesFixed,
				info.BytesRequested)
		}
		return PathFixed
	}
	facts := getFacts(t)
	message := text(info.Message[:])
	if facts.Engine == EngineIoUring && facts.Features&FeatureSparseTable != 0 &&
		facts.MemlockExempt == 1 {
		t.Fatalf("not FIXED, with io_uring and without a memlock limit: %s", message)
	}
	if info.Reason == ReasonNone {
		t.Fatal("not FIXED, and no reason")
	}
	t.Logf("no fixed path here: %s", message)
	return PathCopy
}

func TestOneMebibyteIsReadThroughARegisteredSlab(t *testing.T) {
	file, content := sample(t)
	var slab *Slab
	check(t, SlabCreate(&SlabOptions{StructSize: uint32(unsafe.Sizeof(SlabOptions{})),
		BufferBytes: mebibyte, BufferCount: 2}, &slab))
	var ring *Ring
	check(t, RingCreate(&RingOptions{StructSize: uint32(unsafe.Sizeof(RingOptions{}))}, &ring))
	var registration *Registration
	check(t, RegistrationCreate(ring, slab, &RegistrationOptions{
		StructSize: uint32(unsafe.Sizeof(RegistrationOptions{}))}, &registration))
	path := expectedPath(t, registration)
	var lease Lease
	check(t, SlabAcquire(slab, 1, &lease))

	operations := []Operation{{Opcode: OpcodeRead, Fd: int32(file.Fd()), Registration: registration,
		LeaseFirstIndex: lease.FirstIndex, LeaseGeneration: lease.Generation, Size: mebibyte,
		UserData: 0xfeed}}
	completions := make([]Completion, 1)
	var accepted, count uint32
	check(t, RingSubmitAndReap(ring, operations, &accepted, completions, 1, 30*second, &count))

	if accepted != 1 || count != 1 {
		t.Fatalf("%d accepted, %d completed", accepted, count)
	}
	if want := (Completion{UserData: 0xfeed, Result: mebibyte, Path: path}); completions[0] != want {
		t.Errorf("completion %+v, expected %+v", completions[0], want)
	}
	if !bytes.Equal(unsafe.Slice((*byte)(SlabData(slab, lease)), mebibyte), content) {
		t.Error("the bytes differ from those of the file")
	}
	checkStats(t, ring, path)

	check(t, SlabRelease(slab, lease))
	RegistrationDestroy(registration)
	check(t, RingClose(ring, 30*second))
	RingDestroy(ring)
	check(t, SlabClose(slab, 30*second))
	SlabDestroy(slab)
}

func TestASlabGrowsUpToItsMaximum(t *testing.T) {
	var slab *Slab
	check(t, SlabCreate(&SlabOptions{StructSize: uint32(unsafe.Sizeof(SlabOptions{})),
		BufferBytes: 4096, BufferCount: 2, BufferCountMax: 5}, &slab))
	check(t, SlabGrow(slab, 3))
	info := SlabInfo{StructSize: uint32(unsafe.Sizeof(SlabInfo{}))}
	check(t, SlabGetInfo(slab, &info))
	if info.BufferCount != 5 || info.BufferCountMax != 5 || info.TotalBytes != 5*4096 {
		t.Errorf("%d of at most %d buffers, %d bytes", info.BufferCount, info.BufferCountMax,
			info.TotalBytes)
	}
	var lease Lease
	check(t, SlabAcquire(slab, 5, &lease))
	err := SlabGrow(slab, 1)
	if ErrorCode(err) != CodeInvalidArgument {
		t.Errorf("growth beyond the maximum: code %d", ErrorCode(err))
	}
	ErrorDestroy(err)
	SlabDestroy(slab)
}

// checkStats checks that the counters have one read of one MiB by path, and nothing else.
func checkStats(t *testing.T, ring *Ring, path Path) {
	t.Helper()
	got := RingStats{StructSize: uint32(unsafe.Sizeof(RingStats{}))}
	check(t, RingGetStats(ring, &got))
	want := RingStats{StructSize: got.StructSize, Submitted: 1, Completed: 1, ReadBytes: mebibyte,
		SystemCalls: got.SystemCalls}
	if path == PathFixed {
		want.ReadFixed = 1
	} else {
		want.Read = 1
	}
	if got != want || got.SystemCalls == 0 {
		t.Errorf("stats %+v, expected %+v", got, want)
	}
}
