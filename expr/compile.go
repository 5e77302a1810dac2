package expr

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pqjoin/batch"
)

// builder lowers typed nodes to steps; equal steps become one.
type builder struct {
	steps  []step
	intern map[string]int
	done   map[*node]int
	fails  map[*node]bool
	ids    map[*node]int
	nodes  map[string]int // what ids were given for
	inner  []int          // columns that guarded programs read
}

// Compile compiles expressions bound to one schema.
func Compile(bs []*Bound) *Program {
	roots := make([]*node, len(bs))
	for i, b := range bs {
		roots[i] = b.root
	}
	return compile(roots)
}

func compile(roots []*node) *Program { return compileKnowing(map[*node]bool{}, roots) }

// compileKnowing compiles with what is known of which nodes can fail, and adds to it.
func compileKnowing(fails map[*node]bool, roots []*node) *Program {
	b := &builder{intern: map[string]int{}, done: map[*node]int{}, fails: fails, ids: map[*node]int{}, nodes: map[string]int{}}
	p := &Program{}
	for _, r := range roots {
		p.outs = append(p.outs, b.lower(r))
	}
	for i, o := range p.outs {
		b.claim(o, i)
	}
	p.steps = b.prune(p.outs)
	for _, st := range p.steps {
		if st.way == wayColumn {
			p.cols = append(p.cols, st.column)
		}
	}
	p.cols = append(p.cols, b.inner...)
	slices.Sort(p.cols)
	p.cols = slices.Compact(p.cols)
	return p
}

// claim says that expression out needs a slot and what it is made of, where none before does.
func (b *builder) claim(slot, out int) {
	st := &b.steps[slot]
	if st.claimed {
		return
	}
	st.claimed, st.out = true, out
	for _, a := range st.args {
		b.claim(a, out)
	}
}

// prune drops steps that nothing reads, renumbers outs, and notes last uses.
func (b *builder) prune(outs []int) []step {
	used := make([]bool, len(b.steps))
	for _, o := range outs {
		used[o] = true
	}
	for i := len(b.steps) - 1; i >= 0; i-- {
		if used[i] {
			for _, a := range b.steps[i].args {
				used[a] = true
			}
		}
	}
	at := make([]int, len(b.steps))
	var kept []step
	for i, st := range b.steps {
		if !used[i] {
			continue
		}
		at[i] = len(kept)
		for k, a := range st.args {
			st.args[k] = at[a]
		}
		kept = append(kept, st)
	}
	held := make([]bool, len(kept))
	for i, o := range outs {
		outs[i] = at[o]
		held[at[o]] = true
	}
	for i := len(kept) - 1; i >= 0; i-- {
		for _, a := range kept[i].args {
			if !held[a] {
				held[a] = true
				kept[i].free = append(kept[i].free, a)
			}
		}
	}
	return kept
}

// add returns the slot of the step, which key describes completely; constants are folded.
func (b *builder) add(key string, st step) int {
	key += "|" + st.typ.String()
	for _, a := range st.args {
		key += "," + strconv.Itoa(a)
	}
	if slot, ok := b.intern[key]; ok {
		return slot
	}
	if c, ok := b.fold(&st); ok {
		st = step{typ: st.typ, way: wayConst, konst: c, src: st.src}
	}
	b.steps = append(b.steps, st)
	b.intern[key] = len(b.steps) - 1
	return len(b.steps) - 1
}

// fold evaluates a step of constants; where that fails, the step fails when it runs.
func (b *builder) fold(st *step) (*batch.Column, bool) {
	if st.way != wayStrict && st.way != waySpecial || len(st.args) == 0 {
		return nil, false
	}
	args := make([]vec, len(st.args))
	for i, a := range st.args {
		if b.steps[a].way != wayConst {
			return nil, false
		}
		args[i] = vec{b.steps[a].konst, true}
	}
	x := &exec{n: 1}
	var v vec
	var err error
	if st.way == wayStrict {
		v, err = x.strict(st, args)
	} else {
		v, err = st.pick(x, st, args)
	}
	return v.c, err == nil
}

// strictStep adds a step that is null where an argument is.
func (b *builder) strictStep(op string, n *node, typ batch.Type, k func(*frame) error, args ...int) int {
	return b.add(op, step{typ: typ, args: args, src: n, way: wayStrict, strict: k})
}

func (b *builder) special(op string, n *node, typ batch.Type, k func(*exec, *step, []vec) (vec, error), args ...int) int {
	return b.add(op, step{typ: typ, args: args, src: n, way: waySpecial, pick: k})
}

func (b *builder) constant(v Value, t batch.Type, n *node) int {
	c := constColumn(v, t)
	text := string(appendValue(nil, v, t))
	if v.Null {
		text = "null"
	}
	return b.add(fmt.Sprintf("const %v %q", v.Null, text), step{typ: t, way: wayConst, konst: c, src: n})
}

// constColumn returns a column of one row on the Go heap.
func constColumn(v Value, t batch.Type) *batch.Column {
	var c *batch.Column
	var err error
	switch {
	case v.Null:
		c, err = batch.AllNull(nil, t, 1)
	case t.Kind() == batch.KindBytes:
		if c, err = batch.NewVar(nil, t, 1, len(v.Bytes)); err == nil {
			c.Off[0], c.Off[1] = 0, uint32(copy(c.Data, v.Bytes))
		}
	default:
		if c, err = batch.NewFixed(nil, t, 1); err == nil {
			setFixed(c, v)
		}
	}
	if err != nil {
		panic(fmt.Sprintf("expr: constant: %v", err)) // the Go heap gives no errors
	}
	return c
}

