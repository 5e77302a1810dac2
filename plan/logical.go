package plan

import (
	"pqjoin/batch"
	"pqjoin/expr"
)

// Plan is a resolved job: a DAG of nodes with schemas and orders, and the outputs that read them.
type Plan struct {
	Job     *Job
	Outputs []*Output
	// Nodes holds every node once, inputs before the nodes that read them.
	Nodes []*Node
}

// Node is one logical operator and the table that it makes.
type Node struct {
	ID     int
	Op     Op
	Inputs []*Node
	Schema *batch.Schema
	// Index is the sort order that the table is indexed by; nil where it is not indexed.
	Index []SortKey
	// Ordered says that the row order is defined (an index, or input order kept), whether indexed or not.
	Ordered bool
	// Table and Verb name where in the job the node comes from; Pos is that place.
	Table, Verb string
	Pos         Pos
	// Warnings are sentences for the reader of the plan, for example that an order changed.
	Warnings []string
}

// Op is the operator of a Node: one of the structs below. Column positions refer to the schema of its (left) input.
type Op interface{ logical() }

// SortKey is one column of an order.
type SortKey = batch.SortKey

// Scan reads an input. Its columns are Input.Schema's at Columns.
type Scan struct {
	Input   *Input
	Columns []int
	// Where filters rows and prunes row groups by statistics; nil reads all. Bound to the node's Schema.
	Where *expr.Bound
}

// Project computes its columns from expressions over the input's schema: select, drop,
// rename and compute all become it.
type Project struct{ Exprs []*expr.Bound }

// Filter keeps the rows for which Cond is true.
type Filter struct{ Cond *expr.Bound }

// Index sorts stably.
type Index struct {
	Keys   []SortKey
	Unique bool // two rows with one key are a failed check
	Lazy   bool // nobody has asked for the order yet: see requireOrder
	Loose  bool // rows with equal keys may come in any order: partition_by of a table that has none
}

// Lag appends shifted columns to its input's. The input is indexed with By leading, or By is empty.
type Lag struct {
	By   []int
	Cols []LagColumn
}

// LagColumn is the value of column Column Period rows earlier in the group (later where negative), null where there is none.
type LagColumn struct {
	Name   string
	Column int
	Period int
}

// Window appends columns that are computed of the rows so far of a group. The input is indexed with By, then Order,
// leading, or By is empty.
type Window struct {
	By    []int
	Order []int // rows of a group that agree in these have one rank
	Cols  []WindowColumn
}

// WindowColumn is one column of a Window: row_number, rank, dense_rank, cumcount, cumsum, cummin, cummax, ffill, first,
// rolling_sum, rolling_mean, rolling_min, rolling_max, rolling_std or ewm_mean.
type WindowColumn struct {
	Name  string
	Func  string
	Arg   int     // -1 for none
	N     int     // rows of the rolling ones
	Alpha float64 // of ewm_mean
	Type  batch.Type
}

// JoinKind is how a join treats rows without a match.
type JoinKind uint8

// The join kinds. A cross join is an inner join on a constant.
const (
	LeftJoin JoinKind = iota + 1
	InnerJoin
	RightJoin
	OuterJoin
	SemiJoin // left rows with a match, once
	AntiJoin // left rows without a match
	AsofJoin // each left row with the right row that is nearest in the last key, if any
)

var joinNames = [...]string{
	LeftJoin: "left", InnerJoin: "inner", RightJoin: "right", OuterJoin: "outer", SemiJoin: "semi", AntiJoin: "anti", AsofJoin: "asof",
}

// String returns the kind as job files write it.
func (k JoinKind) String() string { return joinNames[k] }

// KeepsLeft says whether left rows without a match are put out with null right columns.
func (k JoinKind) KeepsLeft() bool { return k == LeftJoin || k == OuterJoin || k == AsofJoin }

// KeepsRight says whether right rows without a match are put out: the left's keys are then the right's, its other columns null.
func (k JoinKind) KeepsRight() bool { return k == RightJoin || k == OuterJoin }

// Filters says whether the result is rows of the left alone.
func (k JoinKind) Filters() bool { return k == SemiJoin || k == AntiJoin }

// Join joins Inputs[0] (left) and Inputs[1] (right). The schema is the left's, then the right's columns at RightOut.
type Join struct {
	Kind       JoinKind
	LeftKeys   []int // positions in the left schema
	RightKeys  []int // positions in the right schema, of the same types as LeftKeys
	RightOut   []int // positions in the right schema of the columns that are put out
	Validate   string
	NullsEqual bool
	MaxRows    int64  // 0: no bound
	Strategy   string // auto, merge, hash, broadcast
	Asof       Asof   // of an AsofJoin
	// KeepOrder says that somebody downstream needs the left's order.
	KeepOrder bool
	// Order is the left's keys as its index has them, where they lead it and the kind KeepsRight: right rows without a
	// match are sorted in among the left's by it. Without it they come last, in right order. It may go on with other columns
	// of the left, which is then not sorted by it before.
	Order []SortKey
	// Whole is the join that the job has, of the rows, where this one joins groups of them instead (see Preaggregate); else nil.
	Whole *Node
}

// GroupBy makes one row of each key. The schema is the keys', then one column an aggregate.
type GroupBy struct {
	Keys      []int
	Aggs      []Agg
	Sort      bool // the result is indexed by the keys
	DropNulls bool // rows with a null key are left out
}

// Agg is one aggregate of a group's rows.
type Agg struct {
	Name   string
	Func   string
	Arg    int     // position in the input schema; -1 for count()
	Arg2   int     // the second argument of those that have one (see Two); else 0
	Param  float64 // of quantiles: which one, of 0 to 1; of top and leading: how many values, at most
	Sep    string  // of string_agg: what stands between the texts
	Filter int     // position of a bool column: only rows where it is true count; -1 for none
	Type   batch.Type
	// What Preaggregate makes of aggregates, and no job can say:
	Partial  bool       // the result is a partial state, for a Merge above
	Merge    bool       // Arg holds partial states
	Of       batch.Type // of the values; with Merge: that the states were made of; else set of top alone
	Weighted bool       // a row counts as often as the column at Weight says, null for once; of arg_max: Weight decides ties
	Weight   int
	Held     bool // of a quantile: the operator keeps a group's values, and needs no order
}

// Union is its inputs one after the other. They all have its schema, but for what is nullable.
type Union struct{}

// Persist is its input, made once and kept where several nodes read it.
type Persist struct{}

// Head keeps the first N rows.
type Head struct{ N int64 }

// Check validates rows as they pass.
type Check struct {
	MinRows, MaxRows int64 // MaxRows < 0: no bound
	NotNull          []int
	Unique           []int
	Expect           []*expr.Bound
	Warn             bool // on_fail: warn
}

func (*Scan) logical()    {}
func (*Project) logical() {}
func (*Filter) logical()  {}
func (*Index) logical()   {}
func (*Lag) logical()     {}
func (*Window) logical()  {}
func (*Join) logical()    {}
func (*GroupBy) logical() {}
func (*Union) logical()   {}
func (*Persist) logical() {}
func (*Head) logical()    {}
func (*Check) logical()   {}
