package tableio

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/internal/vfs"

	"github.com/google/go-cmp/cmp"
)

// csvTree writes files of text below a folder.
func csvTree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestHiveDirectoriesBecomeColumns(t *testing.T) {
	dir := csvTree(t, map[string]string{
		"year=2024/month=1/b.csv":                              "x\n1\n2\n",
		"year=2024/month=10/a.csv":                             "x\n4\n",
		"year=2024/month=2/a.csv":                              "x\n3\n",
		"year=__HIVE_DEFAULT_PARTITION__/month=2/a.csv":        "x\n5\n",
		"year=2025/_month=2/a.csv":                             "x\n9\n",
		"year=2025/month=__HIVE_DEFAULT_PARTITION__/.keep.csv": "x\n9\n",
	})
	tab := open(t, Spec{Paths: []string{dir}, Base: dir})
	if d := cmp.Diff([]string{"year", "month"}, tab.Dirs()); d != "" || tab.Format() != CSV {
		t.Errorf("of the format %s, with the directories' columns %s", tab.Format(), d)
	}
	want := []batch.Field{{Name: "x", Type: batch.Of(batch.Int64), Nullable: true}, {Name: "year", Type: batch.Of(batch.Int64), Nullable: true}, {Name: "month", Type: batch.Of(batch.Int64)}}
	if d := cmp.Diff(want, tab.Schema().Fields); d != "" {
		t.Error(d)
	}
	rows := rowsOf(t, tab, []int{0, 1, 2}, nil)
	if d := cmp.Diff([]string{"1 2024 1", "2 2024 1", "3 2024 2", "4 2024 10", "5 null 2"}, rows); d != "" {
		t.Error(d)
	}
	if rows := rowsOf(t, tab, []int{2}, nil); len(rows) != 5 || rows[3] != "10" {
		t.Errorf("of directories alone: %v", rows)
	}
}

func TestHiveTypes(t *testing.T) {
	for _, c := range []struct {
		values string
		types  batch.Type // zero: none given
		want   string     // type and values
	}{
		{"1 -5 900", batch.Type{}, "int64: -5 1 900"},
		{"01 2", batch.Type{}, "string: 01 2"},
		{"1 a", batch.Type{}, "string: 1 a"},
		{"2024-01-01 2024-01-02", batch.Type{}, "date: 19723 19724"},
		{"2024-01-01 7", batch.Type{}, "string: 7 2024-01-01"},
		{"__HIVE_DEFAULT_PARTITION__", batch.Type{}, "string: null"},
		{"%5F_HIVE_DEFAULT_PARTITION__", batch.Type{}, "string: __HIVE_DEFAULT_PARTITION__"},
		{"%2Fa%3D%25 %zz", batch.Type{}, "string: /a=% %zz"},
		{"", batch.Type{}, "string: "},
		{"01 12", batch.Of(batch.Int32), "int32: 1 12"},
		{"1.5 nan", batch.Of(batch.Float32), "float32: 1.5 NaN"},
		{"7 8", batch.Of(batch.String), "string: 7 8"},
		{"2024-01-01T00%3A00%3A01", batch.TimestampOf(batch.Second, false), "timestamp(s): 1704067201"},
		{"1 x", batch.Of(batch.Int64), `error: the directory k=x: "x" is no int64 (types: {k: string} reads it as it is)`},
		{"%ff", batch.Type{}, "error: the directory k=%ff: it is not UTF-8"},
	} {
		files := map[string]string{}
		for v := range strings.SplitSeq(c.values, " ") {
			files["k="+v+"/f.csv"] = "x\n1\n"
		}
		spec := Spec{Paths: []string{csvTree(t, files)}}
		if c.types != (batch.Type{}) {
			spec.Types = map[string]batch.Type{"k": c.types}
		}
		tab, err := Open(context.Background(), vfs.OS(), spec)
		var got string
		if err != nil {
			got = "error: " + err.Error()[max(0, strings.Index(err.Error(), "the directory")):]
			c.want, _, _ = strings.Cut(c.want, " (types")
			got, _, _ = strings.Cut(got, " (types")
		} else {
			got = tab.Schema().Fields[1].Type.String() + ": " + strings.Join(rowsOf(t, tab, []int{1}, nil), " ")
		}
		if got != c.want {
			t.Errorf("%q: %s, want %s", c.values, got, c.want)
		}
	}
}

