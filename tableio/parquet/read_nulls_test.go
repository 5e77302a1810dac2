package parquet

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"pqjoin/batch"
	"pqjoin/mem"

	pq "github.com/parquet-go/parquet-go"
)

type nullRow struct {
	Int   *int64   `parquet:"int,optional"`
	Bool  *bool    `parquet:"bool,optional"`
	Big   *[]byte  `parquet:"big,optional"`
	Text  *string  `parquet:"text,optional,plain"`
	Codes *string  `parquet:"codes,optional,dict"`
	None  *float64 `parquet:"none,optional"`
}

// nullRows has long runs of nulls and of values, and both mixed.
func nullRows(r *rand.Rand) (rows []nullRow) {
	for len(rows) < 3000 {
		some := r.IntN(3)
		for range 1 + r.IntN(400) {
			var row nullRow
			if some == 1 || some == 2 && r.IntN(2) == 0 {
				n := int64(len(rows))
				b, s := n%3 == 0, string(rune('a'+n%7))
				big := []byte(s)
				row = nullRow{Int: &n, Bool: &b, Big: &big, Text: &s, Codes: &s}
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// TestRunsOfNulls: rows come out as they were written, wherever runs of nulls lie among pages and batches.
func TestRunsOfNulls(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		rows := nullRows(r)
		var out bytes.Buffer
		w := pq.NewGenericWriter[nullRow](&out, pq.PageBufferSize(200+r.IntN(4000)), pq.DataPageVersion(1+r.IntN(2)))
		_, err := w.Write(rows)
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		f, err := Open(t.Context(), bytesFS{b: out.Bytes()}, "bytes")
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{1, 7, 64, 1000, 5000} {
			checkNullRows(t, f, rows, size)
		}
	}
}

func checkNullRows(t *testing.T, f *File, rows []nullRow, size int) {
	pool := mem.NewPool(16<<20, mem.Protect())
	acct := pool.Account("test", 0)
	s, err := f.ReadRowGroup(t.Context(), acct, 0, []int{0, 1, 2, 3, 4, 5}, ReadOptions{BatchRows: size})
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for {
		b, err := s.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.N {
			checkNullRow(t, b, i, &rows[at+i])
		}
		at += b.N
		b.Release()
	}
	if at != len(rows) {
		t.Errorf("%d rows of %d", at, len(rows))
	}
	if err := errors.Join(s.Close(), acct.Close(), pool.Close()); err != nil {
		t.Fatal(err)
	}
}

func checkNullRow(t *testing.T, b *batch.Batch, i int, want *nullRow) {
	t.Helper()
	for k, c := range b.Cols {
		if null := want.Int == nil || k == 5; c.IsNull(i) != null {
			t.Fatalf("column %d: null %v, want %v", k, c.IsNull(i), null)
		}
		if c.Valid != nil && c.Nulls != c.N-batch.CountBitsUnaligned(c.Valid, c.N) {
			t.Fatalf("column %d counts %d nulls", k, c.Nulls)
		}
	}
	if want.Int == nil {
		return
	}
	ok := b.Cols[0].Int64s()[i] == *want.Int && (b.Cols[1].Fixed[i] == 1) == *want.Bool
	for _, k := range []int{2, 3, 4} {
		ok = ok && string(b.Cols[k].Value(i)) == *want.Text
	}
	if !ok {
		t.Fatalf("row %d differs", i)
	}
}
