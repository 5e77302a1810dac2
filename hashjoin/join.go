package hashjoin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"pqjoin/batch"
	"pqjoin/mem"
)

const (
	defaultPartitions = 64
	minPartBytes      = 4 << 10 // the smallest buffer there is
)

// join is what the strategies share: the resolved spec and the counters.
type join struct {
	spec      Spec
	out       *batch.Schema
	stored    []int // positions in Right of the columns that are kept: keys, then what is put out
	schema    *batch.Schema
	rightOut  []int   // positions of RightOut among the stored columns
	fromRight []int   // by column of the left: the stored column that right rows without a match put out there, or -1; nil unless the kind keepsRight
	carried   []int   // positions of RightCarry among the stored columns
	leftKeys  *keyer  // over left rows
	rightKeys *keyer  // over stored right rows
	semi      *filter // of the right's keys, while sides are scattered; nil where left rows stay whatever they match
	counters
}

func newJoin(spec Spec) (*join, error) {
	if len(spec.LeftKeys) == 0 || len(spec.LeftKeys) != len(spec.RightKeys) {
		return nil, fmt.Errorf("join %s: %d left and %d right keys", spec.Name, len(spec.LeftKeys), len(spec.RightKeys))
	}
	spec.BatchRows = cmpOr(spec.BatchRows, batch.Rows)
	spec.Partitions = cmpOr(spec.Partitions, defaultPartitions)
	spec.Workers = cmpOr(spec.Workers, 1)
	spec.PartBytes = max(spec.PartBytes, minPartBytes)
	j := &join{spec: spec, out: spec.OutSchema(), counters: counters{maxRows: spec.MaxRows}}
	keep := func(c int) int {
		i := slices.Index(j.stored, c)
		if i < 0 {
			i, j.stored = len(j.stored), append(j.stored, c)
		}
		return i
	}
	var keyCols []int
	for _, c := range spec.RightKeys {
		keyCols = append(keyCols, keep(c))
	}
	for _, c := range spec.RightOut {
		j.rightOut = append(j.rightOut, keep(c))
	}
	for _, c := range spec.RightCarry {
		j.carried = append(j.carried, keep(c))
	}
	j.schema = spec.Right.Select(j.stored)
	if spec.Kind.keepsRight() {
		j.fromRight = slices.Repeat([]int{-1}, len(spec.Left.Fields))
		for i, c := range spec.LeftKeys {
			j.fromRight[c] = keyCols[i]
		}
	}
	var err error
	if j.leftKeys, err = newKeyer(spec.Left, spec.LeftKeys, j.schema.Select(keyCols).Fields, spec.NullsEqual); err != nil {
		return nil, fmt.Errorf("join %s: %w", spec.Name, err)
	}
	if j.rightKeys, err = newKeyer(j.schema, keyCols, spec.Left.Select(spec.LeftKeys).Fields, spec.NullsEqual); err != nil {
		return nil, fmt.Errorf("join %s: %w", spec.Name, err)
	}
	return j, nil
}

func cmpOr(v, or int) int {
	if v > 0 {
		return v
	}
	return or
}

// Counters returns what the join did so far.
func (j *join) Counters() Counters { return j.snapshot() }

// table builds the table of right rows, which it takes over, and checks that right keys are unique where they must be.
func (j *join) table(acct *mem.Account, rows *batch.Batch) (*RightTable, error) {
	t, err := newTable(acct, j.rightKeys, rows)
	if err != nil {
		return nil, err
	}
	j.built(t.bytes)
	if j.spec.Validate.RightUnique() && !t.unique {
		err := j.rightRepeated(t)
		t.Release()
		return nil, err
	}
	return t, nil
}

// drain calls use with every batch of s, which it closes; use takes the batch over.
func drain(ctx context.Context, s batch.Stream, use func(*batch.Batch) error) error {
	defer s.Close()
	for {
		b, err := s.Next(ctx)
		if errors.Is(err, io.EOF) {
			return s.Close()
		}
		if err != nil {
			return err
		}
		if err := use(b); err != nil {
			return err
		}
	}
}
