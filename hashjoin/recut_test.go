package hashjoin

import (
	"context"
	"slices"
	"testing"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

// evenly is an Assigner of one partition.
type evenly struct{}

func (evenly) Assign(_ *mem.Account, _ *batch.Batch, out []uint16) error {
	clear(out)
	return nil
}

// A partition that is cut again is of many units, in the order of its rows, so that who reads it need not know all its places at once.
func TestWhatIsCutAgainIsOfManyUnits(t *testing.T) {
	ctx := context.Background()
	acct := mem.NewPool(64<<20).Account("cut", 0)
	schema := batch.NewSchema(batch.Field{Name: "k", Type: batch.Of(batch.Int64)})
	const rows = 2*spillfile.UnitRows + 1000
	from, _ := heapStores("", schema, 1, 1)
	for at := 0; at < rows; at += batch.Rows {
		n := min(batch.Rows, rows-at)
		b := &batch.Batch{Schema: schema, N: n, Cols: []*batch.Column{intColumn(n, func(i int) int64 { return int64(at + i) })}}
		if err := from.Append(ctx, 0, 0, make([]uint16, n), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := from.Seal(ctx); err != nil {
		t.Fatal(err)
	}
	j := &join{spec: Spec{Acct: acct, Stores: heapStores}}
	recut, err := j.recut(ctx, acct, part{from, 0}, nil, schema, scatterTo{cut: cut{parts: 1}, cols: []int{0}})
	if err != nil {
		t.Fatal(err)
	}
	ranged, _ := heapStores("", schema, 1, 1)
	if err := rescatter(ctx, acct, part{from, 0}, ranged, evenly{}); err != nil {
		t.Fatal(err)
	}
	for name, st := range map[string]Store{"recut": recut, "rescatter": ranged} {
		next := int64(0)
		var units []int
		for _, p := range st.(*heapStore).parts[0] {
			units = append(units, p.unit)
			for _, k := range p.b.Cols[0].Int64s() {
				if k != next {
					t.Fatalf("%s: row %d after %d", name, k, next-1)
				}
				next++
			}
		}
		if units = slices.Compact(units); next != rows || !slices.Equal(units, []int{0, 1, 2}) {
			t.Errorf("%s: %d rows of %d in units %v", name, next, rows, units)
		}
	}
}
