package parquet

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"

	"github.com/parquet-go/parquet-go/format"
)

// TestWhatIsStoredIsDecompressed: what does not compress and is only stored is what each codec makes of it, whole and in pieces.
func TestWhatIsStoredIsDecompressed(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pool := mem.NewPool(64 << 20)
	acct := pool.Account("test", 0)
	c := codecs{acct: acct}
	for _, codec := range []format.CompressionCodec{format.Snappy, format.Lz4Raw, format.Zstd, format.Gzip} {
		for _, n := range []int{1, 14, 15, 16, 269, 270, 271, 1<<16 - 1, 1 << 16, 128 << 10, 128<<10 + 1, 1_000_003} {
			raw := make([]byte, n)
			for i := range raw {
				raw[i] = byte(r.Uint32())
			}
			dst := make([]byte, maxCompressed(codec, n))
			packed := stored(codec, dst, raw)
			if &packed[0] != &dst[0] {
				t.Errorf("%v: %d bytes outgrow what is reserved", codec, n)
			}
			got := make([]byte, n)
			if err := c.page(codec, got, packed); err != nil || !bytes.Equal(got, raw) {
				t.Errorf("%v: %d bytes, whole: %v", codec, n, err)
			}
			if codec != format.Snappy && codec != format.Lz4Raw {
				continue
			}
			if got, err := inPieces(codec, packed, n, r); err != nil || !bytes.Equal(got, raw) {
				t.Errorf("%v: %d bytes, in pieces: %v", codec, n, err)
			}
		}
	}
	c.close()
	noError(t, acct.Close())
	noError(t, pool.Close())
}

// TestEveryColumnHasTheCodecAskedFor, whether or not its values compress.
func TestEveryColumnHasTheCodecAskedFor(t *testing.T) {
	schema := &batch.Schema{Fields: []batch.Field{{Name: "noise", Type: batch.Of(batch.Float64)}, {Name: "text", Type: batch.Of(batch.String)}}}
	rows := randomBatch(t, rand.New(rand.NewPCG(5, 6)), schema, 12_345)
	for name, codec := range map[string]format.CompressionCodec{
		"": format.Snappy, "snappy": format.Snappy, "zstd": format.Zstd, "gzip": format.Gzip, "lz4": format.Lz4Raw, "none": format.Uncompressed,
	} {
		path := filepath.Join(t.TempDir(), "a.parquet")
		w, err := CreateFile(t.Context(), vfs.OS(), path, schema, WriterOptions{Compression: name})
		noError(t, err)
		noError(t, w.Write(t.Context(), rows.Retain()))
		_, err = w.Close(t.Context())
		noError(t, err)
		f, err := Open(t.Context(), vfs.OS(), path)
		noError(t, err)
		for i, c := range f.RowGroups()[0].Columns {
			if c.Codec != codec {
				t.Errorf("compression %q: column %s is %v", name, schema.Fields[i].Name, c.Codec)
			}
			if noise := c.Bytes > c.RawBytes+c.RawBytes/100; noise {
				t.Errorf("compression %q: column %s grows from %d to %d bytes", name, schema.Fields[i].Name, c.RawBytes, c.Bytes)
			}
		}
		noError(t, f.Close())
		sameRows(t, rows, path)
	}
	rows.Release()
}
