package expr_test

import (
	"testing"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/internal/microbench"
	"pqjoin/mem"
)

// BenchmarkEval evaluates an expression over a batch.
func BenchmarkEval(b *testing.B) {
	schema := batch.NewSchema(
		batch.Field{Name: "i", Type: batch.Of(batch.Int64)},
		batch.Field{Name: "n", Type: batch.Of(batch.Int64), Nullable: true},
		batch.Field{Name: "f", Type: batch.Of(batch.Float64)},
		batch.Field{Name: "s", Type: batch.Of(batch.String)},
		batch.Field{Name: "d", Type: batch.DecimalOf(12, 2)},
		batch.Field{Name: "t", Type: batch.TimestampOf(batch.Micro, false)},
		batch.Field{Name: "v", Type: batch.Of(batch.String)},
	)
	pool := mem.NewPool(256 << 20)
	acct := pool.Account("bench", 0)
	in := benchBatch(b, acct, schema)
	for _, text := range []string{
		"i + 1", "n + i", "f * 2.5", "ln(f)", "f > 0.5", "i > 10 and f > 0.5", "n is null or i < 5", "case when i > 10 then f else 0 end",
		"cast(i as float64)", "f / i", "d * d", "d + 1.5", "s = 'b'", "upper(s)", "s like '%b%'", "i in (1, 2, 3)", "if(i > 0, 100 % i, 0)", "if(i > 10, n - i, i - n)",
		"i & 7", "i // 3", "year(t)", "hour(t)", "date_trunc('month', t)", "t + interval '1 day'", "t + interval '1 month'", "t at time zone 'Europe/Berlin'", "date_diff('day', t, timestamp '2024-01-01 00:00:00')",
		"upper(v)", "v || 'x'", "lpad(v, 8, '0')", "regexp_matches(v, '^[a-c]')", "regexp_replace(s, 'a', 'b')", "hash(i)", "hash(v)", "concat(n, v)", "strftime(t, '%Y-%m-%d')", "cast(i as string)",
	} {
		tree, err := expr.Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		bound, err := expr.Bind(tree, schema)
		if err != nil {
			b.Fatal(err)
		}
		p := expr.Compile([]*expr.Bound{bound})
		b.Run(text, func(b *testing.B) {
			bytes := int64(0)
			cost := microbench.Start(b)
			for b.Loop() {
				out, err := p.Eval(acct, in)
				if err != nil {
					b.Fatal(err)
				}
				bytes = out[0].Bytes()
				out[0].Release()
			}
			for _, c := range bound.Columns() {
				bytes += in.Cols[c].Bytes()
			}
			cost.Rows(int64(in.N), bytes)
		})
	}
}

func benchBatch(b *testing.B, acct *mem.Account, schema *batch.Schema) *batch.Batch {
	out := &batch.Batch{Schema: schema, N: batch.Rows}
	for _, f := range schema.Fields {
		vals := make([]expr.Value, batch.Rows)
		for i := range vals {
			k := int64(i * 7919 % 1000)
			if vals[i] = (expr.Value{Int: 1.6e15 + k*86_400_000_001}); f.Type.ID == batch.Timestamp {
				continue
			}
			vals[i] = expr.Value{Int: k % 50, Float: float64(k) / 500, Bytes: []byte{'a' + byte(k%5)}}
		}
		field := f
		if f.Name == "s" {
			field.Name = "sd"
		}
		c, err := fill(acct, field, vals)
		if err != nil {
			b.Fatal(err)
		}
		if f.Nullable {
			if err := c.NewValid(acct); err != nil {
				b.Fatal(err)
			}
			for i := range c.Valid {
				c.Valid[i] = 0b10111011
			}
			c.SetNulls()
		}
		out.Cols = append(out.Cols, c)
	}
	return out
}