func TestHiveDirectoriesThatDisagree(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		mode  string
		want  string // of the error, or the rows
	}{
		"a level is missing":         {[]string{"a=1/x.csv", "x.csv"}, Strict, "a=1/x.csv lies in a directory a=..., and DIR/x.csv does not"},
		"another level":              {[]string{"a=1/x.csv", "b=1/x.csv"}, Strict, "b=1/x.csv lies in a directory b=..., and DIR/a=1/x.csv does not"},
		"another order is no matter": {[]string{"a=1/b=2/x.csv", "b=3/a=4/x.csv"}, Strict, "1 1 2;1 4 3"},
		"null where it is missing":   {[]string{"a=1/x.csv", "b=2/x.csv", "x.csv"}, Union, "1 1 null;1 null 2;1 null null"},
		"twice on one path":          {[]string{"a=1/a=1/x.csv"}, Strict, "two directories on its way give the column a"},
	} {
		files := map[string]string{}
		for _, f := range c.files {
			files[f] = "x\n1\n"
		}
		dir := csvTree(t, files)
		tab, err := Open(context.Background(), vfs.OS(), Spec{Paths: []string{dir}, SchemaMode: c.mode})
		if err != nil {
			if !errors.Is(err, ErrSchema) || !strings.Contains(err.Error(), strings.ReplaceAll(c.want, "DIR", dir)) {
				t.Errorf("%s: %v", name, err)
			}
		} else if got := strings.Join(rowsOf(t, tab, []int{0, 1, 2}, nil), ";"); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestDirectoriesAboveTheJobAreNoColumns(t *testing.T) {
	dir := csvTree(t, map[string]string{"run=5/in/day=1/x.csv": "x\n1\n"})
	for base, want := range map[string]int{dir + "/run=5": 2, dir + "/run=5/jobs": 2, dir: 3, "": 3} {
		if tab := open(t, Spec{Paths: []string{dir + "/run=5/in"}, Base: base}); len(tab.Schema().Fields) != want {
			t.Errorf("base %s: columns %v", base, tab.Schema().Names())
		}
	}
}

func TestDirectoriesWinOverFiles(t *testing.T) {
	dir := csvTree(t, map[string]string{"k=7/x.csv": "x,k,z\n1,99,3\n"})
	tab := open(t, Spec{Paths: []string{dir}})
	if got := rowsOf(t, tab, []int{0, 1, 2}, nil); len(got) != 1 || got[0] != "1 7 3" {
		t.Errorf("%v", got)
	}
}

func TestFilesAreLeftOutByTheirDirectories(t *testing.T) {
	dir := csvTree(t, map[string]string{"y=2023/x.csv": "x\n1\n", "y=2024/x.csv": "x\n2\n", "y=__HIVE_DEFAULT_PARTITION__/x.csv": "x\n3\n"})
	tab := open(t, Spec{Paths: []string{dir}})
	for cond, want := range map[string]int{"y = 2024": 1, "y > 2024": 0, "y is null": 1, "y <= 2023 or y = 5": 1, "x > 0": 3} {
		tree, err := expr.Parse(cond)
		if err != nil {
			t.Fatal(err)
		}
		where, err := expr.Bind(tree, tab.Schema())
		if err != nil {
			t.Fatal(err)
		}
		if got := tab.Source([]int{0}, where, Reading{}).Units(); got != want {
			t.Errorf("%s: %d files are read, want %d", cond, got, want)
		}
	}
}
