package engine

import (
	"math"
	"testing"
)

func TestFloatsHaveNoExponentWhereTheirDigitsFit(t *testing.T) {
	for v, want := range map[float64]string{
		1922012.9419525943: "1922012.9419525943", 1704067200.5: "1704067200.5", 1e6: "1000000", -2.5e9: "-2500000000",
		1e16: "1e+16", 0.1: "0.1", 1e-5: "1e-05", 999999: "999999", math.Inf(1): "+Inf",
	} {
		if got := floatText(v, 64); got != want {
			t.Errorf("%v is %s", v, got)
		}
	}
}
