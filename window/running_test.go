package window

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/groupby/binsum"
	"pqjoin/mem"
)

// runningScene is a random table ordered by its first column, and columns of every function over it.
func runningScene(t *rapid.T, r *rand.Rand) (RunningSpec, [][]any) {
	types := batchtest.Types()
	pick := types[r.IntN(len(types))]
	in := batch.NewSchema(
		batch.Field{Name: "k", Type: batch.Of(batch.Int64), Nullable: true}, batch.Field{Name: "t", Type: batch.Of(batch.Int32), Nullable: true},
		batch.Field{Name: "i", Type: batch.Of(batch.Int16), Nullable: true}, batch.Field{Name: "f", Type: batch.Of(batch.Float64), Nullable: true},
		batch.Field{Name: "d", Type: batch.DecimalOf(20, 2), Nullable: true}, batch.Field{Name: "any", Type: pick, Nullable: true})
	i64, f64, d38 := batch.Of(batch.Int64), batch.Of(batch.Float64), batch.DecimalOf(38, 2)
	n := 1 + r.IntN(9)
	if r.IntN(3) == 0 {
		n = 60 + r.IntN(200)
	}
	spec := RunningSpec{In: in, By: []int{0}, Order: []int{1}, Cols: []RunningColumn{
		{Func: "row_number", Arg: -1, Type: i64}, {Func: "rank", Arg: -1, Type: i64}, {Func: "dense_rank", Arg: -1, Type: i64}, {Func: "cumcount", Arg: -1, Type: i64},
		{Func: "cumsum", Arg: 2, Type: i64}, {Func: "cumsum", Arg: 3, Type: f64}, {Func: "cumsum", Arg: 4, Type: d38},
		{Func: "rolling_sum", Arg: 2, N: n, Type: i64}, {Func: "rolling_sum", Arg: 3, N: n, Type: f64}, {Func: "rolling_sum", Arg: 4, N: n, Type: d38},
		{Func: "rolling_mean", Arg: 3, N: n, Type: f64}, {Func: "rolling_std", Arg: 3, N: n, Type: f64}, {Func: "ewm_mean", Arg: 3, Alpha: 0.3, Type: f64},
		{Func: "ffill", Arg: 5, Type: pick}, {Func: "first", Arg: 5, Type: pick},
	}}
	if pick.Comparable() {
		for _, fn := range []string{"cummin", "cummax", "rolling_min", "rolling_max"} {
			spec.Cols = append(spec.Cols, RunningColumn{Func: fn, Arg: 5, N: n, Type: pick})
		}
	}
	if r.IntN(4) == 0 {
		spec.By, spec.Order = nil, nil
	}
	fields := append([]batch.Field(nil), in.Fields...)
	for i, c := range spec.Cols {
		fields = append(fields, batch.Field{Name: fmt.Sprint("w", i), Type: c.Type, Nullable: true})
	}
	spec.Out = batch.NewSchema(fields...)
	rows := batchtest.Table(r, in, r.IntN(120)*(1+r.IntN(2)*5))
	for _, row := range rows {
		row[0], row[1], row[4] = int64(r.IntN(4)*r.IntN(2)), int64(r.IntN(5)), batch.Int128Of(int64(r.IntN(1000)))
		if f, ok := row[3].(float64); !ok || f != f {
			row[3] = float64(r.IntN(100)) / 7
		}
		if r.IntN(40) == 0 {
			row[r.IntN(5)] = nil
		}
	}
	sortRows(in, []batch.SortKey{{Column: 0}, {Column: 1}}, rows)
	return spec, rows
}

// runPieces pushes the rows in pieces and returns the results.
func runPieces(t *rapid.T, acct *mem.Account, spec RunningSpec, rows [][]any, pieces func(left int) int, r *rand.Rand) [][]any {
	op := NewRunning(spec)
	var st *RunningState
	defer func() { st.Release() }()
	var got [][]any
	for len(rows) > 0 {
		n := pieces(len(rows))
		b, err := batchtest.Batch(acct, spec.In, rows[:n], func(int) batchtest.Layout { return batchtest.Layout(r.IntN(int(batchtest.Layouts))) })
		if err != nil {
			t.Fatal(err)
		}
		var out *batch.Batch
		if out, st, err = op.Push(acct, st, b); err != nil {
			t.Fatal(err)
		}
		got = append(got, batchtest.Rows(out)...)
		out.Release()
		rows = rows[n:]
	}
	return got
}

// Wherever the table is cut into batches, the results are the same to the last bit.
func TestRunningDoesNotDependOnWhereBatchesAreCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		spec, rows := runningScene(t, r)
		pool := mem.NewPool(64<<20, mem.Protect())
		acct := pool.Account("test", 0)
		whole := runPieces(t, acct, spec, rows, func(left int) int { return left }, r)
		cut := runPieces(t, acct, spec, rows, func(left int) int { return 1 + r.IntN(min(left, 1+r.IntN(20))) }, r)
		sameRows(t, whole, cut)
		if err := errors.Join(acct.Close(), pool.Close()); err != nil {
			t.Fatal(err)
		}
	})
}

