package engine

import (
	"context"
	"errors"
	"slices"
	"sort"
	"strings"

	"pqjoin/batch"
	"pqjoin/mem"
)

// concat is several tables, one after the other, without making any of them: a source of the units of all, and a
// transform that passes each unit through the transforms of its own table. Those see the units as their
// table counts them; chains between units work as ever, since units are opened in ascending order.
type concat struct {
	parts []unionPart
	units int
}

type unionPart struct {
	src   batch.Source
	xs    []transform
	first int // its first unit among all
}

// unionOf makes the union of the inputs of a node. It owns ins.
func unionOf(p *phys, ins []*rel) *rel {
	out := &rel{schema: p.node.Schema, counted: true}
	u := &concat{}
	var names []string
	reopen := true
	for _, in := range ins {
		u.add(in.src, in.xs)
		names = append(names, in.name+in.steps)
		out.closers = append(out.closers, in.closers...)
		out.expect += in.expect
		out.counted = out.counted && in.counted
		out.watched = out.watched || in.watched
		reopen = reopen && in.reopen != nil
	}
	out.src, out.xs, out.name = unionSource{u}, []transform{u}, strings.Join(names, " + ")
	if reopen {
		opens := make([]func() batch.Source, len(ins))
		for i, in := range ins {
			opens[i] = in.reopen
		}
		out.reopen = func() batch.Source {
			again := &concat{}
			for _, open := range opens {
				again.add(open(), nil)
			}
			return unionSource{again}
		}
	}
	return out
}

func (x *exec) union(ctx context.Context, p *phys) (*rel, error) {
	var ins []*rel
	for _, q := range p.in {
		in, err := x.table(ctx, q)
		if err != nil {
			for _, done := range ins {
				err = errors.Join(err, done.close())
			}
			return nil, err
		}
		ins = append(ins, in)
	}
	return unionOf(p, ins), nil
}

func (u *concat) add(src batch.Source, xs []transform) {
	u.parts = append(u.parts, unionPart{src: src, xs: xs, first: u.units})
	u.units += src.Units()
}

// part returns the table that a unit is of.
func (u *concat) part(unit int) *unionPart {
	return &u.parts[sort.Search(len(u.parts), func(i int) bool { return u.parts[i].first > unit })-1]
}

func (u *concat) open(run unitRun, in batch.Stream) (batch.Stream, error) {
	p := u.part(run.unit)
	run.unit -= p.first
	run.units = p.src.Units()
	for _, x := range p.xs {
		st, err := x.open(run, in)
		if err != nil {
			return nil, err
		}
		in = st
	}
	return in, nil
}

func (u *concat) finish(ctx context.Context) error {
	var err error
	for _, p := range u.parts {
		for _, x := range p.xs {
			err = errors.Join(err, x.finish(ctx))
		}
	}
	return err
}

func (u *concat) close() {
	for _, p := range u.parts {
		for _, x := range p.xs {
			x.close()
		}
	}
}

type unionSource struct{ *concat }

func (s unionSource) Schema() *batch.Schema { return s.parts[0].src.Schema() }
func (s unionSource) Units() int            { return s.units }
func (s unionSource) Open(ctx context.Context, unit int, acct *mem.Account) (batch.Stream, error) {
	p := s.part(unit)
	return p.src.Open(ctx, unit-p.first, acct)
}

// gives says whether src is the source of, or a union that reads it.
func gives(src, of batch.Source) bool {
	u, ok := src.(unionSource)
	if !ok {
		return src == of
	}
	return slices.ContainsFunc(u.parts, func(p unionPart) bool { return gives(p.src, of) })
}

// unionEstimate adds up rows; the columns are as wide as the widest.
func unionEstimate(in []Estimate) Estimate {
	out := Estimate{Exact: true, Cols: make([]ColumnEstimate, len(in[0].Cols))}
	for _, e := range in {
		out.Rows = saturate(float64(out.Rows) + float64(e.Rows))
		out.Exact = out.Exact && e.Exact
		for i, c := range e.Cols {
			o := &out.Cols[i]
			o.Width, o.Nulls = max(o.Width, c.Width), max(o.Nulls, c.Nulls)
		}
	}
	return out
}

func (w *stageWalk) union(p *phys) flow {
	var f flow
	var names []string
	for _, q := range p.in {
		in := w.table(q)
		names = append(names, in.name+in.fused)
		f.steps = append(f.steps, in.steps...)
		f.rows += in.rows
	}
	f.name = strings.Join(names, " + ")
	return f.step("", p.how())
}
