package tableio

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/expr"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio/parquet"

	"github.com/google/go-cmp/cmp"
)

// putColumn writes a file of one column v.
func putColumn(t *testing.T, path string, typ batch.Type, vals ...any) {
	t.Helper()
	schema := batch.NewSchema(batch.Field{Name: "v", Type: typ, Nullable: true})
	rows := make([][]any, len(vals))
	for i := range vals {
		rows[i] = vals[i : i+1]
	}
	w, err := Create(t.Context(), vfs.OS(), path, false, schema, WriterOptions{Format: Parquet})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	b, err := batchtest.Batch(nil, schema, rows, func(int) batchtest.Layout { return batchtest.Flat })
	if err == nil {
		err = w.Write(t.Context(), b)
	}
	if err == nil {
		_, err = w.Close(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// readColumn reads the column v, its boxed values.
func readColumn(t *testing.T, spec Spec) (typ batch.Type, vals []any, err error) {
	t.Helper()
	tab, err := Open(t.Context(), vfs.OS(), spec)
	if err != nil {
		return typ, nil, err
	}
	pool := mem.NewPool(32<<20, mem.Protect())
	acct := pool.Account("test", 0)
	defer func() {
		if e := errors.Join(acct.Close(), pool.Close()); e != nil {
			t.Error(e)
		}
	}()
	src := tab.Source([]int{0}, nil, Reading{BatchRows: 2})
	for u := range src.Units() {
		s, err := src.Open(t.Context(), u, acct)
		if err != nil {
			return typ, nil, err
		}
		for {
			b, err := s.Next(t.Context())
			if err != nil {
				if e := s.Close(); e != nil {
					t.Error(e)
				}
				if b == nil && strings.HasSuffix(err.Error(), "EOF") {
					break
				}
				return tab.Schema().Fields[0].Type, nil, err
			}
			for _, row := range batchtest.Rows(b) {
				vals = append(vals, row[0])
			}
			b.Release()
		}
	}
	return tab.Schema().Fields[0].Type, vals, nil
}

func typeNamed(t *testing.T, name string) batch.Type {
	t.Helper()
	typ, err := expr.ParseType(name)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

// big is n as a decimal of many digits holds it.
func big(n int64) any { return batch.Int128Of(n) }

// TestTypesReadValuesExactlyOrNotAtAll reads a column as another type.
func TestTypesReadValuesExactlyOrNotAtAll(t *testing.T) {
	for _, c := range []struct {
		from string
		vals []any
		to   string
		want any // the values, or a part of the error
	}{
		{"int64", []any{int64(-7), nil, int64(1 << 30)}, "int32", []any{int64(-7), nil, int64(1 << 30)}},
		{"int64", []any{int64(1 << 31)}, "int32", "int64 2147483648 does not fit int32"},
		{"int64", []any{int64(-1)}, "uint64", "does not fit uint64"},
		{"uint64", []any{int64(-1)}, "decimal(20, 0)", []any{batch.Int128{Lo: math.MaxUint64}}},
		{"uint64", []any{int64(-1)}, "int64", "18446744073709551615 does not fit int64"},
		{"int32", []any{int64(5), nil}, "float32", []any{5.0, nil}},
		{"int32", []any{int64(1<<24 + 1)}, "float32", "int32 16777217 does not fit float32 exactly"},
		{"int64", []any{int64(1<<53 + 1)}, "float64", "does not fit float64 exactly"},
		{"float64", []any{3.0, nil, math.Copysign(0, -1)}, "int16", []any{int64(3), nil, int64(0)}},
		{"float64", []any{3.5}, "int16", "float64 3.5 does not fit int16 exactly"},
		{"float64", []any{math.NaN()}, "int16", "nan does not fit int16"},
		{"float64", []any{math.NaN(), math.Inf(1), 0.5}, "float32", []any{math.NaN(), math.Inf(1), 0.5}},
		{"float64", []any{0.1}, "float32", "float64 0.1 does not fit float32 exactly"},
		{"float64", []any{0.1, 12.75}, "decimal(5, 2)", []any{int64(10), int64(1275)}},
		{"decimal(9, 2)", []any{int64(150), nil}, "decimal(30, 4)", []any{big(15000), nil}},
		{"decimal(9, 2)", []any{int64(150)}, "decimal(5, 1)", []any{int64(15)}},
		{"decimal(9, 2)", []any{int64(155)}, "decimal(5, 1)", "decimal(9, 2) 1.55 does not fit decimal(5, 1) exactly"},
		{"decimal(9, 2)", []any{int64(300)}, "int8", []any{int64(3)}},
		{"timestamp(us)", []any{int64(1_500_000), nil, int64(-1000)}, "timestamp(ms)", []any{int64(1500), nil, int64(-1)}},
		{"timestamp(us)", []any{int64(1)}, "timestamp(ms)", "does not fit timestamp(ms) exactly"},
		{"timestamp(ms)", []any{int64(math.MaxInt64)}, "timestamp(ns)", "does not fit timestamp(ns)"},
		{"timestamp(us)", []any{int64(77)}, "timestamp(us, utc)", []any{int64(77)}},
		{"timestamp(us)", []any{int64(86400e6)}, "date", []any{int64(1)}},
		{"timestamp(us)", []any{int64(86400e6 + 1)}, "date", "does not fit date exactly"},
		{"date", []any{int64(-1), nil}, "timestamp(ns, utc)", []any{int64(-86400e9), nil}},
		{"time(ns)", []any{int64(2000)}, "time(us)", []any{int64(2)}},
		{"binary", []any{"né", nil, ""}, "string", []any{"né", nil, ""}},
		{"binary", []any{"a\xff"}, "string", `"a\xff" is not UTF-8`},
		{"binary", []any{strings.Repeat("a", 1<<20) + "\xff"}, "string", `: "` + strings.Repeat("a", 57) + `..." is not UTF-8`},
		{"binary", []any{"abc", nil}, "fixed(3)", []any{"abc", nil}},
		{"binary", []any{"ab"}, "fixed(3)", "does not fit fixed(3)"},
		{"fixed(16)", []any{"0123456789abcdef"}, "uuid", []any{"0123456789abcdef"}},
		{"string", []any{"00000000-0000-0000-0000-0000000000FF", nil}, "uuid", []any{strings.Repeat("\x00", 15) + "\xff", nil}},
		{"string", []any{"12"}, "uuid", "it is not 32 hexadecimal digits"},
		{"string", []any{"1"}, "int64", "cannot be read as int64"},
		{"bool", []any{true}, "int64", "cannot be read as int64"},
		{"int64", []any{int64(1)}, "timestamp(us)", "cannot be read as timestamp(us)"},
	} {
		path := filepath.Join(t.TempDir(), "v.parquet")
		putColumn(t, path, typeNamed(t, c.from), c.vals...)
		to := typeNamed(t, c.to)
		typ, got, err := readColumn(t, Spec{Paths: []string{path}, Types: map[string]batch.Type{"v": to}})
		name := fmt.Sprintf("%s %v as %s", c.from, c.vals, c.to)
		if text, fails := c.want.(string); fails {
			if err == nil || !errors.Is(err, ErrSchema) || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v %v, want %s", name, got, err, text)
			}
			continue
		}
		if err != nil || typ != to {
			t.Errorf("%s: %s %v", name, typ, err)
			continue
		}
		want := c.want.([]any)
		for i := range want {
			if i >= len(got) || !batchtest.Same(want[i], got[i]) {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
	}
}

// TestFilesThatDisagreeMeetExactly: the table has the narrowest type that holds both files' values, or there is none.
func TestFilesThatDisagreeMeetExactly(t *testing.T) {
	one := func(typ batch.Type) any {
		switch typ.Kind() {
		case batch.KindFloat64:
			return 1.5
		case batch.KindInt128:
			return big(1)
		case batch.KindBytes:
			return strings.Repeat("a", max(typ.StoredWidth(), 1))
		}
		return int64(1)
	}
	for _, c := range [][3]string{
		{"int8", "uint8", "int16"}, {"int32", "uint32", "int64"}, {"uint16", "uint64", "uint64"}, {"int64", "uint64", "decimal(20, 0)"},
		{"float16", "float32", "float32"}, {"float32", "float64", "float64"}, {"int32", "float64", ""}, {"int32", "decimal(9, 2)", "decimal(12, 2)"},
		{"decimal(9, 2)", "decimal(9, 4)", "decimal(11, 4)"}, {"decimal(38, 0)", "decimal(9, 2)", ""}, {"decimal(9, 2)", "decimal(30, 2)", "decimal(30, 2)"},
		{"timestamp(ms)", "timestamp(ns)", "timestamp(ns)"}, {"timestamp(us)", "timestamp(us, utc)", ""}, {"time(ms)", "time(us)", "time(us)"},
		{"date", "timestamp(us)", ""}, {"string", "binary", "binary"}, {"fixed(3)", "fixed(4)", "binary"}, {"fixed(3)", "binary", "binary"},
		{"uuid", "fixed(16)", ""}, {"float64", "decimal(9, 2)", ""}, {"string", "int64", ""},
	} {
		dir := t.TempDir()
		a, b := typeNamed(t, c[0]), typeNamed(t, c[1])
		putColumn(t, filepath.Join(dir, "1.parquet"), a, one(a), nil)
		putColumn(t, filepath.Join(dir, "2.parquet"), b, one(b), nil)
		typ, got, err := readColumn(t, Spec{Paths: []string{dir}})
		if c[2] == "" {
			if !errors.Is(err, ErrSchema) {
				t.Errorf("%s and %s: %s %v, want an error", c[0], c[1], typ, err)
			}
			continue
		}
		if err != nil || typ.String() != c[2] || len(got) != 4 || got[1] != nil || got[3] != nil {
			t.Errorf("%s and %s: %s %v %v, want %s", c[0], c[1], typ, got, err, c[2])
		}
	}
}

// TestBoundsOfConvertedColumnsPruneNothingWrong: bounds in other units and scales are not taken for the table's.
func TestBoundsOfConvertedColumnsPruneNothingWrong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.parquet")
	putColumn(t, path, typeNamed(t, "timestamp(us)"), int64(5_000_000), int64(9_000_000))
	tab := open(t, Spec{Paths: []string{path}, Types: map[string]batch.Type{"v": typeNamed(t, "timestamp(ms)")}})
	tree, err := expr.Parse("v < timestamp '1970-01-01 00:00:08'")
	if err != nil {
		t.Fatal(err)
	}
	where, err := expr.Bind(tree, tab.Schema())
	if err != nil {
		t.Fatal(err)
	}
	if n := tab.Source([]int{0}, where, Reading{}).Units(); n != 1 {
		t.Errorf("%d units are read", n)
	}
	if st := tab.ColumnStats(0); st.HasRange {
		t.Errorf("a range in another unit: %+v", st)
	}
}

// TestINT96InTheUnitThatHoldsIt reads far days where types or the mark of Spark say microseconds.
func TestINT96InTheUnitThatHoldsIt(t *testing.T) {
	path := filepath.Join("parquet", "testdata", "int96.parquet")
	_, _, err := readColumn(t, Spec{Paths: []string{path}})
	if !errors.Is(err, parquet.ErrUnsupported) || !strings.Contains(err.Error(), "types:") {
		t.Errorf("far days as nanoseconds: %v", err)
	}
	_, got, err := readColumn(t, Spec{Paths: []string{path}, Types: map[string]batch.Type{"v": typeNamed(t, "timestamp(us)")}})
	want := []any{int64(1704141296123456), int64(-1), nil, int64(253402300799999999), int64(-62135596800000000), int64(0)}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
	path = filepath.Join("parquet", "testdata", "int96_spark.parquet")
	typ, got, err := readColumn(t, Spec{Paths: []string{path}})
	if d := cmp.Diff(want, got); d != "" || err != nil || typ != typeNamed(t, "timestamp(us)") {
		t.Error("of Spark, as it says nothing: ", typ, d, err)
	}
}
