package tableio

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/internal/vfs"
)

// csvNamed writes a file of one row of numbers whose columns have the names.
func csvNamed(t *testing.T, names ...string) Spec {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.csv")
	row := strings.TrimSuffix(strings.Repeat("1,", len(names)), ",")
	if err := os.WriteFile(path, []byte(strings.Join(names, ",")+"\n"+row+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return Spec{Paths: []string{path}}
}

func TestAColumnWithAnEndlessNameIsRefusedWithoutIt(t *testing.T) {
	for n, want := range map[int]string{1000: "", 1001: "the name of column 2 has 1001 bytes, and may have 1000"} {
		_, err := Open(context.Background(), vfs.OS(), csvNamed(t, "a", strings.Repeat("n", n)))
		if want == "" && err != nil || want != "" && (!errors.Is(err, ErrSchema) || !strings.Contains(err.Error(), want) || len(err.Error()) > 500) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestOfManyColumnsSomeAreNamedWhereOneIsMissing(t *testing.T) {
	var names []string
	for i := range 3000 {
		names = append(names, fmt.Sprintf("c%d", i))
	}
	spec := csvNamed(t, names...)
	spec.Columns = []string{"d"}
	_, err := Open(context.Background(), vfs.OS(), spec)
	if !errors.Is(err, ErrSchema) || !strings.Contains(err.Error(), "c11 and 2988 more") {
		t.Error(err)
	}
}
