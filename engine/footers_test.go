package engine

import "testing"

func TestWhatFootersTakeIsOfTheFloorAndNotOfThePool(t *testing.T) {
	plain := need{reader: 1 << 20, widths: []rowWidth{{bytes: 40, columns: 5}}, depth: batchesHeld, writer: 2 << 20}
	more := plain
	more.known = 50 << 20
	if got := more.floor() - plain.floor(); got != more.known {
		t.Errorf("the floor is %d bytes higher", got)
	}
	a, err := plain.divide(100<<20, 2)
	if err != nil {
		t.Fatal(err)
	}
	b, err := more.divide(150<<20, 2)
	if err != nil {
		t.Fatal(err)
	}
	if b.Pool != a.Pool || b.Fixed > a.Pool {
		t.Errorf("pools of %d and %d bytes, of which %d are fixed", a.Pool, b.Pool, b.Fixed)
	}
	if _, err := more.divide(more.floor()-1, 2); err == nil {
		t.Error("less than the floor is enough")
	}
}

// What footers take is no reason for fewer workers or shorter batches: the pool beside it is divided as if it were not there.
func TestEqualPoolsAreDividedAlikeBesideLargeFooters(t *testing.T) {
	plain := need{reader: 1 << 20, widths: []rowWidth{{bytes: 40, columns: 5}}, depth: batchesHeld, writer: 2 << 20}
	for _, pool := range []int64{20 << 20, 100 << 20, 1 << 30} {
		for _, known := range []int64{10 << 20, 400 << 20, 4 << 30} {
			more := plain
			more.known = known
			a, err := plain.divide(pool, 64)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := more.divide(pool+known, 64); err != nil || a != b {
				t.Errorf("a pool of %d bytes is divided into %+v, and beside footers of %d into %+v: %v", pool, a, known, b, err)
			}
		}
	}
}
