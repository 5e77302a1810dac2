package engine

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/internal/testkit/mutate"
)

// TestJobsOverDamagedFiles copies damaged files by a job, at the least memory that it says it needs: a job ends with an output, or is refused by
// one sentence that names the file. The readers alone are given millions of such files by torture.
func TestJobsOverDamagedFiles(t *testing.T) {
	names, err := filepath.Glob("../tableio/parquet/testdata/*/*.parquet")
	if err != nil || len(names) < 10 {
		t.Fatal(names, err)
	}
	n := 400
	if testing.Short() {
		n = 60
	}
	dir := t.TempDir()
	path, out := filepath.Join(dir, "damaged.parquet"), filepath.Join(dir, "out.parquet")
	read := 0
	for k := range n {
		r := rand.New(rand.NewPCG(uint64(k), 3))
		b, err := os.ReadFile(names[r.IntN(len(names))])
		if err != nil {
			t.Fatal(err)
		}
		f := mutate.ParseParquet(b)
		if b = f.Page(r); k%2 == 0 {
			b = f.Footer(r, f)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_ = os.Remove(out)
		err = copyFile(dir, path, out)
		_, missing := os.Stat(out)
		switch {
		case err == nil && missing == nil:
			read++
		case err == nil || missing == nil:
			t.Errorf("%d: it ends with %v, and the output: %v", k, err, missing)
		case !strings.Contains(err.Error(), "damaged.parquet") && !strings.Contains(err.Error(), `input "t"`) && !strings.Contains(err.Error(), "refused") || strings.Contains(err.Error(), "internal error") || strings.Contains(err.Error(), "self-check") || strings.Contains(err.Error(), "goroutine "):
			t.Errorf("%d: %v", k, err)
		}
		if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
			t.Fatalf("%d: left over: %v %v", k, left, err)
		}
	}
	if read < n/10 {
		t.Errorf("of %d damaged files %d are read", n, read)
	}
}
