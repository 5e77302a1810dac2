package engine

import (
	"fmt"

	"pqjoin/batch"
	"pqjoin/plan"
)

// StageInfo describes one pipeline of the physical plan, in the order in which they run.
type StageInfo struct {
	Name     string   `json:"name"`
	Steps    []string `json:"steps"` // how each operator is computed, and why
	RowsIn   int64    `json:"rows_in"`
	RowsOut  int64    `json:"rows_out"`
	Exact    bool     `json:"exact"` // RowsOut is a fact
	guessed  bool     // RowsIn is not
	BytesOut int64    `json:"bytes_out"`
	Floor    int64    `json:"floor_bytes"` // pool bytes without which it cannot run
	Share    int64    `json:"share_bytes"` // pool bytes it may use
	Spill    int64    `json:"spill_bytes"` // expected, of what it stores
}

// flow is a pipeline that is being put together: what is fused so far.
type flow struct {
	name, fused string
	steps       []string
	rows        int64
	guessed     bool // rows are what files of text are estimated to have
}

// Stages lists the pipelines that Execute will run.
func (r *Run) Stages() []StageInfo {
	w := &stageWalk{run: r, kept: map[*phys]bool{}}
	for _, o := range r.plan.Outputs {
		p := r.nodes[o.Node]
		f := w.table(p)
		if o.FilesCount > 0 {
			f = w.end(f, "count rows", p, p.stored())
			if len(o.PartitionBy) > 0 {
				w.end(f, "count rows of partitions", p, 0)
			}
		}
		w.end(f, "write "+o.Label, p, 0)
	}
	return w.out
}

type stageWalk struct {
	run  *Run
	kept map[*phys]bool
	out  []StageInfo
}

// end closes a pipeline into a sink that stores so many bytes, and begins the next one from it.
func (w *stageWalk) end(f flow, step string, p *phys, stored int64) flow {
	r := w.run
	spill := int64(0)
	if total := r.Spill(); total > 0 && stored > 0 {
		spill = min(stored, total)
	}
	w.out = append(w.out, StageInfo{
		Name: f.name + f.fused + " -> " + step, Steps: f.steps, RowsIn: f.rows, guessed: f.guessed, RowsOut: p.est.Rows, Exact: p.est.Exact,
		BytesOut: p.est.Bytes(), Floor: r.need.floor() - r.need.known, Share: r.share.Pool, Spill: spill,
	})
	return flow{name: f.name, rows: p.est.Rows}
}

func (w *stageWalk) table(p *phys) flow {
	if !w.run.spools(p) {
		return w.make(p)
	}
	if !w.kept[p] {
		w.kept[p] = true
		w.end(w.make(p), "keep "+p.node.Table, p, p.stored())
	}
	return flow{name: p.node.Table, rows: p.est.Rows}
}

func (f flow) step(fused, how string) flow {
	if fused != "" {
		f.fused += ", " + fused
	}
	f.steps = append(f.steps, how)
	return f
}

func (p *phys) how() string {
	s := p.node.Verb + ": " + string(p.strategy)
	if p.why != "" {
		s += " (" + p.why + ")"
	}
	return s
}

func (w *stageWalk) make(p *phys) flow {
	switch op := p.node.Op.(type) {
	case *plan.Scan:
		f := flow{name: op.Input.Name, rows: w.run.tables[op.Input].Rows(), guessed: !w.run.tables[op.Input].Exact()}.step("", "read "+op.Input.Name+": "+string(scanFiles))
		if op.Where != nil {
			f = f.step("where", "where "+op.Where.String())
		}
		return f
	case *plan.Project:
		return w.table(p.in[0])
	case *plan.Filter:
		return w.table(p.in[0]).step("where", "where "+op.Cond.String())
	case *plan.Lag:
		return w.table(p.in[0]).step("lag", p.how())
	case *plan.Window:
		return w.table(p.in[0]).step("window", p.how())
	case *plan.Head:
		return w.table(p.in[0]).step(fmt.Sprintf("head %d", op.N), p.how())
	case *plan.Check:
		return w.check(p, op)
	case *plan.Union:
		return w.union(p)
	case *plan.Persist:
		return w.table(p.in[0])
	case *plan.Index:
		return w.index(p, op)
	case *plan.GroupBy:
		return w.groupBy(p, op)
	case *plan.Join:
		return w.join(p, op)
	}
	return flow{name: p.node.Table}
}

func (w *stageWalk) check(p *phys, op *plan.Check) flow {
	f := w.table(p.in[0]).step("check", p.how())
	if len(op.Unique) > 0 {
		f = f.step("unique", "unique "+names(p.node.Schema, op.Unique)+": counted in a partitioning of its own")
	}
	return f
}

func (w *stageWalk) index(p *phys, op *plan.Index) flow {
	f := w.table(p.in[0])
	by := names(p.node.Schema, batch.KeyPositions(op.Keys))
	f.steps = append(f.steps, p.how())
	f = w.end(f, "index "+by, p, p.in[0].stored())
	f.name += " by " + by
	if op.Unique {
		f = f.step("unique", "unique "+by+": neighbours compared")
	}
	return f
}

func (w *stageWalk) groupBy(p *phys, op *plan.GroupBy) flow {
	f := w.table(p.in[0])
	by := groupStep(p.node.Inputs[0].Schema, op.Keys)
	if p.strategy == streamGroup {
		return f.step(by, p.how())
	}
	f.steps = append(f.steps, p.how())
	stored := w.run.storeBytes(p)
	f = w.end(f, by, p, stored)
	f.name = groupedName(f.name, p.node.Inputs[0].Schema, op.Keys)
	return f
}

func (w *stageWalk) join(p *phys, op *plan.Join) flow {
	if q := p.swap; q != nil {
		return w.join(q, q.node.Op.(*plan.Join))
	}
	right := w.table(p.in[1])
	lefts := p.node.Inputs[0].Schema
	step := joinStep(op, lefts, op.LeftKeys)
	stored := int64(0)
	if p.strategy != joinBroadcast {
		stored = p.in[1].stored()
	}
	w.end(right, "right side of "+joinStep(op, p.node.Inputs[1].Schema, op.RightKeys), p.in[1], stored)
	f := w.table(p.in[0])
	if p.strategy != joinHash && p.strategy != joinAsof {
		return f.step(step, p.how())
	}
	f.steps = append(f.steps, p.how())
	f = w.end(f, "left side of "+step, p.in[0], p.in[0].stored())
	f.name += " joined"
	if p.rowNumber {
		f = w.end(f, "restore the left's order", p, p.stored())
		f.name += " by " + sortName(numbered(lefts), restoring(op, lefts))
	}
	return f
}
