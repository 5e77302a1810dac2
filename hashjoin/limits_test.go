package hashjoin

import (
	"context"
	"errors"
	"testing"

	"pqjoin/batch"
)

// runHash joins n right with m left rows by hash and returns the error.
func runHash(t *testing.T, spec Spec, m, n int, left, right func(i int) int64) (counts, error) {
	var got counts
	r, err := NewRight(spec)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := pour(r, ids(idSchema("r"), 0, n, right)); err != nil {
		return got, err
	}
	h, err := NewHash(r)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := pour(h, ids(idSchema("l"), 0, m, left)); err != nil {
		return got, err
	}
	for u := range h.Units() {
		s, err := h.Open(context.Background(), u, spec.Acct)
		if err != nil {
			return got, err
		}
		if err := tally(&got, s, false); err != nil {
			return got, err
		}
	}
	return got, nil
}

// runRange joins m sorted left rows with n right ones by ranges, in two units.
func runRange(t *testing.T, spec Spec, m, n int, left, right func(i int) int64) (counts, error) {
	var got counts
	all, err := batch.Concat(nil, idSchema("l"), ids(idSchema("l"), 0, m, left).bs)
	if err != nil {
		t.Fatal(err)
	}
	parts := rangeParts(all, []batch.SortKey{{}}, spec.Partitions)
	j, err := NewRange(RangeSpec{Spec: spec, RightParts: parts, LeftParts: parts})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if err := pour(j, ids(idSchema("r"), 0, n, right)); err != nil {
		return got, err
	}
	for u := range 2 {
		if err := tally(&got, j.Probe(u, ids(idSchema("l"), u*m/2, (u+1)*m/2, left), spec.Acct), true); err != nil {
			return got, err
		}
	}
	return got, j.Done(2)
}

func runResident(t *testing.T, spec Spec, m, n int, left, right func(i int) int64) (counts, error) {
	var got counts
	spec.ResidentBytes = 1 << 30
	r, err := NewRight(spec)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := pour(r, ids(idSchema("r"), 0, n, right)); err != nil {
		return got, err
	}
	x, err := r.Resident(context.Background())
	if err != nil {
		return got, err
	}
	defer x.Close()
	return got, tally(&got, x.Probe(ids(idSchema("l"), 0, m, left), spec.Acct), true)
}

type runner func(t *testing.T, spec Spec, m, n int, left, right func(i int) int64) (counts, error)

func id(i int) int64 { return int64(i) }

// twice repeats key 500 and no other.
func twice(i int) int64 {
	if i > 500 {
		return int64(i - 1)
	}
	return int64(i)
}

// constant is one key for all rows.
func constant(int) int64 { return 5 }

func TestValidateNamesTheRepeatedKey(t *testing.T) {
	for _, c := range []struct {
		name        string
		run         runner
		validate    Validate
		left, right func(int) int64
		side, key   string
	}{
		{"hash m:1", runHash, ManyToOne, constant, twice, "right", "500"},
		{"hash 1:m", runHash, OneToMany, twice, constant, "left", "500"},
		{"hash 1:1 left", runHash, OneToOne, twice, id, "left", "500"},
		{"hash 1:1 right", runHash, OneToOne, id, twice, "right", "500"},
		{"hash m:1 one key", runHash, ManyToOne, id, constant, "right", "5"},
		{"hash 1:m one key", runHash, OneToMany, constant, id, "left", "5"},
		{"range m:1", runRange, ManyToOne, constant, twice, "right", "500"},
		{"range m:1 one key", runRange, ManyToOne, id, constant, "right", "5"},
		{"range 1:m", runRange, OneToMany, twice, constant, "left", "500"},
		{"resident m:1", runResident, ManyToOne, constant, twice, "right", "500"},
		{"hash fine", runHash, OneToOne, id, id, "", ""},
		{"hash m:1 fine", runHash, ManyToOne, constant, id, "", ""},
		{"hash 1:m fine", runHash, OneToMany, id, constant, "", ""},
		{"range fine", runRange, OneToOne, id, id, "", ""},
		{"resident fine", runResident, ManyToOne, constant, id, "", ""},
	} {
		for _, part := range []int64{4 << 10, 1 << 20} {
			t.Run(c.name, func(t *testing.T) {
				r := newRig(t, 32<<20)
				spec := idSpec(r, Left)
				spec.Validate, spec.PartBytes = c.validate, part
				_, err := c.run(t, spec, 2000, 2000, c.left, c.right)
				var v *ValidateError
				switch {
				case c.side == "" && err != nil:
					t.Fatal(err)
				case c.side != "" && (!errors.As(err, &v) || !errors.Is(err, ErrValidate)):
					t.Fatalf("error %v", err)
				case c.side != "" && (v.Side != c.side || v.Keys[0] != c.key):
					t.Fatalf("%s key %v: %v", v.Side, v.Keys, v)
				}
			})
		}
	}
}

func TestLeftKeyInTwoUnitsIsRepeated(t *testing.T) {
	r := newRig(t, 32<<20)
	spec := idSpec(r, Left)
	spec.Validate = OneToMany
	across := func(i int) int64 { // the last of the first unit is the first of the second
		if i >= 500 {
			return int64(i - 1)
		}
		return int64(i)
	}
	_, err := runRange(t, spec, 1000, 100, across, id)
	if !errors.Is(err, ErrValidate) {
		t.Fatalf("error %v", err)
	}
}

func TestNullKeysThatMatchNothingAreNotRepeated(t *testing.T) {
	null := func(schema *batch.Schema, n int) *pieceStream {
		s := ids(schema, 0, n, id)
		for _, b := range s.bs {
			b.Cols[0], _ = batch.AllNull(nil, batch.Of(batch.Int64), b.N)
		}
		return s
	}
	for _, equal := range []bool{false, true} {
		r := newRig(t, 32<<20)
		spec := idSpec(r, Left)
		spec.Validate, spec.NullsEqual = OneToOne, equal
		right, err := NewRight(spec)
		if err != nil {
			t.Fatal(err)
		}
		defer right.Close()
		rs, ls := idSchema("r"), idSchema("l")
		rs.Fields[0].Nullable, ls.Fields[0].Nullable = true, true
		if err := pour(right, null(rs, 10)); err != nil {
			t.Fatal(err)
		}
		h, err := NewHash(right)
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		if err := pour(h, null(ls, 10)); err != nil {
			t.Fatal(err)
		}
		var got counts
		for u := 0; u < h.Units() && err == nil; u++ {
			var s batch.Stream
			if s, err = h.Open(context.Background(), u, r.acct); err == nil {
				err = tally(&got, s, false)
			}
		}
		if equal != errors.Is(err, ErrValidate) {
			t.Fatalf("nulls equal %v: %v", equal, err)
		}
		if !equal && (err != nil || got.rows != 10 || got.missing != 10) {
			t.Fatalf("%+v, %v", got, err)
		}
	}
}

func TestMaxRowsIsExact(t *testing.T) {
	for name, run := range map[string]runner{"hash": runHash, "range": runRange, "resident": runResident} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 32<<20)
			spec := idSpec(r, Inner)
			spec.MaxRows = 30_000
			if got, err := run(t, spec, 100, 300, constant, constant); err != nil || got.rows != 30_000 {
				t.Fatalf("%d rows, %v", got.rows, err)
			}
			spec.MaxRows--
			if got, err := run(t, spec, 100, 300, constant, constant); !errors.Is(err, ErrMaxRows) || got.rows > spec.MaxRows {
				t.Fatalf("%d rows, %v", got.rows, err)
			}
		})
	}
}
