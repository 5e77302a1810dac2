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
