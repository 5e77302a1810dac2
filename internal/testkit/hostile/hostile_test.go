package hostile

import (
	"os"
	"testing"
)

// corpus is where a copy of apache/parquet-testing may be.
func corpus() string {
	if dir := os.Getenv("PQJOIN_PARQUET_TESTING"); dir != "" {
		return dir
	}
	return "../../../../shared/corpus/parquet-testing"
}

// TestNothingDamagedIsWrong runs the first executions; torture runs millions.
func TestNothingDamagedIsWrong(t *testing.T) {
	s, err := New("../../..", corpus(), 1)
	if err != nil {
		t.Fatal(err)
	}
	n := uint64(20_000)
	if testing.Short() {
		n = 2000
	}
	seen := map[*Family][outcomes]int{}
	for k := range n {
		r := s.Run(k)
		counts := seen[r.Family]
		counts[r.Outcome]++
		seen[r.Family] = counts
		if r.Outcome == Wrong {
			t.Errorf("execution %d, %s, %s: %s", k, r.Family.Reader, r.Family.Mutator, r.Message)
		}
	}
	for _, f := range s.Families {
		c := seen[f]
		t.Log(f.Reader, f.Mutator, c)
		if c[Refused] == 0 {
			t.Errorf("%s, %s: nothing was refused: %v", f.Reader, f.Mutator, c)
		}
	}
}
