package parquet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/vfs"

	pq "github.com/parquet-go/parquet-go"
)

// keyed is a table of n rows: the numbers 0, step, 2*step, ... as int64, int32, text, and decimals, and a column of nulls.
func keyed(t *testing.T, n, step int) *batch.Batch {
	t.Helper()
	s := batch.NewSchema(
		batch.Field{Name: "a", Type: batch.Of(batch.Int64), Nullable: true}, batch.Field{Name: "b", Type: batch.Of(batch.Int32)},
		batch.Field{Name: "s", Type: batch.Of(batch.String)}, batch.Field{Name: "d", Type: batch.DecimalOf(30, 2)},
		batch.Field{Name: "none", Type: batch.Of(batch.Int64), Nullable: true}, batch.Field{Name: "plain", Type: batch.Of(batch.Int64)},
	)
	b := &batch.Batch{Schema: s, N: n}
	for i, f := range s.Fields {
		var c *batch.Column
		var err error
		switch f.Type.Kind() {
		case batch.KindBytes:
			c, err = batch.NewVar(nil, f.Type, n, 20*n)
			noError(t, err)
			at := 0
			for k := range n {
				c.Off[k] = uint32(at)
				at += copy(c.Data[at:], fmt.Sprint(k*step))
			}
			c.Off[n] = uint32(at)
		case batch.KindInt128:
			c, err = batch.NewFixed(nil, f.Type, n)
			noError(t, err)
			for k := range n {
				c.Int128s()[k] = batch.Int128Of(int64(k * step))
			}
		default:
			if i == 4 {
				c, err = batch.AllNull(nil, f.Type, n)
				noError(t, err)
				break
			}
			c, err = batch.NewFixed(nil, f.Type, n)
			noError(t, err)
			for k := range n {
				c.Int64s()[k] = int64(k * step)
			}
		}
		b.Cols = append(b.Cols, c)
	}
	return b
}

// written writes b as one file and opens it with another reader.
func written(t *testing.T, b *batch.Batch, o WriterOptions) (*pq.File, []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.parquet")
	w, err := CreateFile(context.Background(), vfs.OS(), path, b.Schema, o)
	noError(t, err)
	defer w.Abort()
	noError(t, w.Write(context.Background(), b))
	_, err = w.Close(context.Background())
	noError(t, err)
	raw, err := os.ReadFile(path)
	noError(t, err)
	f, err := pq.OpenFile(bytes.NewReader(raw), int64(len(raw)))
	noError(t, err)
	return f, raw
}

func TestBloomFiltersHaveEveryValueAndFewOthers(t *testing.T) {
	for name, c := range map[string]struct{ n, step, group int }{
		"plain pages": {20_000, 3, 20_000}, "several row groups": {20_000, 3, 7000}, "one value": {5000, 0, 5000}, "few rows": {3, 3, 1 << 20},
	} {
		f, _ := written(t, keyed(t, c.n, c.step), WriterOptions{Bloom: []int{0, 1, 2, 3, 4}, RowGroupRows: c.group})
		row := 0
		for g, rg := range f.RowGroups() {
			chunks := rg.ColumnChunks()
			if chunks[5].BloomFilter() != nil {
				t.Errorf("%s: a column that was not asked for has a filter", name)
			}
			wrong, tried := 0, 0
			for k := range 4 {
				filter := chunks[k].BloomFilter()
				value := func(v int) pq.Value {
					switch k {
					case 0:
						return pq.Int64Value(int64(v))
					case 1:
						return pq.Int32Value(int32(v))
					case 2:
						return pq.ByteArrayValue([]byte(fmt.Sprint(v)))
					}
					var raw [16]byte
					for i, x := 15, uint64(v); x > 0; i, x = i-1, x>>8 {
						raw[i] = byte(x)
					}
					return pq.FixedLenByteArrayValue(raw[16-f.Schema().Fields()[k].Type().Length():])
				}
				for i := range int(rg.NumRows()) {
					if ok, err := filter.Check(value((row + i) * c.step)); !ok || err != nil {
						t.Fatalf("%s: row group %d, column %d: %d is not in its filter (%v)", name, g, k, (row+i)*c.step, err)
					}
				}
				for i := range 1000 {
					if ok, _ := filter.Check(value(1_000_003 + i)); ok {
						wrong++
					}
					tried++
				}
				if size := filter.Size(); size > max(64, int64(rg.NumRows())*4) {
					t.Errorf("%s: a filter of %d bytes for %d rows", name, size, rg.NumRows())
				}
			}
			if wrong > tried/40 {
				t.Errorf("%s: %d of %d values that are not there seem to be", name, wrong, tried)
			}
			if ok, err := chunks[4].BloomFilter().Check(pq.Int64Value(0)); ok || err != nil {
				t.Errorf("%s: nulls alone have a value (%v)", name, err)
			}
			row += int(rg.NumRows())
		}
	}
}

func TestWritingBloomFiltersWorksAtTheFloor(t *testing.T) {
	o := WriterOptions{Threads: 2}
	s := textColumns(12)
	for i := range s.Fields {
		o.Bloom = append(o.Bloom, i)
	}
	writeAtFloor(t, s, 300_000, 8<<10, o)
}

func TestPandasMetadataNameTheIndex(t *testing.T) {
	b := keyed(t, 10, 1)
	f, _ := written(t, b, WriterOptions{PandasIndex: true, SortKeys: []batch.SortKey{{Column: 2}, {Column: 0}}, Version: "1.2.3"})
	raw, ok := f.Lookup("pandas")
	if !ok {
		t.Fatal("there are none")
	}
	var meta struct {
		Index   []string         `json:"index_columns"`
		Columns []map[string]any `json:"columns"`
	}
	noError(t, json.Unmarshal([]byte(raw), &meta))
	if len(meta.Index) != 1 || meta.Index[0] != "s" {
		t.Errorf("the index is %v", meta.Index)
	}
	for _, c := range meta.Columns {
		if c["name"] == "a" {
			t.Error("a column that may have nulls has a NumPy type that has none")
		}
	}
	if _, ok := func() (string, bool) {
		f, _ := written(t, keyed(t, 10, 1), WriterOptions{PandasIndex: true})
		return f.Lookup("pandas")
	}(); ok {
		t.Error("a table without an index has one")
	}
}
