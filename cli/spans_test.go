package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/cli"
)

// TestDurationsNeedAType: pandas' timedelta64 is never taken for a plain number unless the job says so.
func TestDurationsNeedAType(t *testing.T) {
	for _, file := range []string{"spans.parquet", "spans.arrow"} {
		dir := diskDir(t)
		data, err := os.ReadFile(filepath.Join("..", "tableio", "testdata", "spans", file))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, file), string(data))
		pqjoin := func(want int, args ...string) (out, errs string) {
			t.Helper()
			var o, e strings.Builder
			if code := cli.Main(append([]string{"pqjoin"}, args...), nil, &o, &e); code != want {
				t.Fatalf("%s, %v: exit %d, want %d\n%s%s", file, args, code, want, &o, &e)
			}
			return o.String(), e.String()
		}
		job := filepath.Join(dir, "job.yaml")
		write(t, job, "inputs: {t: "+file+"}\noutputs: {t: out.csv}\n")
		_, errs := pqjoin(2, "validate", job)
		if want := `input "t": column "d" is a duration, which is not supported: types: {d: int64} reads the counts of its unit`; !strings.Contains(errs, want) {
			t.Errorf("%s: %s\nwant %s", file, errs, want)
		}
		for _, with := range []string{"tables: {r: [{from: t}, {drop: [d, s]}]}\noutputs: {r: out.csv}\n", "outputs: {t: out.csv}\n"} {
			input := "inputs: {t: " + file + "}\n"
			if strings.HasPrefix(with, "outputs") {
				input = "inputs: {t: {path: " + file + ", columns: [a]}}\n"
			}
			write(t, job, input+with)
			pqjoin(0, "validate", job)
		}
		starter, _ := pqjoin(0, "init", filepath.Join(dir, file))
		if want := "    types: {d: int64, s: int64}\n"; !strings.Contains(starter, want) || !strings.Contains(starter, "  #   d  a duration") {
			t.Errorf("%s: the starter job lacks %q:\n%s", file, want, starter)
		}
		write(t, job, starter)
		pqjoin(0, "validate", job)
		if seen, _ := pqjoin(0, "inspect", filepath.Join(dir, file)); !strings.Contains(seen, "d       a duration") {
			t.Errorf("%s: inspect says\n%s", file, seen)
		}
		if _, errs := pqjoin(0, "show", "--mem", "256MB", filepath.Join(dir, file)); !strings.Contains(errs, `warning: left out: column "d" is a duration, which is not supported`) {
			t.Errorf("%s: show says\n%s", file, errs)
		}
	}
}
