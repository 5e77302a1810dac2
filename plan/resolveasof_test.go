package plan

import (
	"testing"

	"pqjoin/batch"
)

func TestTolerancesAreShownInTheirUnit(t *testing.T) {
	for _, c := range []struct {
		t     batch.Type
		ticks int64
		real  float64
		want  string
	}{
		{batch.Of(batch.Float64), 0, 0.5, "0.5"},
		{batch.Of(batch.Float64), 0, 0, "0"},
		{batch.Of(batch.Int64), 12, 0, "12"},
		{batch.DecimalOf(12, 2), 25, 0, "0.25"},
		{batch.Of(batch.Date), 1, 0, "1 day"},
		{batch.TimestampOf(batch.Micro, true), 5_400_000_000, 0, "90 minutes"},
		{batch.TimestampOf(batch.Nano, false), 7200e9, 0, "2 hours"},
		{batch.TimestampOf(batch.Second, false), 0, 0, "0 seconds"},
		{batch.TimestampOf(batch.Nano, false), 1_500_001, 0, "1500001 nanoseconds"},
		{batch.TimestampOf(batch.Milli, false), 1_500, 0, "1500 milliseconds"},
	} {
		if got := (Asof{Within: true, Ticks: batch.Int128Of(c.ticks), Real: c.real}).tolerance(c.t); got != c.want {
			t.Errorf("%d ticks or %g of %s: %q, want %q", c.ticks, c.real, c.t, got, c.want)
		}
	}
}

// TestFormatsAreDescribedByWhatTheyAreOf: an input's files are read, an output's are written.
func TestFormatsAreDescribedByWhatTheyAreOf(t *testing.T) {
	j := schemas{}
	said := func(of obj) string {
		options := of["anyOf"].([]obj)[1]["properties"].(obj)
		return options["format"].(obj)["description"].(string)
	}
	if in, out := said(j.input()), said(j.output()); in[:18] != "What the files are" || out[:25] != "How the files are written" {
		t.Errorf("of inputs %q, of outputs %q", in, out)
	}
}
