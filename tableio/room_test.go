package tableio

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"

	"pqjoin/internal/parallel"
	"pqjoin/internal/vfs"
)

// Where files would take more of the heap than they may, opening them says how much all of them take: of one file, of many, and where
// another format says so.
func TestFilesThatTakeTooMuchOfTheHeapAreCounted(t *testing.T) {
	type row struct{ A, B, C, D, E, F, G, H, S string }
	rows := make([]row, 400)
	for i := range rows {
		rows[i].S = fmt.Sprint(i) + strings.Repeat("a", 100)
	}
	for name, write := range map[string]func(dir string){
		"one file": func(dir string) { put(t, filepath.Join(dir, "t.parquet"), rows, pq.MaxRowsPerRowGroup(2)) },
		"many files": func(dir string) {
			for i := range 20 {
				put(t, filepath.Join(dir, fmt.Sprint(i, ".parquet")), rows[:20], pq.MaxRowsPerRowGroup(2))
			}
		},
		"text": func(dir string) {
			for i := range 100 {
				putText(t, dir, map[string]string{fmt.Sprint(i, ".csv"): "a,b,c\n1,2,3\n"})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(dir)
			spec := Spec{Paths: []string{dir}}
			all := int64(0)
			for _, f := range open(t, spec).files {
				all += f.HeapBytes()
			}
			spec.HeapMost = all
			open(t, spec)
			for _, most := range []int64{1, all / 2, all * 9 / 10} {
				spec.HeapMost = most
				_, err := Open(t.Context(), vfs.OS(), spec)
				var much *HeapError
				if !errors.As(err, &much) || much.Bytes < all*8/10 || much.Bytes > all*12/10 {
					t.Errorf("of %d bytes there may be %d: %v", all, most, err)
				}
			}
		})
	}
}

// brokenFS panics where a file is opened.
type brokenFS struct{ vfs.FS }

func (brokenFS) Open(string) (vfs.File, error) { panic("broken") }

func TestAPanicWhileOpeningIsAnError(t *testing.T) {
	dir := t.TempDir()
	putText(t, dir, map[string]string{"a.csv": "a\n1\n", "b.csv": "a\n1\n"})
	_, err := Open(t.Context(), brokenFS{vfs.OS()}, Spec{Paths: []string{dir}})
	if p := (*parallel.Panic)(nil); !errors.As(err, &p) || p.Value != "broken" {
		t.Errorf("%v", err)
	}
}
