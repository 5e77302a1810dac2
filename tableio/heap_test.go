package tableio

import (
	"path/filepath"
	"runtime"
	"testing"

	pq "github.com/parquet-go/parquet-go"
)

func TestWhatFootersTakeOfTheHeapIsKnown(t *testing.T) {
	type row struct {
		A, B, C, D, E, F, G, H int64
	}
	dir := t.TempDir()
	put(t, filepath.Join(dir, "t.parquet"), make([]row, 8000), pq.MaxRowsPerRowGroup(2))
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	tab := open(t, Spec{Paths: []string{dir}})
	grown := heap() - before
	if units := len(tab.Units()); units != 4000 {
		t.Fatalf("%d row groups", units)
	}
	if known := tab.HeapBytes(); known < grown || known > 4*grown {
		t.Errorf("%d bytes are said to be on the heap, and are %d", known, grown)
	}
	runtime.KeepAlive(tab)
}
