package engine

import (
	"context"
	"errors"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

// spool keeps a table as it is, in order, for several readers: units are dealt out to
// partitions of a store in ascending runs, and read back partition by partition, as
// often as somebody opens its Source.
type spool struct {
	st     *spillfile.Store
	schema *batch.Schema
	units  int // of the table that is put in
	parts  int
	rows   int // of a batch read back
}

// spoolParts is how many partitions a spooled table is read back in at most: the units of its readers.
const spoolParts = 64

// newSpool makes the spool of a table of so many units; stage is what it is to be for later runs, or nil.
func (x *exec) newSpool(name string, schema *batch.Schema, est Estimate, units int, stage *spillfile.Stage) (*spool, error) {
	parts := min(max(units, 1), spoolParts)
	st, err := spillfile.New(spillfile.Spec{
		Name: name, Schema: schema, Partitions: parts, Workers: x.share.Workers,
		BlockBytes: x.blockBytes(schema, 4), Acct: x.stores, Dir: x.dir, Keep: stage,
	})
	if err != nil {
		return nil, err
	}
	return &spool{st: st, schema: schema, units: units, parts: parts, rows: x.share.rows(est)}, nil
}

// spooled makes a node's table and keeps it for its readers, or takes it over from an earlier run.
func (x *exec) spooled(ctx context.Context, p *phys) (sp *spool, err error) {
	stage := x.keeper.stage(ctx, p, "table")
	as, ok, err := x.keeper.takeOver(ctx, stage, "table "+p.node.Table, func() (note stageNote, err error) {
		sp, note, err = x.restoredSpool(ctx, p, stage)
		return note, err
	})
	if ok || err != nil {
		return sp, err
	}
	in, err := x.make(ctx, p)
	if err != nil {
		return nil, err
	}
	sp, err = x.newSpool("table "+p.node.Table, in.schema, p.est, in.src.Units(), as)
	if err == nil {
		err = x.pipeKeep(ctx, in, sp, "keep "+p.node.Table)
	}
	if err = errors.Join(err, in.close()); err != nil {
		return nil, err
	}
	return sp, nil
}

// restoredSpool is the spool of p's table that an earlier run kept, and what that noted of it.
func (x *exec) restoredSpool(ctx context.Context, p *phys, stage *spillfile.Stage) (sp *spool, note stageNote, err error) {
	schema, v := p.node.Schema, x.verification("table "+p.node.Table)
	defer func() { v.end(err == nil) }()
	st, raw, err := spillfile.Restore(ctx, spillfile.Spec{
		Name: "table " + p.node.Table, Schema: schema, Workers: x.share.Workers, Acct: x.stores, Dir: x.dir, Keep: stage, Verified: v.told,
	})
	if err != nil {
		return nil, note, err
	}
	if note, err = readNote(raw); err != nil {
		return nil, note, errors.Join(err, st.Close())
	}
	return &spool{st: st, schema: schema, parts: st.Partitions(), rows: x.share.rows(p.est)}, note, nil
}

func (s *spool) part(unit int) int { return unit * s.parts / max(s.units, 1) }

func (s *spool) Put(ctx context.Context, worker, unit int, b *batch.Batch) error {
	return s.st.AppendTo(ctx, worker, unit, s.part(unit), b)
}

func (s *spool) EndUnit(context.Context, int, int) error { return nil }
func (s *spool) Finish(ctx context.Context) error        { return s.st.Seal(ctx) }
func (s *spool) Close() error                            { return s.st.Close() }

// totalRows returns the rows of the table, after Finish.
func (s *spool) totalRows() int64 {
	n := int64(0)
	for p := range s.parts {
		n += s.st.Part(p).Rows
	}
	return n
}

// source returns the table; every call may be read in full.
func (s *spool) source() batch.Source { return spoolSource{s} }

type spoolSource struct{ *spool }

func (s spoolSource) Schema() *batch.Schema { return s.schema }
func (s spoolSource) Units() int            { return s.parts }
func (s spoolSource) Open(ctx context.Context, unit int, acct *mem.Account) (batch.Stream, error) {
	return s.st.Stream(ctx, unit, acct, nil, s.rows)
}
