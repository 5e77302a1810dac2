package parquet

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/mem"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// forge writes a file of one required column from a page header and a body that need not agree.
func forge(t *testing.T, typ format.Type, codec format.CompressionCodec, rows int64, encodings []format.Encoding, pages ...[]byte) []byte {
	t.Helper()
	out := []byte("PAR1")
	size := int64(0)
	for _, p := range pages {
		out = append(out, p...)
		size += int64(len(p))
	}
	meta := format.FileMetaData{
		Version: 1, NumRows: rows,
		Schema: []format.SchemaElement{
			{Name: "schema", NumChildren: thrift.New(int32(1))},
			{Name: "x", Type: thrift.New(typ), RepetitionType: thrift.New(format.Required)},
		},
		RowGroups: []format.RowGroup{{NumRows: rows, Columns: []format.ColumnChunk{{MetaData: format.ColumnMetaData{
			Type: typ, Codec: codec, NumValues: rows, Encoding: encodings, PathInSchema: []string{"x"}, DataPageOffset: 4, TotalCompressedSize: size, TotalUncompressedSize: size,
		}}}}},
	}
	footer := marshal(t, &meta)
	out = append(out, footer...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(footer)))
	return append(out, "PAR1"...)
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := thrift.Marshal(new(thrift.CompactProtocol), v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func dataPage(t *testing.T, h format.PageHeader, values int32, e format.Encoding, body []byte) []byte {
	h.Type = format.DataPage
	h.DataPageHeader = thrift.New(format.DataPageHeader{NumValues: values, Encoding: e, DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE})
	return append(marshal(t, &h), body...)
}

func dictPage(t *testing.T, h format.PageHeader, values int32, body []byte) []byte {
	h.Type = format.DictionaryPage
	h.DictionaryPageHeader = thrift.New(format.DictionaryPageHeader{NumValues: values, Encoding: format.Plain})
	return append(marshal(t, &h), body...)
}

func sizes(raw, stored int) format.PageHeader {
	return format.PageHeader{UncompressedPageSize: int32(raw), CompressedPageSize: int32(stored)}
}

// TestLiesAreRefused: whatever a small file claims, its reading ends in one sentence, in little memory.
func TestLiesAreRefused(t *testing.T) {
	eight := make([]byte, 8)
	dict := []format.Encoding{format.Plain, format.RLEDictionary}
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"more values than bytes", forge(t, format.Int64, 0, 1<<30, nil, dataPage(t, sizes(8, 8), 1<<30, format.Plain, eight)), "column x, page 1: corrupt parquet file: it ends too early"},
		{"more rows than the chunk", forge(t, format.Int64, 0, 2, nil, dataPage(t, sizes(8, 8), 1, format.Plain, eight)), "its chunk ends 1 rows too early"},
		{"fewer rows than the chunk", forge(t, format.Int64, 0, 1, nil, dataPage(t, sizes(16, 16), 2, format.Plain, append(eight, eight...))), "has 2 rows where 1 are left"},
		{"a page too many", forge(t, format.Int64, 0, 1, nil, dataPage(t, sizes(8, 8), 1, format.Plain, eight), dataPage(t, sizes(8, 8), 1, format.Plain, eight)), "has 1 rows more than its row group"},
		{"a page beyond the chunk", forge(t, format.Int64, 0, 1, nil, dataPage(t, sizes(1<<30, 1<<30), 1, format.Plain, eight)), "has 1073741824 bytes where 8 are left"},
		{"a snappy bomb", forge(t, format.Int64, format.Snappy, 1, nil, dataPage(t, sizes(1<<30, 8), 1, format.Plain, eight)), "claims 1073741824 bytes in 8 of SNAPPY"},
		{"raw and stored sizes that differ", forge(t, format.Int64, 0, 1, nil, dataPage(t, sizes(9, 8), 1, format.Plain, eight)), "claims 9 bytes in 8 of UNCOMPRESSED"},
		{"a negative size", forge(t, format.Int64, 0, 1, nil, dataPage(t, sizes(-1, 8), 1, format.Plain, eight)), "has a negative size"},
		{"a dictionary of too many entries", forge(t, format.Int64, 0, 1, dict, dictPage(t, sizes(8, 8), 1<<30, eight)), "claims a dictionary of 1073741824 entries in 8 bytes"},
		{"a code beyond the dictionary", forge(t, format.Int64, 0, 1, dict, dictPage(t, sizes(8, 8), 1, eight), dataPage(t, sizes(3, 3), 1, format.RLEDictionary, []byte{3, 2, 5})), "refers to entry 5 of a dictionary of 1"},
		{"codes of 40 bits", forge(t, format.Int64, 0, 1, dict, dictPage(t, sizes(8, 8), 1, eight), dataPage(t, sizes(3, 3), 1, format.RLEDictionary, []byte{40, 2, 5})), "has codes of 40 bits"},
		{"no dictionary", forge(t, format.Int64, 0, 1, dict, dataPage(t, sizes(3, 3), 1, format.RLEDictionary, []byte{3, 2, 5})), "refers to a dictionary that is not there"},
		{"a string beyond its page", forge(t, format.ByteArray, 0, 1, nil, dataPage(t, sizes(8, 8), 1, format.Plain, []byte("\xff\xff\xff\x7fabcd"))), "has a value of 2147483647 bytes where 4 are left"},
		{"deltas without end", forge(t, format.Int64, 0, 1<<30, nil, dataPage(t, sizes(7, 7), 1<<30, format.DeltaBinaryPacked, []byte{128, 1, 4, 128, 1, 0, 0})), "it ends too early"},
		{"a wrong checksum", forge(t, format.Int64, 0, 1, nil, dataPage(t, format.PageHeader{UncompressedPageSize: 8, CompressedPageSize: 8, CRC: int32(crc32.ChecksumIEEE(eight)) + 1}, 1, format.Plain, eight)), "does not match its checksum"},
		{"an unknown encoding", forge(t, format.Int64, 0, 1, nil, dataPage(t, sizes(8, 8), 1, 77, eight)), "unsupported parquet file: encoding number 77 for INT64"},
		{"an encoding of another type", forge(t, format.Double, 0, 1, nil, dataPage(t, sizes(8, 8), 1, format.DeltaBinaryPacked, eight)), "unsupported parquet file: encoding DELTA_BINARY_PACKED for DOUBLE"},
		{"lzo", forge(t, format.Int64, format.LZO, 1, nil, dataPage(t, sizes(8, 8), 1, format.Plain, eight)), "unsupported parquet file: codec LZO"},
	} {
		t.Run(c.name, func(t *testing.T) {
			pool := mem.NewPool(2<<20, mem.Protect())
			acct := pool.Account("test", 0)
			err := readAll(t.Context(), c.file, acct, ReadOptions{})
			if err == nil || !known(err) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
			if err := errors.Join(acct.Close(), pool.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFootersThatLieAreRefused(t *testing.T) {
	good := smallFile(t, 1, 3)
	footer := func(n uint32) []byte {
		b := bytes.Clone(good)
		binary.LittleEndian.PutUint32(b[len(b)-8:], n)
		return b
	}
	wrap := func(footer []byte) []byte {
		b := append([]byte("PAR1"), footer...)
		return append(binary.LittleEndian.AppendUint32(b, uint32(len(footer))), "PAR1"...)
	}
	deep := append(bytes.Repeat([]byte{0x9c}, 1<<20), make([]byte, 1<<20)...)
	for name, b := range map[string][]byte{
		"empty": nil, "tiny": []byte("PAR1PAR1"), "longer than the file": footer(1 << 30), "as long as can be": footer(1<<32 - 1), "none": footer(0),
		"a list of two thousand million": wrap([]byte{0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0}), "a million structs deep": wrap(deep),
	} {
		if _, err := Open(t.Context(), bytesFS{b: b}, "bytes"); err == nil || !known(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDictionaryThatDoesNotFit is refused with its column and size.
func TestDictionaryThatDoesNotFit(t *testing.T) {
	const n = 1 << 20
	body := make([]byte, 8*n)
	codes := []byte{20}
	for i := range n / 8 { // runs of one value each
		codes = append(codes, 1<<1, byte(i), byte(i>>8), byte(i>>16))
	}
	b := forge(t, format.Int64, 0, n/8, []format.Encoding{format.RLEDictionary}, dictPage(t, sizes(len(body), len(body)), n, body), dataPage(t, sizes(len(codes), len(codes)), n/8, format.RLEDictionary, codes))
	pool := mem.NewPool(4<<20, mem.Protect())
	acct := pool.Account("test", 0)
	err := readAll(t.Context(), b, acct, ReadOptions{})
	if !errors.Is(err, mem.ErrLimit) || !strings.Contains(err.Error(), "bytes: column x, page 1: its dictionary of 8388608 bytes does not fit") {
		t.Error(err)
	}
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
	f, err := Open(t.Context(), bytesFS{b: b}, "bytes")
	if err != nil {
		t.Fatal(err)
	}
	if floor := f.ReadFloor(context.Background(), 0, []int{0}); floor < 8<<20 {
		t.Errorf("a floor of %d bytes leaves the dictionary out", floor)
	}
	if err := readAll(t.Context(), b, nil, ReadOptions{}); err != nil {
		t.Error(err)
	}
}

func TestTypesOfLegacyAnnotations(t *testing.T) {
	f := func(typ format.Type, edit func(*format.SchemaElement)) string {
		e := format.SchemaElement{Name: "x", Type: thrift.New(typ)}
		edit(&e)
		got, err := TypeOf(&e)
		if err != nil {
			return err.Error()
		}
		return got.String()
	}
	converted := func(c int32) func(*format.SchemaElement) {
		return func(e *format.SchemaElement) { e.ConvertedType = thrift.New(deprecated.ConvertedType(c)) }
	}
	got := []string{
		f(format.Int32, converted(6)), f(format.Int32, converted(7)), f(format.Int64, converted(8)), f(format.Int64, converted(9)), f(format.Int64, converted(10)),
		f(format.Int32, converted(11)), f(format.Int32, converted(16)), f(format.Int64, converted(14)), f(format.ByteArray, converted(0)), f(format.ByteArray, converted(20)),
		f(format.Int96, converted(0)), f(format.Int64, converted(11)), f(format.Int32, converted(5)),
	}
	want := []string{
		"date", "time(ms, utc)", "time(us, utc)", "timestamp(ms, utc)", "timestamp(us, utc)", "uint8", "int16", "uint64", "string", "binary",
		batch.TimestampOf(batch.Nano, false).String(), "int64", fmt.Sprintf("%v: column x is a decimal(0, 0)", ErrCorrupt),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// What a footer says of uncompressed sizes is a guess of the batches' bytes, and no more: any number will do.
func TestAnyUncompressedSizeWillDo(t *testing.T) {
	body := []byte("\x03\x00\x00\x00abc\x01\x00\x00\x00d")
	whole := forge(t, format.ByteArray, 0, 2, nil, dataPage(t, sizes(len(body), len(body)), 2, format.Plain, body))
	at := len(whole) - 8 - int(binary.LittleEndian.Uint32(whole[len(whole)-8:]))
	var meta format.FileMetaData
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), whole[at:len(whole)-8], &meta); err != nil {
		t.Fatal(err)
	}
	for _, raw := range []int64{math.MaxInt64, math.MinInt64, -1, 0, 1 << 60, -1092956123456789} {
		meta.RowGroups[0].Columns[0].MetaData.TotalUncompressedSize = raw
		footer := marshal(t, &meta)
		b := append(append(bytes.Clone(whole[:at]), footer...), binary.LittleEndian.AppendUint32(nil, uint32(len(footer)))...)
		b = append(b, "PAR1"...)
		pool := mem.NewPool(8<<20, mem.Protect())
		acct := pool.Account("test", 0)
		if err := readAll(t.Context(), b, acct, ReadOptions{}); err != nil {
			t.Errorf("%d: %v", raw, err)
		}
		f, err := Open(t.Context(), bytesFS{b: b}, "bytes")
		if err != nil {
			t.Fatal(err)
		}
		if g := f.RowGroups()[0]; g.RawBytes < 0 || g.RawBytes > maxClaim || g.Columns[0].RawBytes != g.RawBytes {
			t.Errorf("%d: the row group has %d bytes, its column %d", raw, g.RawBytes, g.Columns[0].RawBytes)
		}
		if err := errors.Join(acct.Close(), pool.Close()); err != nil {
			t.Errorf("%d: %v", raw, err)
		}
	}
}
