package main

import (
	"os"
	"testing"
)

func TestAFlippedFileThatIsTakenOverRefutes(t *testing.T) {
	took := "level=INFO msg=\"resume: a kept stage is taken over\" stage=\"table p\" kept=12-table\n"
	again := "level=WARN msg=\"resume: a kept stage is computed again\" stage=\"index col3\" kept=2-table why=...\n"
	for _, c := range []struct {
		file  keptFile
		said  string
		wrong bool
	}{
		{keptFile{of: "12-table", finished: true}, again + took, true},
		{keptFile{of: "12-table"}, took, false},
		{keptFile{of: "2-table", finished: true}, again + took, false},
		{keptFile{of: "2-table", finished: true}, took, false},
	} {
		if how, wrong := c.file.became(c.said); wrong != "" != c.wrong || wrong == "" == (how == "") {
			t.Errorf("%+v after %q: %q, %q", c.file, c.said, how, wrong)
		}
	}
}

// A process that fails before it begins must not be told by the number that one before it left.
func TestAReadingProcessBeginsWithoutTheStateOfAnother(t *testing.T) {
	f := &fuzzing{bench: &bench{dir: t.TempDir()}}
	if err := os.WriteFile(f.path("fuzz-state"), make([]byte, 8), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.command(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := f.died(nil, "it said why"); err == nil || f.deaths > 0 {
		t.Errorf("%v, %d deaths", err, f.deaths)
	}
}
