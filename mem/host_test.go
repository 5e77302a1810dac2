package mem

import "testing"

func TestALimitMayBeNothing(t *testing.T) {
	for text, want := range map[string]int64{"0": -1, " 0GB ": -1, "1kB": 1000, "2KiB": 2048} {
		if got, err := ParseLimit(text); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "much", "-1"} {
		if got, err := ParseLimit(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
}
