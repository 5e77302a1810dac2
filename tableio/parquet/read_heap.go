package parquet

import (
	"fmt"
	"unsafe"

	"github.com/parquet-go/parquet-go/format"
)

// HeapError says that a footer takes more of the Go heap than it may.
type HeapError struct {
	Path  string
	Bytes int64 // that it takes, about
}

func (e *HeapError) Error() string {
	return fmt.Sprintf("%s: its footer takes %d bytes of memory, more than there are", e.Path, e.Bytes)
}

// heap returns about how many bytes of the Go heap the row group takes when it is interpreted, as HeapBytes has it.
func (g *groupMeta) heap(schema []format.SchemaElement) int64 {
	columns := len(g.chunks)
	if len(schema) > 0 && schema[0].NumChildren.Valid { // of nested ones there are fewer than chunks
		columns = min(columns, int(schema[0].NumChildren.V))
	}
	n := int64(unsafe.Sizeof(*g)+unsafe.Sizeof(RowGroup{})) + int64(cap(g.chunks))*int64(unsafe.Sizeof(chunkMeta{})) + int64(columns)*int64(unsafe.Sizeof(Chunk{}))
	for i := range g.chunks {
		m := &g.chunks[i]
		n += 8 + 4*int64(cap(m.encodings))
		if s := m.stats; s != nil && m.typ == format.ByteArray {
			n += int64(len(s.min.head) + len(s.max.head))
		}
	}
	return n + n/5
}

// HeapBytes returns about how many bytes of the Go heap what was read of the footer takes, as long as the file is known: slices by
// what was allocated for them, and a fifth for what the allocator rounds up.
func (f *File) HeapBytes() int64 {
	n := int64(unsafe.Sizeof(*f)+unsafe.Sizeof(*f.meta)) + textHeap(f.path) + textHeap(f.meta.createdBy) + textHeap(f.meta.arrow)
	n += int64(cap(f.columns)) * columnHeap
	for i := range f.columns {
		c := &f.columns[i]
		n += textHeap(c.field.Name) + textHeap(c.field.Type.Shape) + textHeap(c.refused)
		if c.nest != nil {
			n += int64(cap(c.nest.leaves))*(columnHeap+nestHeap) + 4*textHeap(c.field.Type.Shape)
		}
	}
	n += int64(cap(f.meta.groups))*int64(unsafe.Sizeof(groupMeta{})) + int64(cap(f.groups))*int64(unsafe.Sizeof(RowGroup{}))
	for i := range f.meta.groups {
		n += chunksHeap(&f.meta.groups[i], &f.groups[i])
	}
	return n + n/5
}

const (
	// columnHeap is of a column and its field of the schema, and nestHeap of what a nested one has beside for each leaf, in bytes.
	columnHeap = int64(unsafe.Sizeof(column{})) + 64
	nestHeap   = 512
)

// chunksHeap is HeapBytes of one row group.
func chunksHeap(m *groupMeta, g *RowGroup) int64 {
	n := int64(cap(m.chunks))*int64(unsafe.Sizeof(chunkMeta{})) + int64(cap(g.Columns))*int64(unsafe.Sizeof(Chunk{})) + int64(cap(g.Sorting))*24
	for i := range m.chunks {
		n += 8 + 4*int64(cap(m.chunks[i].encodings))
	}
	for i := range g.Columns {
		s := &g.Columns[i].Stats
		n += int64(cap(s.Min.Bytes) + cap(s.Max.Bytes))
	}
	return n
}

// textHeap is of a text, which may be shared, in whole words.
func textHeap(s string) int64 { return int64(len(s)) + 8 }
