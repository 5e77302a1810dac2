package expr

import "testing"

func TestSpanReadsLengthsOfTime(t *testing.T) {
	for text, want := range map[string]int64{
		"5 minutes": 5 * 60e9, "interval '90 seconds'": 90e9, "1 day 12 hours": 36 * 3600e9, "INTERVAL 3 ms": 3e6,
		"250 us": 250e3, "7 ns": 7, "0 seconds": 0, "1.5 hours": 90 * 60e9, "2 weeks": 14 * 86400e9,
	} {
		if got, err := Span(text); err != nil || got != want {
			t.Errorf("Span(%q) = %d, %v, not %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "5", "minutes", "1 month", "-5 minutes", "1 year 2 days", "400 years", "200000 days", "interval (x) day", "now()", "it's"} {
		if got, err := Span(text); err == nil {
			t.Errorf("Span(%q) = %d", text, got)
		}
	}
}
