package parquet

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"pqjoin/internal/microbench"
	"pqjoin/mem"

	pq "github.com/parquet-go/parquet-go"
)

// seedRow is like the rows of the job that everything began with: a key of 10,000 values,
// an integer and a double; and the same as other writers lay them out.
type seedRow struct {
	Dict   int64    `parquet:"dict,dict"`
	Plain  int64    `parquet:"plain,plain"`
	Double float64  `parquet:"double,plain"`
	Nulls  *float64 `parquet:"nulls,optional,plain"`
	Delta  int64    `parquet:"delta,delta"`
	Int32  int32    `parquet:"int32,plain"`
	Text   string   `parquet:"text,plain"`
	Codes  string   `parquet:"codes,dict"`
}

func seedFile(b *testing.B, opts ...pq.WriterOption) *File {
	r := rand.New(rand.NewPCG(1, 1))
	rows := make([]seedRow, 1_000_000)
	for i := range rows {
		key := int64(90_000 + r.IntN(10_000))
		rows[i] = seedRow{Dict: key, Plain: int64(101 + r.IntN(20_000)), Double: r.Float64() * 10_000, Delta: int64(i), Int32: int32(key),
			Text: "some text", Codes: "name " + string(rune('a'+key%26))}
		if r.IntN(10) > 0 {
			rows[i].Nulls = &rows[i].Double
		}
	}
	var out bytes.Buffer
	w := pq.NewGenericWriter[seedRow](&out, opts...)
	_, err := w.Write(rows)
	if err = errors.Join(err, w.Close()); err != nil {
		b.Fatal(err)
	}
	f, err := Open(b.Context(), bytesFS{b: out.Bytes()}, "bytes")
	if err != nil {
		b.Fatal(err)
	}
	return f
}

// BenchmarkRead reads a column of a million rows that lies in memory.
func BenchmarkRead(b *testing.B) {
	for _, c := range []struct {
		name string
		opts []pq.WriterOption
	}{
		{"small pages", []pq.WriterOption{pq.Compression(&pq.Uncompressed)}},
		{"small pages, snappy", []pq.WriterOption{pq.Compression(&pq.Snappy)}},
		{"one page, snappy", []pq.WriterOption{pq.Compression(blockSnappy{&pq.Snappy}), pq.PageBufferSize(1 << 30)}},
		{"one page", []pq.WriterOption{pq.Compression(&pq.Uncompressed), pq.PageBufferSize(1 << 30)}},
	} {
		f := seedFile(b, c.opts...)
		for i, field := range f.Schema().Fields {
			b.Run(c.name+"/"+field.Name, func(b *testing.B) { benchColumn(b, f, i) })
		}
	}
}

func benchColumn(b *testing.B, f *File, col int) {
	pool := mem.NewPool(64 << 20)
	acct := pool.Account("bench", 0)
	rows, bytes := int64(0), int64(0)
	cost := microbench.Start(b)
	for b.Loop() {
		rows, bytes = 0, 0
		for g := range f.RowGroups() {
			s, err := f.ReadRowGroup(b.Context(), acct, g, []int{col}, ReadOptions{})
			if err != nil {
				b.Fatal(err)
			}
			for {
				out, err := s.Next(b.Context())
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
				rows += int64(out.N)
				bytes += out.Bytes()
				out.Release()
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, g := range f.RowGroups() {
		bytes += g.Columns[col].Bytes
	}
	cost.Rows(rows, bytes)
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		b.Fatal(err)
	}
}
