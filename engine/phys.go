package engine

import (
	"fmt"

	"github.com/dustin/go-humanize"

	"pqjoin/batch"
	"pqjoin/plan"
)

// Strategy is how a node is computed.
type Strategy string

// The strategies.
const (
	scanFiles     Strategy = "scan"
	rowByRow      Strategy = "row by row"
	externalSort  Strategy = "external sort"
	inOrder       Strategy = "in order"
	joinBroadcast Strategy = "broadcast join"
	joinRange     Strategy = "merge join"
	joinHash      Strategy = "partitioned hash join"
	joinAsof      Strategy = "as-of merge"
	hashGroup     Strategy = "partitioned aggregation"
	streamGroup   Strategy = "streaming aggregation"
)

// phys is a node of the physical plan: a logical node, how it is computed, and why.
type phys struct {
	node     *plan.Node
	in       []*phys
	est      Estimate
	strategy Strategy
	why      string
	// rowNumber says that the left's order matters: a partitioned hash join carries a hidden row number and sorts by it afterwards.
	rowNumber bool
	swap      *phys // the join as it is computed, where its sides change places
	readers   int   // nodes and outputs that read the table
	right     bool  // it is the right side of a join
}

// shared says that the table is made once and kept in a store for several readers. What
// is only read from files and computed row by row is rather read again.
func (p *phys) shared() bool { return p.readers > 1 && !p.cheap() }

func (p *phys) cheap() bool {
	for ; ; p = p.in[0] {
		switch p.node.Op.(type) {
		case *plan.Scan:
			return true
		case *plan.Project, *plan.Filter:
		default:
			return false
		}
	}
}

// physical chooses a strategy for every node. residentShare is the most bytes that the
// shared table of a broadcast join may take.
func (r *Run) physical(residentShare int64) map[*plan.Node]*phys {
	all := map[*plan.Node]*phys{}
	for _, n := range r.plan.Nodes {
		p := &phys{node: n}
		var ins []Estimate
		_, join := n.Op.(*plan.Join)
		for i, in := range n.Inputs {
			q := all[in]
			q.readers++
			q.right = q.right || join && i == 1
			p.in = append(p.in, q)
			ins = append(ins, q.est)
		}
		if s, ok := n.Op.(*plan.Scan); ok {
			p.est = scanEstimate(r.tables[s.Input], s, n.Schema)
		} else {
			p.est = estimate(n, ins, uniqueOn)
		}
		p.est = r.counted(n, p.est)
		p.choose(residentShare)
		if p.swap = r.swapped(p, residentShare); p.swap != nil {
			p.strategy, p.why = p.swap.strategy, p.swap.why
		}
		all[n] = p
	}
	for _, o := range r.plan.Outputs {
		all[o.Node].readers++
	}
	return all
}

// counted returns the estimate of n's table with the rows that counting or sketching its keys found.
func (r *Run) counted(n *plan.Node, e Estimate) Estimate {
	if rows, ok := r.exact[n]; ok {
		e.Rows, e.Exact = rows, true
	} else if rows, ok := r.screened[n]; ok {
		e.Rows, e.Exact = rows, false
	}
	return e
}

func (p *phys) choose(residentShare int64) {
	switch op := p.node.Op.(type) {
	case *plan.Scan:
		p.strategy = scanFiles
	case *plan.Index:
		p.strategy, p.why = externalSort, "range partitions of a key sample, each sorted in memory"
	case *plan.Lag, *plan.Window, *plan.Head, *plan.Union:
		p.strategy = inOrder
	case *plan.GroupBy:
		if op.InOrder() || !p.holds() && streams(p.node.Inputs[0].Index, op) {
			p.strategy, p.why = streamGroup, "the input is indexed by the keys"
		} else if p.holds() {
			p.strategy, p.why = hashGroup, "partitions by key hash, the values of one in memory"
		} else {
			p.strategy, p.why = hashGroup, "a table per worker, shared ones or partitions when it fills"
		}
	case *plan.Join:
		p.chooseJoin(op, residentShare)
	default:
		p.strategy = rowByRow
	}
}

// holds says whether all rows of a group-by go to its partitions.
func (p *phys) holds() bool {
	op, ok := p.node.Op.(*plan.GroupBy)
	return ok && op.Holds()
}

// joinRowOverhead is what the table of a join takes a row besides the columns, in bytes.
const joinRowOverhead = 24

// tableSize is what the table of a join takes of such rows.
func tableSize(e Estimate) int64 { return saturate(float64(e.Rows) * (e.RowWidth() + joinRowOverhead)) }

func (p *phys) chooseJoin(op *plan.Join, residentShare int64) {
	size := tableSize(p.in[1].est)
	monotonic := indexCovers(p.node.Inputs[0].Index, op.LeftKeys)
	p.rowNumber = op.KeepOrder
	switch {
	case op.Kind == plan.AsofJoin:
		p.rowNumber = op.KeepOrder && !op.Asof.Indexes && !op.Sorted(p.node.Inputs[0])
		p.strategy, p.why = joinAsof, "both sides are cut by the same key ranges, sorted and merged"
		if p.rowNumber {
			p.why += "; a hidden row number restores the left's order"
		}
	case op.Kind.KeepsRight():
		p.strategy = joinHash
		p.why = "both sides are cut by key hash; a partition's right rows without a match follow its left rows"
		if p.rowNumber {
			p.why += "; hidden row numbers restore the order"
		}
	case op.Strategy == "broadcast", op.Strategy == "auto" && size <= residentShare:
		p.strategy = joinBroadcast
		p.why = fmt.Sprintf("the right side takes about %s, a table of up to %s may stay in memory", humanize.IBytes(uint64(size)), humanize.IBytes(uint64(residentShare)))
	case monotonic && op.Strategy != "hash":
		p.strategy = joinRange
		p.why = "the left is indexed by the join key; the right is cut by the same key ranges"
	default:
		p.strategy = joinHash
		p.why = "both sides are cut by key hash"
		if p.rowNumber {
			p.why += "; a hidden row number restores the left's order"
		}
	}
}

// indexCovers says whether the leading columns of the index are the columns cols, in any order.
func indexCovers(index []batch.SortKey, cols []int) bool {
	if len(index) < len(cols) || len(cols) == 0 {
		return false
	}
	for _, k := range index[:len(cols)] {
		found := false
		for _, c := range cols {
			found = found || c == k.Column
		}
		if !found {
			return false
		}
	}
	return true
}

// streams says whether a group-by can aggregate its input as it passes: equal keys are
// neighbours, and where the result must be sorted by the keys, they come in that order.
func streams(index []batch.SortKey, op *plan.GroupBy) bool {
	if !indexCovers(index, op.Keys) {
		return false
	}
	for i, k := range op.Keys {
		if op.Sort && index[i] != (batch.SortKey{Column: k}) {
			return false
		}
	}
	return true
}
