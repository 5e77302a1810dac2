package plan

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"pqjoin/batch"
	"pqjoin/expr"
)

// Asof is what a Join of kind AsofJoin has besides: of the right rows that agree with a left row in all keys but the last it takes
// the one that is nearest in the last, in a direction.
type Asof struct {
	Direction string       // backward, forward or nearest
	Indexes   bool         // the left was indexed by the keys, which is the order in which it is joined: no other sort is needed
	Within    bool         // there is a tolerance: the distance is at most
	Ticks     batch.Int128 // in units of the key's values, of keys that are no floats
	Real      float64      // of floats
}

// asof checks the last key, whose common type is t, and reads the tolerance in its units.
func (j *joining) asof(t batch.Type) {
	j.once()
	l, at := j.left.Schema.Fields[j.op.LeftKeys[len(j.op.LeftKeys)-1]], j.s.left[len(j.s.left)-1]
	if !t.IsNumeric() && t.ID != batch.Date && t.ID != batch.Time && t.ID != batch.Timestamp {
		j.r.job.fail(at.Pos, "put columns that must be equal into by", "asof: on must be a number, a date, a time or a timestamp, and %q is %s", l.Name, t)
	}
	j.op.Asof = Asof{Direction: j.s.asof.direction}
	if tol := j.s.asof.tolerance; tol != nil {
		j.op.Asof.Within = true
		j.tolerance(*tol, t)
	}
}

// most is the greatest tolerance.
const most = 1e38

func (j *joining) tolerance(at Text, t batch.Type) {
	job, a := j.r.job, &j.op.Asof
	text := strings.ReplaceAll(strings.TrimSpace(at.Value), "_", "")
	float, err := strconv.ParseFloat(text, 64)
	isNumber := !math.IsNaN(float) && (err == nil || math.IsInf(float, 0))
	if isNumber && (float < 0 || float > most) {
		job.fail(at.Pos, "leave it out where anything is near enough", "tolerance must be a number from 0 to %g", most)
	}
	switch {
	case t.ID == batch.Time || t.ID == batch.Timestamp || t.ID == batch.Date && !isNumber:
		if isNumber {
			job.fail(at.Pos, "write a length of time: tolerance: 5 minutes", "tolerance is a number, and on is %s", t)
		}
		a.Ticks = batch.Int128Of(j.span(at, t))
	case !isNumber:
		job.fail(at.Pos, "write a number", "tolerance cannot be %q where on is %s", at.Show, t)
	case t.IsFloat():
		a.Real = float
	default:
		number := new(big.Rat)
		if float > 1/most { // else exponents may be huge
			number.SetString(text)
		}
		if t.ID == batch.Decimal {
			number.Mul(number, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Scale)), nil)))
		}
		// Distances are whole numbers of units: what is at most 1.5 is at most 1.
		ticks, fits := batch.Int128FromBig(new(big.Int).Quo(number.Num(), number.Denom()))
		if !fits {
			job.fail(at.Pos, "leave it out", "tolerance is too large a number")
		}
		a.Ticks = ticks
	}
}

// span reads a length of time in units of type t.
func (j *joining) span(at Text, t batch.Type) int64 {
	nanos, err := expr.Span(at.Value)
	if err != nil {
		hint := "write a length of time: tolerance: 5 minutes"
		if e, ok := err.(*expr.Error); ok && e.Hint != "" {
			hint = e.Hint
		}
		msg := err.Error()
		if e, ok := err.(*expr.Error); ok {
			msg = e.Msg
		}
		j.r.job.fail(at.Pos, hint, "tolerance: %s", msg)
	}
	return nanos / unitNanos(t)
}

// unitNanos returns the nanoseconds of a unit of type t: a date, a time or a timestamp.
func unitNanos(t batch.Type) int64 {
	if t.ID == batch.Date {
		return 24 * 3600 * 1e9
	}
	return max(1, map[batch.Unit]int64{batch.Second: 1e9, batch.Milli: 1e6, batch.Micro: 1e3, batch.Nano: 1}[t.Unit])
}

// AsofKeys returns the order of a table's keys at cols in which an as-of join works: ascending.
func AsofKeys(cols []int) []SortKey {
	keys := make([]SortKey, len(cols))
	for i, c := range cols {
		keys[i].Column = c
	}
	return keys
}

