package engine

import (
	"context"
	"testing"
)

// A value that is far longer than the rows that sizes were made of is written where the pool has room for it: the output writer's
// share, a part of the pool, was its limit.
func TestAValueLongerThanTheWritersShareIsWritten(t *testing.T) {
	rows := generated(2000, func(i int64) []any { return []any{i} })
	c := one([]string{`compute: {s: "repeat('0123456789', case when v = 1500 then 1600000 else 1 end)"}`, `compute: {s: "s || s || s || s"}`}, table("t", "v", rows...))
	run := open(t, c, written(t, c), Config{FS: hasty(), Mem: 500 << 20, Threads: 1})
	if share, err := run.Share(); err != nil || share.Writer > 120<<20 {
		t.Fatalf("the writer's share is %d bytes, too much for this test: %v", share.Writer, err)
	}
	if _, err := run.Execute(context.Background()); err != nil {
		t.Error(err)
	}
}