// The state behind any stretch is known from its last rows alone where a group begins behind the first of them.
func TestRunningBeginsAnywhereFromTheLastGroupBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 3))
		spec, rows := runningScene(t, r)
		if len(rows) == 0 {
			return
		}
		pool := mem.NewPool(64<<20, mem.Protect())
		acct := pool.Account("test", 0)
		whole := runPieces(t, acct, spec, rows, func(left int) int { return left }, r)
		cut := 1 + r.IntN(len(rows))
		from := r.IntN(cut)
		tail, err := batchtest.Batch(acct, spec.In, rows[from:cut], func(int) batchtest.Layout { return batchtest.Layout(r.IntN(int(batchtest.Layouts))) })
		if err != nil {
			t.Fatal(err)
		}
		begins := len(spec.By) > 0 && !batchtest.Same(rows[from][0], rows[cut-1][0]) // ascending, so a group begins between
		op := NewRunning(spec)
		st, ok, err := op.After(acct, tail)
		tail.Release()
		if err != nil || ok != begins {
			t.Fatalf("rows %d to %d: %v, %v; a group begins there: %v", from, cut, ok, err, begins)
		}
		if ok && cut < len(rows) {
			b, err := batchtest.Batch(acct, spec.In, rows[cut:], func(int) batchtest.Layout { return 0 })
			if err != nil {
				t.Fatal(err)
			}
			var out *batch.Batch
			if out, st, err = op.Push(acct, st, b); err != nil {
				t.Fatal(err)
			}
			sameRows(t, whole[cut:], batchtest.Rows(out))
			out.Release()
		}
		st.Release()
		if err := errors.Join(acct.Close(), pool.Close()); err != nil {
			t.Fatal(err)
		}
	})
}

// A window of equal numbers deviates by nothing, and one that large numbers have left knows nothing of them.
func TestRollingValuesAreOfTheWindowAlone(t *testing.T) {
	if d := deviation([]float64{0.1, 0.1, 0.1}, 0.10000000000000002); d != 0 {
		t.Errorf("deviation of equal numbers: %g", d)
	}
	pool := mem.NewPool(8<<20, mem.Protect())
	acct := pool.Account("test", 0)
	in := batch.NewSchema(batch.Field{Name: "f", Type: batch.Of(batch.Float64)})
	spec := RunningSpec{In: in, Cols: []RunningColumn{{Func: "rolling_sum", Arg: 0, N: 2, Type: batch.Of(batch.Float64)}}}
	spec.Out = batch.NewSchema(in.Fields[0], batch.Field{Name: "s", Type: batch.Of(batch.Float64), Nullable: true})
	b, err := batchtest.Batch(acct, in, [][]any{{1e300}, {math.Inf(1)}, {0.1}, {0.2}, {0.3}}, func(int) batchtest.Layout { return 0 })
	if err != nil {
		t.Fatal(err)
	}
	out, st, err := NewRunning(spec).Push(acct, nil, b)
	if err != nil {
		t.Fatal(err)
	}
	tenth, fifth := 0.1, 0.2
	want := []any{nil, math.Inf(1), math.Inf(1), tenth + fifth, 0.5}
	for i, row := range batchtest.Rows(out) {
		if !batchtest.Same(row[1], want[i]) {
			t.Errorf("row %d: %v, want %v", i, row[1], want[i])
		}
	}
	out.Release()
	st.Release()
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}

// A sum that does not fit is an error that leaves nothing behind.
func TestCumulativeSumThatDoesNotFit(t *testing.T) {
	pool := mem.NewPool(8<<20, mem.Protect())
	acct := pool.Account("test", 0)
	in := batch.NewSchema(batch.Field{Name: "i", Type: batch.Of(batch.Int64)})
	for _, fn := range []string{"cumsum", "rolling_sum"} {
		spec := RunningSpec{In: in, Out: batch.NewSchema(in.Fields[0], batch.Field{Name: "s", Type: batch.Of(batch.Int64), Nullable: true}),
			Cols: []RunningColumn{{Func: fn, Arg: 0, N: 2, Type: batch.Of(batch.Int64)}}}
		b, err := batchtest.Batch(acct, in, [][]any{{int64(math.MaxInt64)}, {int64(1)}}, func(int) batchtest.Layout { return 0 })
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := NewRunning(spec).Push(acct, nil, b); !errors.Is(err, ErrOverflow) {
			t.Errorf("%s: %v", fn, err)
		}
	}
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}

// The sums of long windows are the sums of their values, of whatever magnitudes.
func TestLongWindowsAreSummedExactly(t *testing.T) {
	pool := mem.NewPool(8<<20, mem.Protect())
	acct := pool.Account("test", 0)
	in := batch.NewSchema(batch.Field{Name: "f", Type: batch.Of(batch.Float64)})
	r := rand.New(rand.NewPCG(3, 4))
	rows, v := make([][]any, 1000), make([]float64, 1000)
	for i := range rows {
		v[i] = math.Ldexp(r.Float64()-0.5, r.IntN(80))
		rows[i] = []any{v[i]}
	}
	for _, n := range []int{1, 63, 64, 65, 128, 300, 999} {
		spec := RunningSpec{In: in, Out: batch.NewSchema(in.Fields[0], batch.Field{Name: "s", Type: batch.Of(batch.Float64), Nullable: true}),
			Cols: []RunningColumn{{Func: "rolling_sum", Arg: 0, N: n, Type: batch.Of(batch.Float64)}}}
		b, err := batchtest.Batch(acct, in, rows, func(int) batchtest.Layout { return 0 })
		if err != nil {
			t.Fatal(err)
		}
		out, st, err := NewRunning(spec).Push(acct, nil, b)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range batchtest.Rows(out) {
			var want any
			if i+1 >= n {
				var s binsum.State
				s.AddSlice(v[i+1-n : i+1])
				want = s.Sum()
			}
			if !batchtest.Same(row[1], want) {
				t.Fatalf("n %d row %d: %v, want %v", n, i, row[1], want)
			}
		}
		out.Release()
		st.Release()
	}
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}