// Sorted says whether the left, n, comes out of an as-of join's own sort, which is stable, in the order that it is in.
func (op *Join) Sorted(n *Node) bool { return covers(n, AsofKeys(op.LeftKeys)) }

// index returns the order of the result, of a left so indexed.
func (a Asof) index(op *Join, left []SortKey) []SortKey {
	if a.Indexes {
		return AsofKeys(op.LeftKeys)
	}
	return left
}

// sortOnce takes away sorts of an as-of join's sides by its keys, which it does itself.
func (op *Join) sortOnce(n *Node, readers map[*Node]int) {
	if op.Kind != AsofJoin {
		return
	}
	for side, cols := range [][]int{op.LeftKeys, op.RightKeys} {
		at, slot, below := n, side, n.Inputs[side]
		var exprs []*expr.Bound
		if p, ok := below.Op.(*Project); ok && readers[below] == 1 {
			at, slot, below, exprs = below, 0, below.Inputs[0], p.Exprs
		}
		ix, ok := below.Op.(*Index)
		if !ok || readers[below] != 1 || ix.Unique {
			continue
		}
		keys := ix.Keys
		if exprs != nil {
			keys = projectIndex(keys, exprs)
		}
		if len(ix.Keys) != len(cols) || !covers(&Node{Schema: n.Inputs[side].Schema, Index: keys}, AsofKeys(cols)) {
			continue
		}
		at.Inputs[slot] = below.Inputs[0]
		op.Asof.Indexes = op.Asof.Indexes || side == 0 && op.KeepOrder
	}
}

// once refuses keys that are used twice.
func (j *joining) once() {
	for i, t := range j.s.left {
		if slices.Contains(j.op.LeftKeys[:i], j.op.LeftKeys[i]) {
			j.r.job.fail(t.Pos, "", "asof: %q is a key twice", t.Show)
		}
		if k := j.s.right[i]; slices.Contains(j.op.RightKeys[:i], j.op.RightKeys[i]) {
			j.r.job.fail(k.Pos, "", "asof: %q is a key twice", k.Show)
		}
	}
}

func describeAsof(n *Node, op *Join) string {
	if op.Kind != AsofJoin {
		return ""
	}
	s := ", " + op.Asof.Direction
	if op.Asof.Indexes {
		s += ", by index"
	}
	if op.Asof.Within {
		on := op.LeftKeys[len(op.LeftKeys)-1]
		s += ", within " + op.Asof.tolerance(n.Inputs[0].Schema.Fields[on].Type)
	}
	return s
}

// tolerance is the greatest distance of keys of type t, as a job says it.
func (a Asof) tolerance(t batch.Type) string {
	switch ticks := a.Ticks.Big(); {
	case t.IsFloat():
		return strconv.FormatFloat(a.Real, 'g', -1, 64)
	case t.ID == batch.Decimal:
		one := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Scale)), nil)
		return new(big.Rat).SetFrac(ticks, one).FloatString(int(t.Scale))
	case t.ID == batch.Date || t.ID == batch.Time || t.ID == batch.Timestamp:
		return spanText(ticks.Mul(ticks, big.NewInt(unitNanos(t))))
	default:
		return ticks.String()
	}
}

// spanText writes a length of time in the largest unit of which it is a whole number: 90 minutes.
func spanText(nanos *big.Int) string {
	for _, u := range []struct {
		name  string
		nanos int64
	}{{"day", 24 * 3600 * 1e9}, {"hour", 3600 * 1e9}, {"minute", 60 * 1e9}, {"second", 1e9}, {"millisecond", 1e6}, {"microsecond", 1e3}, {"nanosecond", 1}} {
		n, rest := new(big.Int).QuoRem(nanos, big.NewInt(u.nanos), new(big.Int))
		switch {
		case rest.Sign() != 0 || n.Sign() == 0 && u.name != "second":
		case n.IsInt64() && n.Int64() == 1:
			return "1 " + u.name
		default:
			return n.String() + " " + u.name + "s"
		}
	}
	return nanos.String() + " nanoseconds" // not reached: a nanosecond divides all
}