func setFixed(c *batch.Column, v Value) {
	switch c.Type.Kind() {
	case batch.KindBool:
		if c.Fixed[0] = 0; v.Bool {
			c.Fixed[0] = 1
		}
	case batch.KindInt64:
		c.Int64s()[0] = v.Int
	case batch.KindFloat64:
		c.Float64s()[0] = v.Float
	case batch.KindInt128:
		c.Int128s()[0] = v.Int128
	}
}

func boolType() batch.Type { return batch.Of(batch.Bool) }

// lower returns the slot of a node.
func (b *builder) lower(n *node) int {
	if slot, ok := b.done[n]; ok {
		return slot
	}
	slot := b.lowerNew(n)
	b.done[n] = slot
	return slot
}

func (b *builder) lowerNew(n *node) int {
	switch n.op {
	case "literal":
		return b.constant(n.val, n.typ, n)
	case "column":
		return b.add("column "+strconv.Itoa(n.col), step{typ: n.typ, way: wayColumn, column: n.col, src: n})
	case "and", "or":
		return b.lowerLogic(n)
	case "case":
		return b.lowerCase(n)
	case "coalesce":
		return b.lowerCoalesce(n)
	case "try":
		return b.lowerTry(n)
	}
	args := make([]int, len(n.args))
	for i, a := range n.args {
		args[i] = b.lower(a)
	}
	slot := b.lowerOp(n, args)
	if n.negated {
		return b.not(n, slot)
	}
	return slot
}

func (b *builder) not(n *node, slot int) int {
	return b.strictStep("not", n, boolType(), kernelNot, slot)
}

func (b *builder) lowerOp(n *node, args []int) int {
	switch n.op {
	case "not":
		return b.not(n, args[0])
	case "is null":
		return b.special("is null", n, n.typ, kernelIsNull, args[0])
	case "=", "<>", "<", "<=", ">", ">=":
		return b.compare(n, n.op, n.args[0].typ, args[0], args[1])
	case "between":
		if slot, ok := b.within(n); ok {
			return slot
		}
		t := n.args[0].typ
		low, high := b.compare(n, ">=", t, args[0], args[1]), b.compare(n, "<=", t, args[0], args[2])
		return b.special("and", n, n.typ, kernelAnd, low, high)
	case "in":
		return b.lowerIn(n, args)
	case "greatest", "least":
		return b.special(n.op, n, n.typ, pickExtreme(n.op == "greatest", n.typ), args...)
	case distinctFrom, notDistinctFrom:
		return b.lowerDistinct(n, args)
	case "concat", "concat_ws":
		return b.lowerConcat(n, args)
	case "hash":
		return b.lowerHash(n, args)
	case "cast", "try_cast":
		if n.typ == n.args[0].typ {
			return args[0]
		}
		try := n.op == "try_cast"
		return b.strictStep(n.op, n, n.typ, kernelCast(n.args[0].typ, n.typ, try), args[0])
	}
	key, k := kernelFor(n)
	return b.strictStep(key, n, n.typ, k, args...)
}

// compare lowers the six comparisons to three.
func (b *builder) compare(n *node, op string, t batch.Type, x, y int) int {
	switch op {
	case ">":
		op, x, y = "<", y, x
	case ">=":
		op, x, y = "<=", y, x
	case "<>":
		return b.not(n, b.compare(n, "=", t, x, y))
	}
	return b.strictStep(op+" "+t.String(), n, boolType(), kernelCompare(op, t), x, y)
}

// lowerDistinct compares values where there are two, and else whether there are.
func (b *builder) lowerDistinct(n *node, args []int) int {
	same := b.compare(n, "=", n.args[0].typ, args[0], args[1])
	x, y := b.special("is null", n, boolType(), kernelIsNull, args[0]), b.special("is null", n, boolType(), kernelIsNull, args[1])
	bothNull := b.compare(n, "=", boolType(), x, y)
	slot := b.pick("coalesce", n, boolType(), pickFirst, same, b.special("and", n, boolType(), kernelAnd, bothNull, x))
	if n.op == distinctFrom {
		return b.not(n, slot)
	}
	return slot
}

func (b *builder) lowerIn(n *node, args []int) int {
	t := n.args[0].typ
	var set []Value
	var rest []int
	var key strings.Builder
	for i, a := range n.args[1:] {
		if a.literal() && !a.val.Null {
			set = append(set, a.val)
			fmt.Fprintf(&key, "%q ", appendValue(nil, a.val, t))
		} else {
			rest = append(rest, args[i+1])
		}
	}
	slot := -1
	if len(set) > 0 {
		slot = b.strictStep("in "+key.String(), n, boolType(), kernelIn(set, t), args[0])
	}
	for _, r := range rest {
		eq := b.compare(n, "=", t, args[0], r)
		if slot < 0 {
			slot = eq
			continue
		}
		slot = b.special("or", n, boolType(), kernelOr, slot, eq)
	}
	return slot
}
