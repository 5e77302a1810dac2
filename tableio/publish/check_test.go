package publish

import (
	"strings"
	"testing"

	"pqjoin/internal/vfs"
)

func TestAnOutputWithTheLongestNameIsWritten(t *testing.T) {
	for _, n := range []int{maxName, maxName + 1} {
		s := newScene(t, true, strings.Repeat("x", n), "two.parquet")
		err := s.run(t, vfs.OS())
		if n == maxName && err != nil || n > maxName && (err == nil || !strings.Contains(err.Error(), "its name has 236 bytes")) {
			t.Errorf("a name of %d bytes: %v", n, err)
		}
	}
}
