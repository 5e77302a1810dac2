package expr

import (
	"testing"

	"pgregory.net/rapid"
)

func TestTheQuickCalendarIsThePlainOne(t *testing.T) {
	same := func(days int64) {
		y, m, d := daysCivil(days)
		if wy, wm, wd := farCivil(days); y != wy || m != wm || d != wd {
			t.Fatalf("day %d is %d-%d-%d, want %d-%d-%d", days, y, m, d, wy, wm, wd)
		}
		if back := civilDays(y, m, d); back != days {
			t.Fatalf("day %d comes back as %d", days, back)
		}
	}
	for days := int64(-800_000); days < 800_000; days++ {
		same(days)
	}
	rapid.Check(t, func(t *rapid.T) { same(rapid.Int64Range(-3*nearDays, 3*nearDays).Draw(t, "days")) })
}
