package parquet

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/nested"
	"pqjoin/mem"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// runsOfOne is a file of one column list<int64>, two elements a row, in one page whose levels are all runs of one: the
// longest form that a writer may give them.
func runsOfOne(t *testing.T, entries int) []byte {
	t.Helper()
	levels := func(of func(i int) byte) []byte {
		b := binary.LittleEndian.AppendUint32(nil, uint32(2*entries))
		for i := range entries {
			b = append(b, 1<<1, of(i))
		}
		return b
	}
	body := levels(func(i int) byte { return byte(i & 1) })
	body = append(body, levels(func(int) byte { return 3 })...)
	body = append(body, make([]byte, 8*entries)...)
	page := dataPage(t, sizes(len(body), len(body)), int32(entries), format.Plain, body)
	size, path := int64(len(page)), []string{"l", "list", "element"}
	meta := format.FileMetaData{
		Version: 1, NumRows: int64(entries / 2),
		Schema: []format.SchemaElement{
			{Name: "schema", NumChildren: thrift.New(int32(1))},
			{Name: "l", RepetitionType: thrift.New(format.Optional), NumChildren: thrift.New(int32(1)), ConvertedType: thrift.New(deprecated.List)},
			{Name: "list", RepetitionType: thrift.New(format.Repeated), NumChildren: thrift.New(int32(1))},
			{Name: "element", Type: thrift.New(format.Int64), RepetitionType: thrift.New(format.Optional)},
		},
		RowGroups: []format.RowGroup{{NumRows: int64(entries / 2), Columns: []format.ColumnChunk{{MetaData: format.ColumnMetaData{
			Type: format.Int64, NumValues: int64(entries), Encoding: []format.Encoding{format.Plain, format.RLE}, PathInSchema: path,
			DataPageOffset: 4, TotalCompressedSize: size, TotalUncompressedSize: size,
		}}}}},
	}
	footer := marshal(t, &meta)
	out := append(append([]byte("PAR1"), page...), footer...)
	return append(binary.LittleEndian.AppendUint32(out, uint32(len(footer))), "PAR1"...)
}

func TestLevelsInRunsOfOneAreReadWithinTheFloor(t *testing.T) {
	const entries = 400_000
	room := entryLevelRoom(&column{maxRep: 1, maxDef: 3}, &pageHeader{values: entries, raw: 1 << 30})
	if least := int64(2 * mem.ClassSize(2*entries+slack)); room < least {
		t.Errorf("levels of %d bytes are said to take %d", least, room)
	}
	b := runsOfOne(t, entries)
	f, err := Open(t.Context(), bytesFS{b: b}, "bytes")
	if err != nil {
		t.Fatal(err)
	}
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("test", 0)
	rows := 0
	want := append([]byte{4}, make([]byte, 16)...)
	err = eachBatch(t.Context(), f, acct, 0, []int{0}, ReadOptions{BatchRows: 100}, func(b *batch.Batch) error {
		for i := range b.N {
			if !bytes.Equal(b.Cols[0].Value(i), want) {
				t.Fatalf("row %d is %x", rows+i, b.Cols[0].Value(i))
			}
		}
		rows += b.N
		return nil
	})
	if err != nil || rows != entries/2 {
		t.Fatal(rows, err)
	}
	if floor := f.ReadFloor(context.Background(), 0, []int{0}) + 64<<10; acct.Peak() > floor { // with the batch
		t.Errorf("%d bytes were taken, the floor is %d", acct.Peak(), floor)
	}
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}

// Buffers are rounded up, to 1024 bytes here: what lies beyond the most that offsets reach is not room.
func TestNestedValuesThatOffsetsDoNotReachAreRefused(t *testing.T) {
	for _, c := range []struct {
		elements int
		fits     bool
	}{{99, true}, {101, false}} {
		typ, err := nested.Parse("list<string>")
		if err != nil {
			t.Fatal(err)
		}
		col := &batch.Column{Type: typ.Batch(), N: 1, Off: []uint32{0, 0}}
		col.Data = binary.AppendUvarint(nil, uint64(c.elements)<<1)
		for range c.elements {
			col.Data = append(col.Data, "\x09elements!"...)
		}
		col.Off[1] = uint32(len(col.Data))
		path := filepath.Join(t.TempDir(), "x.parquet")
		pool := mem.NewPool(64<<20, mem.Protect())
		acct := pool.Account("test", 0)
		writeNested(t, path, acct, batch.NewSchema(batch.Field{Name: "l", Type: col.Type, Nullable: true}), []*batch.Column{col}, 0, WriterOptions{})
		_, rows, err := readNested(t, path, acct, ReadOptions{limits: &limits{piece: 300, page: 200, data: 500, most: 1000}})
		if c.fits != (err == nil) || err != nil && (!errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "a value of more than 1000 bytes")) {
			t.Errorf("a value of %d bytes: %d rows, %v", len(col.Data), len(rows), err)
		}
		if err := errors.Join(acct.Close(), pool.Close()); err != nil {
			t.Error(err)
		}
	}
}
