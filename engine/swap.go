package engine

import (
	"context"
	"fmt"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/plan"
)

// swapGain is how many times larger than the left the right side must be for the two to change places.
const swapGain = 2

// swapped returns the join at p with its sides in each other's place, so that the smaller one becomes the table: an inner
// join whose order nobody asked for, of a left whose rows are known. nil where it stays as it is. The columns of its result are
// the right's, then the left's.
func (r *Run) swapped(p *phys, residentShare int64) *phys {
	op, ok := p.node.Op.(*plan.Join)
	if !ok || op.Kind != plan.InnerJoin || op.Strategy != "auto" || validates(op) || op.Whole != nil ||
		op.KeepOrder || p.node.Ordered || len(p.node.Index) > 0 || len(p.in[1].node.Index) > 0 {
		return nil
	}
	left, right := p.in[0], p.in[1]
	if _, sketched := r.screened[left.node]; !sketched && !left.est.Exact {
		return nil
	}
	if swapGain*tableSize(left.est) > tableSize(right.est) {
		return nil
	}
	schema := &batch.Schema{}
	for i, f := range append(append([]batch.Field(nil), right.node.Schema.Fields...), left.node.Schema.Fields...) {
		f.Name = fmt.Sprintf("\x00%d", i)
		schema.Fields = append(schema.Fields, f)
	}
	est := Estimate{Rows: p.est.Rows, Exact: p.est.Exact}
	est.Cols = append(append(est.Cols, right.est.Cols...), left.est.Cols...)
	q := &phys{in: []*phys{right, left}, est: est, node: &plan.Node{
		Op: &plan.Join{
			Kind: plan.InnerJoin, LeftKeys: op.RightKeys, RightKeys: op.LeftKeys, RightOut: batch.Positions(len(left.node.Schema.Fields)),
			NullsEqual: op.NullsEqual, MaxRows: op.MaxRows, Strategy: op.Strategy,
		},
		Inputs: []*plan.Node{right.node, left.node}, Schema: schema, Table: p.node.Table, Verb: p.node.Verb,
	}}
	q.choose(residentShare)
	q.why += "; the sides change places, for the left is the smaller"
	return q
}

// joinSwapped makes the join p.swap and puts its columns in the order of p.
func (x *exec) joinSwapped(ctx context.Context, op *plan.Join, p *phys) (*rel, error) {
	q := p.swap
	out, err := x.join(ctx, q.node.Op.(*plan.Join), q)
	if err != nil {
		return nil, err
	}
	rights := len(q.in[0].node.Schema.Fields)
	var exprs []*expr.Bound
	for i := range q.in[1].node.Schema.Fields {
		exprs = append(exprs, expr.ColumnRef(q.node.Schema, rights+i))
	}
	for _, c := range op.RightOut {
		exprs = append(exprs, expr.ColumnRef(q.node.Schema, c))
	}
	return out.add(newProject(exprs, p.node.Schema, origin{}), p.node.Schema, ""), nil
}
