package extsort

import (
	"testing"

	"pqjoin/batch"
)

func TestPlanKeepsWithinItsShare(t *testing.T) {
	narrow := schemaOf([]batch.Type{batch.Of(batch.Int64), batch.Of(batch.Float64), batch.Of(batch.Int32)}, true)
	wide := &batch.Schema{}
	for range 2000 {
		wide.Fields = append(wide.Fields, batch.Field{Type: batch.Of(batch.Float64), Nullable: true})
	}
	for _, c := range []struct {
		name   string
		schema *batch.Schema
		least  int64 // the smallest share that must do
	}{{"narrow", narrow, 8 << 20}, {"wide", wide, 96 << 20}} {
		for share := c.least; share <= 4<<30; share *= 2 {
			for _, rows := range []int64{0, 1, 10_000, 1e6, 1e8, 1e11} {
				for _, workers := range []int{1, 2, 16} {
					l := Plan(c.schema, []batch.SortKey{{}}, Estimate{Rows: rows}, share, workers)
					if f := l.Floor(c.schema); f > share {
						t.Errorf("%s, %d rows, %d workers: floor %d of %+v is over the share %d", c.name, rows, workers, f, l, share)
					}
					if l.Workers < 1 || l.Workers > workers || l.Partitions < 1 || l.Partitions > maxFan {
						t.Errorf("%s: %+v for %d workers", c.name, l, workers)
					}
				}
			}
		}
	}
}

func TestPlanMakesPartitionsThatFitTheCache(t *testing.T) {
	schema := schemaOf([]batch.Type{batch.Of(batch.Int64), batch.Of(batch.Float64), batch.Of(batch.Float64)}, false)
	l := Plan(schema, []batch.SortKey{{}}, Estimate{Rows: 100e6}, 700<<20, 2)
	if rows := 100e6 / l.Partitions; l.Workers != 2 || rows < 300_000 || rows > 1_000_000 {
		t.Fatalf("%+v: %d rows a partition", l, rows)
	}
	if l := Plan(schema, []batch.SortKey{{}}, Estimate{Rows: 1000}, 700<<20, 2); l.Partitions != 1 {
		t.Fatalf("%d partitions for 1000 rows", l.Partitions)
	}
}
