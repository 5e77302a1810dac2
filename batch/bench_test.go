package batch_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/microbench"
	"pqjoin/mem"
)

// benchAccount is an account of a pool as runs have it: released buffers are used again.
func benchAccount(b *testing.B) *mem.Account {
	pool := mem.NewPool(1 << 30)
	acct := pool.Account("bench", 0)
	b.Cleanup(func() {
		if err := acct.Close(); err != nil {
			b.Error(err)
		}
		if err := pool.Close(); err != nil {
			b.Error(err)
		}
	})
	return acct
}

// kernelColumn returns n rows of a kind: int64, float64, string of 18 bytes, or dict, codes of 1,000 such strings.
func kernelColumn(b *testing.B, acct *mem.Account, kind string, n int) *batch.Column {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	must := func(c *batch.Column, err error) *batch.Column {
		if err != nil {
			b.Fatal(err)
		}
		return c
	}
	switch kind {
	case "int64":
		c := must(batch.NewFixed(acct, batch.Of(batch.Int64), n))
		for i := range n {
			c.Int64s()[i] = int64(r.IntN(1 << 24))
		}
		return c
	case "float64":
		c := must(batch.NewFixed(acct, batch.Of(batch.Float64), n))
		for i := range n {
			c.Float64s()[i] = r.NormFloat64()
		}
		return c
	case "dict":
		c := must(batch.NewCodes(acct, kernelColumn(b, acct, "string", 1000), n))
		for i := range n {
			c.Codes[i] = uint32(r.IntN(1000))
		}
		return c
	}
	const width = len("customer-000000000")
	c := must(batch.NewVar(acct, batch.Of(batch.String), n, n*width))
	for i := range n {
		copy(c.Data[i*width:], fmt.Sprintf("customer-%09d", r.IntN(1e9)))
		c.Off[i+1] = uint32((i + 1) * width)
	}
	return c
}

// wide returns the bytes of a column's rows: of codes, not of the dictionary, where there is one.
func wide(c *batch.Column) int64 {
	if c.Dict != nil {
		return 4 * int64(c.N)
	}
	if c.Type.Kind() == batch.KindBytes {
		return 4*int64(c.N) + batch.DataLen(c)
	}
	return int64(c.N * c.Type.Kind().Width())
}

var benchKinds = []string{"int64", "float64", "string", "dict"}

// BenchmarkHash hashes a batch of one key column.
func BenchmarkHash(b *testing.B) {
	for _, kind := range benchKinds {
		b.Run(kind, func(b *testing.B) {
			c := kernelColumn(b, benchAccount(b), kind, batch.Rows)
			defer c.Release()
			out := make([]uint64, c.N)
			var h batch.Hasher
			cost := microbench.Start(b)
			for b.Loop() {
				h.Hash([]*batch.Column{c}, out)
			}
			cost.Rows(int64(c.N), wide(c)+8*int64(c.N))
		})
	}
}

// BenchmarkKey encodes sort keys of a batch: one column, and two that make one word or need bytes.
func BenchmarkKey(b *testing.B) {
	for _, kinds := range [][]string{{"int64"}, {"float64"}, {"string"}, {"dict"}, {"int64", "float64"}, {"string", "int64"}} {
		b.Run(fmt.Sprint(kinds), func(b *testing.B) {
			acct := benchAccount(b)
			schema := &batch.Schema{}
			var cols []*batch.Column
			var keys []batch.SortKey
			bytes := int64(0)
			for i, kind := range kinds {
				c := kernelColumn(b, acct, kind, batch.Rows)
				defer c.Release()
				cols, keys = append(cols, c), append(keys, batch.SortKey{Column: i})
				schema.Fields = append(schema.Fields, batch.Field{Name: fmt.Sprint("c", i), Type: c.Type})
				bytes += wide(c)
			}
			e, err := batch.NewKeyEncoder(schema, keys)
			if err != nil {
				b.Fatal(err)
			}
			cost := microbench.Start(b)
			for b.Loop() {
				k, err := e.Encode(acct, cols, batch.Rows)
				if err != nil {
					b.Fatal(err)
				}
				k.Release()
			}
			cost.Rows(batch.Rows, 2*bytes)
		})
	}
}

// BenchmarkGather takes 64K rows of a table of a million: neighbours, as a sorted
// partition has them, and far apart, as a join's right side.
func BenchmarkGather(b *testing.B) {
	const rows = 1 << 20
	r := rand.New(rand.NewPCG(1, 1))
	for _, kind := range benchKinds {
		for _, how := range []string{"near", "far"} {
			b.Run(kind+"/"+how, func(b *testing.B) {
				acct := benchAccount(b)
				c := kernelColumn(b, acct, kind, rows)
				defer c.Release()
				idx := make([]uint32, rows)
				for i := range idx {
					idx[i] = uint32(i)
					if how == "far" {
						idx[i] = uint32(r.IntN(rows))
					}
				}
				bytes, at := int64(0), 0
				cost := microbench.Start(b)
				for b.Loop() {
					out, err := batch.Gather(acct, c, idx[at:at+batch.Rows], false)
					if err != nil {
						b.Fatal(err)
					}
					bytes = wide(out)
					out.Release()
					at = (at + batch.Rows) % rows // other rows each time
				}
				cost.Rows(batch.Rows, 4*batch.Rows+2*bytes)
			})
		}
	}
}
