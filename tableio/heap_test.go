package tableio

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"
)

// What is said to be on the heap is there, and not much less: where files have many row groups, are many, have long statistics,
// long names, nested columns or long metadata. Long statistics and metadata are not kept at all.
func TestWhatFootersTakeOfTheHeapIsKnown(t *testing.T) {
	type numbers struct{ A, B, C, D, E, F, G, H int64 }
	type texts struct{ A, B string }
	type nests struct {
		L []int64
		M map[string][]string
		P struct{ X, Y, Z string }
	}
	long := func(n int) []texts {
		rows := make([]texts, 80)
		for i := range rows {
			rows[i] = texts{fmt.Sprint(i) + strings.Repeat("a", n), fmt.Sprint(i) + strings.Repeat("é", n/2)}
		}
		return rows
	}
	for name, c := range map[string]struct {
		most  int64 // on the heap
		write func(dir string)
	}{
		"many row groups": {8 << 20, func(dir string) {
			put(t, filepath.Join(dir, "t.parquet"), make([]numbers, 4000), pq.MaxRowsPerRowGroup(2))
		}},
		"many files": {2 << 20, func(dir string) {
			for i := range 200 {
				put(t, filepath.Join(dir, fmt.Sprint(i, ".parquet")), make([]numbers, 2))
			}
		}},
		"texts of 64 KB in statistics": {256 << 10, func(dir string) {
			put(t, filepath.Join(dir, "t.parquet"), long(64<<10), pq.MaxRowsPerRowGroup(2))
		}},
		"texts of 60 bytes in statistics": {512 << 10, func(dir string) {
			for i := range 4 {
				put(t, filepath.Join(dir, fmt.Sprint(i, ".parquet")), long(60), pq.MaxRowsPerRowGroup(1))
			}
		}},
		"long names": {1 << 20, func(dir string) {
			var fields []reflect.StructField
			for i := range 300 {
				tag := fmt.Sprintf(`parquet:"%s%d"`, strings.Repeat("n", 900), i)
				fields = append(fields, reflect.StructField{Name: fmt.Sprint("F", i), Type: reflect.TypeFor[int64](), Tag: reflect.StructTag(tag)})
			}
			row := reflect.New(reflect.StructOf(fields)).Elem().Interface()
			put(t, filepath.Join(dir, "t.parquet"), []any{row}, pq.SchemaOf(row))
		}},
		"nested columns": {4 << 20, func(dir string) {
			put(t, filepath.Join(dir, "t.parquet"), make([]nests, 2000), pq.MaxRowsPerRowGroup(2))
		}},
		"metadata of 1 MB": {256 << 10, func(dir string) {
			for i := range 5 {
				put(t, filepath.Join(dir, fmt.Sprint(i, ".parquet")), make([]numbers, 2), pq.KeyValueMetadata("pandas", strings.Repeat("x", 1<<20)),
					pq.KeyValueMetadata("ARROW:schema", base64.StdEncoding.EncodeToString(make([]byte, 1<<20))))
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.write(dir)
			before := heapNow()
			tab := open(t, Spec{Paths: []string{dir}})
			grown := heapNow() - before
			if known := tab.HeapBytes(); known < grown || known > 4*grown+64<<10 {
				t.Errorf("%d bytes are said to be on the heap, and are %d", known, grown)
			}
			if grown > c.most {
				t.Errorf("%d bytes are on the heap, more than %d", grown, c.most)
			}
			t.Logf("%d known, %d are", tab.HeapBytes(), grown)
			runtime.KeepAlive(tab)
		})
	}
}

// heapNow returns the bytes of what is alive on the Go heap.
func heapNow() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
