package batch

import (
	"math"
	"testing"
)

func TestFloatsHaveTheirShortestText(t *testing.T) {
	for v, want := range map[float64][2]string{
		1922012.9419525943: {"1922012.9419525943", "1922012.9419525943"}, 1e6: {"1000000.0", "1000000"}, -2.5e9: {"-2500000000.0", "-2500000000"},
		1e15: {"1000000000000000.0", "1000000000000000"}, 1e16: {"1e+16", "1e+16"}, 0.1: {"0.1", "0.1"}, 1e-4: {"0.0001", "0.0001"}, 1e-5: {"1e-05", "1e-05"},
		999999: {"999999.0", "999999"}, math.Copysign(0, -1): {"-0.0", "-0"}, 5e-324: {"5e-324", "5e-324"}, math.Inf(1): {"inf", "+Inf"}, math.Inf(-1): {"-inf", "-Inf"},
	} {
		if got := string(AppendFloat(nil, v, 64)); got != want[0] {
			t.Errorf("%v is %s in files", v, got)
		}
		if got := FloatText(v, Of(Float64)); got != want[1] {
			t.Errorf("%v is %s for people", v, got)
		}
	}
	if file, shown := string(AppendFloat(nil, math.NaN(), 64)), FloatText(math.NaN(), Of(Float64)); file != "nan" || shown != "NaN" {
		t.Errorf("nan is %s and %s", file, shown)
	}
	tenth := float64(float32(0.1))
	if file, shown := string(AppendFloat([]byte("x"), tenth, 32)), FloatText(tenth, Of(Float32)); file != "x0.1" || shown != "0.1" {
		t.Errorf("a float32 of 0.1 is %s and %s", file, shown)
	}
}
