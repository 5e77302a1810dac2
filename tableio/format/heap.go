package format

import (
	"unsafe"

	"pqjoin/batch"
)

// fieldHeap is what a field takes of the Go heap beside its texts, in bytes: with an entry of a map from its name and a mean of its values.
const fieldHeap = int64(unsafe.Sizeof(batch.Field{})) + 64

// HeapOf returns about how many bytes of the Go heap a schema and units take, for File.HeapBytes: with a fifth for what the
// allocator rounds up.
func HeapOf(s *batch.Schema, units []Unit) int64 {
	n := int64(cap(s.Fields))*fieldHeap + int64(cap(units))*int64(unsafe.Sizeof(Unit{}))
	for _, f := range s.Fields {
		n += int64(len(f.Name)+len(f.Type.Shape)) + 16
	}
	return n + n/5
}
