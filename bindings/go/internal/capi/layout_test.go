package capi

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"unicode"
)

const updateLayout = "bazel run //c_api:update_layout"

// The layout of each struct in C.
var layoutTable = flag.String("layout_table", "", "c_api/abi/layout.txt")

var records = map[string]reflect.Type{
	"mooring_completion_t":           reflect.TypeFor[Completion](),
	"mooring_extent_info_t":          reflect.TypeFor[ExtentInfo](),
	"mooring_facts_t":                reflect.TypeFor[Facts](),
	"mooring_lease_t":                reflect.TypeFor[Lease](),
	"mooring_segment_t":              reflect.TypeFor[Segment](),
	"mooring_op_t":                   reflect.TypeFor[Operation](),
	"mooring_registration_info_t":    reflect.TypeFor[RegistrationInfo](),
	"mooring_registration_options_t": reflect.TypeFor[RegistrationOptions](),
	"mooring_ring_info_t":            reflect.TypeFor[RingInfo](),
	"mooring_ring_options_t":         reflect.TypeFor[RingOptions](),
	"mooring_ring_stats_t":           reflect.TypeFor[RingStats](),
	"mooring_slab_info_t":            reflect.TypeFor[SlabInfo](),
	"mooring_slab_options_t":         reflect.TypeFor[SlabOptions](),
}

// snakeCase turns FileOffset into file_offset.
func snakeCase(name string) string {
	var text strings.Builder
	for i, letter := range name {
		if unicode.IsUpper(letter) && i > 0 {
			text.WriteByte('_')
		}
		text.WriteRune(unicode.ToLower(letter))
	}
	return text.String()
}

// goLayout returns the layout of the Go records as lines in the form of layout.txt.
func goLayout() map[string]bool {
	lines := make(map[string]bool)
	for name, record := range records {
		lines[fmt.Sprintf("%s size %d align %d", name, record.Size(), record.Align())] = true
		for i := range record.NumField() {
			field := record.Field(i)
			lines[fmt.Sprintf("%s.%s offset %d size %d", name, snakeCase(field.Name), field.Offset,
				field.Type.Size())] = true
		}
	}
	return lines
}

func cLayout(t *testing.T, path string) map[string]bool {
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := make(map[string]bool)
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		if line := scanner.Text(); strings.Contains(line, " size ") {
			lines[line] = true
		}
	}
	return lines
}

func TestRecordsHaveTheLayoutOfC(t *testing.T) {
	if *layoutTable == "" {
		t.Skip("no -layout_table: Bazel passes it (//bindings/go:capi_test)")
	}
	inC, inGo := cLayout(t, *layoutTable), goLayout()
	if len(inC) < len(records) {
		t.Fatalf("%s has only %d lines", *layoutTable, len(inC))
	}
	for line := range inC {
		if !inGo[line] {
			t.Errorf("in C and not in Go: %s: edit bindings/go/internal/capi/types.go", line)
		}
	}
	for line := range inGo {
		if !inC[line] {
			t.Errorf("in Go and not in C: %s: edit types.go, or run %s", line, updateLayout)
		}
	}
}
