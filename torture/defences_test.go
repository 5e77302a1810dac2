package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Who renames or drops a test that defends a line sees it here.
func TestEveryDefenceExists(t *testing.T) {
	lines := 0
	for line := range strings.Lines(defences) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| ---") || strings.HasPrefix(line, "| fault") {
			continue
		}
		if lines++; len(cells) != 3 {
			t.Errorf("%q has %d cells", line, len(cells))
			continue
		}
		for _, d := range strings.Split(cells[2], ", ") {
			if why := missing(strings.TrimSpace(d)); why != "" {
				t.Errorf("%s: %s: %s", strings.TrimSpace(cells[0]), d, why)
			}
		}
	}
	if lines < 40 {
		t.Errorf("only %d faults are listed", lines)
	}
}

// missing says what is wrong with the name of a defence.
func missing(defence string) string {
	file, test, _ := strings.Cut(defence, ":")
	if file == "torture" {
		if !slices.ContainsFunc(parts[:], func(p part) bool { return p.name == test }) {
			return "there is no such part"
		}
		return ""
	}
	text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(file)))
	if err != nil {
		return err.Error()
	}
	if strings.HasSuffix(file, "_test.go") && !regexp.MustCompile(`(?m)^func `+regexp.QuoteMeta(test)+`\(`).Match(text) {
		return "there is no such test"
	}
	return ""
}
