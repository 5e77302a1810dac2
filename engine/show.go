package engine

import (
	"context"
	"fmt"

	"pqjoin/batch"
	"pqjoin/plan"
	"pqjoin/tableio"
)

// Rows is a few rows of a table.
type Rows struct {
	Columns []ColumnInfo `json:"columns"`
	Rows    [][]Cell     `json:"rows"`
	Total   int64        `json:"total_rows"` // of the table, -1 where not known without making it
}

// OpenPaths opens files as a table without a job. Columns that cannot be read are left out.
func OpenPaths(ctx context.Context, paths []string, cfg Config) (*Run, error) {
	cfg.fill()
	r := &Run{
		cfg: cfg, job: &plan.Job{}, tables: map[*plan.Input]*tableio.Table{}, exact: map[*plan.Node]int64{}, counts: map[*plan.Node]*JoinCount{},
	}
	in := &plan.Input{Name: "input", Paths: paths, Show: paths}
	t, err := r.openTable(ctx, in, tableio.Spec{Paths: paths})
	if err != nil {
		return nil, err
	}
	in.Schema = t.Schema()
	var cols []int
	for i, f := range t.Schema().Fields {
		if f.Type.ID != batch.Nested || f.Type.Shape != "" {
			cols = append(cols, i)
		}
	}
	n := &plan.Node{Op: &plan.Scan{Input: in, Columns: cols}, Schema: t.Schema().Select(cols), Ordered: true, Table: "input", Verb: "from"}
	r.plan = &plan.Plan{Nodes: []*plan.Node{n}}
	r.replan(ctx)
	return r, nil
}

// LeftOut says which columns of files that OpenPaths opened are left out, and why: `column "d" is a duration, which is not supported`.
func (r *Run) LeftOut() (why []string) {
	for in, t := range r.tables {
		for _, f := range in.Schema.Fields {
			if what, _ := t.Unread(f.Name); what != "" {
				why = append(why, fmt.Sprintf("column %q is %s, which is not supported", f.Name, what))
			}
		}
	}
	return why
}

// Table returns the node with which the named table ends, or the table of the first output
// (of the files, without a job) where name is empty.
func (r *Run) Table(name string) (*plan.Node, error) {
	if name == "" {
		if len(r.plan.Outputs) > 0 {
			return r.plan.Outputs[0].Node, nil
		}
		return r.plan.Nodes[0], nil
	}
	for _, o := range r.plan.Outputs {
		if o.Table == name {
			return o.Node, nil
		}
	}
	for _, n := range r.named {
		if n.Table == name {
			return n, nil
		}
	}
	for _, n := range r.plan.Nodes {
		if s, ok := n.Op.(*plan.Scan); ok && s.Input.Name == name {
			return n, nil
		}
	}
	return nil, fmt.Errorf("there is no table %q in %s", name, r.job.File)
}

// Head returns the first rows of a node's table, in its order. Texts of more than limit bytes are cut.
func (r *Run) Head(ctx context.Context, n *plan.Node, rows, limit int) (*Rows, error) {
	out := &Rows{Rows: [][]Cell{}, Total: -1}
	if s, ok := n.Op.(*plan.Scan); ok && s.Where == nil && r.tables[s.Input].Exact() {
		out.Total = r.tables[s.Input].Rows()
	}
	for _, f := range n.Schema.Fields {
		out.Columns = append(out.Columns, ColumnInfo{Name: f.Name, Type: f.Type.String(), Nullable: f.Nullable})
	}
	head := &plan.Node{Op: &plan.Head{N: int64(rows)}, Inputs: []*plan.Node{n}, Schema: n.Schema, Table: n.Table, Verb: "head"}
	err := r.scratch(ctx, head, func(s Share) batch.Sink {
		return newOrderedSink(s.Window, func(_ context.Context, b *batch.Batch) error {
			defer b.Release()
			for i := range b.N {
				row := make([]Cell, len(b.Cols))
				for c, col := range b.Cols {
					row[c] = cellAt(col, i, limit)
				}
				out.Rows = append(out.Rows, row)
			}
			return nil
		}, func(context.Context) error { return nil })
	})
	return out, err
}

// KeyInfo says how a key is distributed over a table's rows.
type KeyInfo struct {
	Columns  []string   `json:"columns"`
	Rows     int64      `json:"rows"`
	Distinct int64      `json:"distinct"`
	Nulls    int64      `json:"null_rows"` // rows in which a key column is null
	MostRows int64      `json:"max_rows_per_key"`
	Mean     float64    `json:"mean_rows_per_key"`
	Heaviest []HeavyKey `json:"heaviest"`
	// Partitions holds the rows of each of several hash partitions: what a shuffle by the key would give its workers.
	Partitions []int64 `json:"partitions"`
}

// inspectPartitions is how many partitions KeyInfo deals keys to.
const inspectPartitions = 16

// Keys counts the distinct keys of the columns cols of a node's table, exactly, under the memory bound.
func (r *Run) Keys(ctx context.Context, n *plan.Node, cols []int) (*KeyInfo, error) {
	counted := countKeys(n, cols)
	info := &KeyInfo{Columns: n.Schema.Select(cols).Names(), Partitions: make([]int64, inspectPartitions)}
	top := &keyCounter{keys: len(cols)}
	var hasher batch.Hasher
	err := r.scratch(ctx, counted, func(s Share) batch.Sink {
		return newOrderedSink(s.Window, func(_ context.Context, b *batch.Batch) error {
			defer b.Release()
			return info.add(b, len(cols), top, &hasher)
		}, func(context.Context) error { return nil })
	})
	if err != nil {
		return nil, err
	}
	info.Heaviest = top.c.Heaviest
	if info.Distinct > 0 {
		info.Mean = float64(info.Rows) / float64(info.Distinct)
	}
	return info, nil
}

func (k *KeyInfo) add(b *batch.Batch, keys int, top *keyCounter, h *batch.Hasher) error {
	hashes := make([]uint64, b.N)
	h.Hash(b.Cols[:keys], hashes)
	for i, rows := range b.Cols[keys].Int64s() {
		k.Distinct++
		k.Rows += rows
		k.MostRows = max(k.MostRows, rows)
		k.Partitions[hashes[i]%inspectPartitions] += rows
		for _, c := range b.Cols[:keys] {
			if c.IsNull(i) {
				k.Nulls += rows
				break
			}
		}
		top.offer(b, i, HeavyKey{Left: rows, Rows: rows})
	}
	return nil
}
