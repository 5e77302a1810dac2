package tableio

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/vfs"
	"pqjoin/tableio/parquet"

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
			checkHeap(t, dir, c.most)
		})
	}
}

// checkHeap opens a table: what is said to be on the heap is there, at most that many bytes, and not much less.
func checkHeap(t *testing.T, dir string, most int64) {
	t.Helper()
	before := heapNow()
	tab := open(t, Spec{Paths: []string{dir}})
	grown := heapNow() - before
	if known := tab.HeapBytes(); known < grown || known > 4*grown+64<<10 {
		t.Errorf("%d bytes are said to be on the heap, and are %d", known, grown)
	}
	if grown > most {
		t.Errorf("%d bytes are on the heap, more than %d", grown, most)
	}
	t.Logf("%d known, %d are", tab.HeapBytes(), grown)
	runtime.KeepAlive(tab)
}

// Files of text have no footers, whose heap grows with columns times units: a hundred columns of a long file take a few bytes a unit. Arrow
// files take so much a record batch.
func TestWhatOtherFilesTakeOfTheHeapIsKnown(t *testing.T) {
	const columns = 100
	var names, object, row []string
	for i := range columns {
		names, row = append(names, fmt.Sprint("c", i)), append(row, "12345")
		object = append(object, fmt.Sprintf(`"c%d":12345`, i))
	}
	line := strings.Join(row, ",") + "\n"
	long := func(name, head, line string) func(dir string) {
		return func(dir string) { // the first 64 MB are looked at
			putText(t, dir, map[string]string{name: head + strings.Repeat(line, 66<<20/len(line))})
			if err := os.Truncate(filepath.Join(dir, name), 50<<30); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		most  int64
		write func(dir string)
	}{
		"long csv":   {1 << 20, long("t.csv", strings.Join(names, ",")+"\n", line)},
		"long jsonl": {1 << 20, long("t.jsonl", "", "{"+strings.Join(object, ",")+"}\n")},
		"many csv": {10 << 20, func(dir string) {
			for i := range 200 {
				putText(t, dir, map[string]string{fmt.Sprint(i, ".csv"): strings.Join(names, ",") + "\n" + line})
			}
		}},
		"arrow": {2 << 20, func(dir string) { putRecordBatches(t, filepath.Join(dir, "t.arrow"), 20_000) }},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.write(dir)
			checkHeap(t, dir, c.most)
		})
	}
}

// putRecordBatches writes an Arrow file of so many record batches of one row.
func putRecordBatches(t *testing.T, path string, n int) {
	t.Helper()
	schema := batch.NewSchema(batch.Field{Name: "v", Type: batch.Of(batch.Int64)})
	w, err := Create(t.Context(), vfs.OS(), path, false, schema, WriterOptions{Format: Arrow, WriterOptions: parquet.WriterOptions{RowGroupRows: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	b, err := batchtest.Batch(nil, schema, slices.Repeat([][]any{{int64(1)}}, n), func(int) batchtest.Layout { return batchtest.Flat })
	if err == nil {
		err = w.Write(t.Context(), b)
	}
	if err == nil {
		_, err = w.Close(t.Context())
	}
	if err != nil {
		t.Fatal(err)
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
