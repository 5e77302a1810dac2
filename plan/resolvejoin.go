package plan

import (
	"fmt"
	"slices"

	"pqjoin/batch"
	"pqjoin/expr"
)

// joinVerb: [Project: cast keys, constants] on either side -> Join -> [Project: without them, indicator].
func (r *resolver) joinVerb(left, right *Node, s *joinSpec) *Node {
	j := &joining{
		r: r, s: s, left: left, right: right, width: len(left.Schema.Fields), index: left.Index,
		op: &Join{Kind: s.kind, Validate: s.validate, NullsEqual: s.nullsEqual, MaxRows: s.maxRows, Strategy: s.strategy},
	}
	j.leftMark, j.rightMark = -1, -1
	if s.cross {
		j.crossKeys()
	} else {
		j.keys()
	}
	if s.indicator != nil {
		j.mark()
	}
	out := j.make()
	return j.shown(out)
}

// joining is a join that is put together.
type joining struct {
	r           *resolver
	s           *joinSpec
	left, right *Node
	width       int       // columns of the left as the job has it; hidden ones come behind
	index       []SortKey // of the left as the job has it
	op          *Join
	// Where the hidden constants are that tell which side a row has: positions in left and in right; -1 for none.
	leftMark, rightMark int
}

// keys resolves the keys and casts those whose types differ.
func (j *joining) keys() {
	r, op, left, right := j.r, j.op, j.left.Schema, j.right.Schema
	types := make([]batch.Type, len(j.s.left))
	for i := range j.s.left {
		op.LeftKeys = append(op.LeftKeys, r.key(left, j.s.left[i]))
		op.RightKeys = append(op.RightKeys, r.key(right, j.s.right[i]))
		types[i] = r.keyType(left.Fields[op.LeftKeys[i]], right.Fields[op.RightKeys[i]], j.s.right[i])
	}
	j.putOut(op.RightKeys)
	if j.s.asof != nil {
		j.asof(types[len(types)-1])
	}
	if op.Kind.KeepsRight() {
		j.left = r.castInPlace(j.left, op.LeftKeys, types)
	} else {
		j.left = r.castKeys(j.left, op.LeftKeys, types)
	}
	j.right = r.castKeys(j.right, op.RightKeys, types)
}

// putOut makes the right's columns but those of except the join's, unless it has the left's alone.
func (j *joining) putOut(except []int) {
	for i := range j.right.Schema.Fields {
		if !j.op.Kind.Filters() && !slices.Contains(except, i) {
			j.op.RightOut = append(j.op.RightOut, i)
		}
	}
}

// crossKeys joins on a constant.
func (j *joining) crossKeys() {
	j.putOut(nil)
	j.op.LeftKeys, j.op.RightKeys = []int{len(j.left.Schema.Fields)}, []int{len(j.right.Schema.Fields)}
	j.left, j.right = j.r.constant(j.left, "0", nil), j.r.constant(j.right, "0", nil)
}

// mark gives the sides that rows may lack a constant, which is null then.
func (j *joining) mark() {
	if j.op.Kind.KeepsRight() {
		j.leftMark = len(j.left.Schema.Fields)
		j.left = j.r.constant(j.left, "true", nil)
	}
	if j.op.Kind.KeepsLeft() {
		j.rightMark = len(j.right.Schema.Fields)
		j.op.RightOut = append(j.op.RightOut, j.rightMark)
		j.right = j.r.constant(j.right, "true", j.left.Schema.Names())
	}
}

// make adds the join.
func (j *joining) make() *Node {
	r, op := j.r, j.op
	fields := slices.Clone(j.left.Schema.Fields)
	for i := range fields {
		fields[i].Nullable = fields[i].Nullable || op.Kind.KeepsRight() && !slices.Contains(op.LeftKeys, i)
	}
	for i, c := range op.LeftKeys {
		fields[c].Nullable = fields[c].Nullable || op.Kind.KeepsRight() && j.right.Schema.Fields[op.RightKeys[i]].Nullable
	}
	for _, c := range op.RightOut {
		f := j.right.Schema.Fields[c]
		if j.left.Schema.Index(f.Name) >= 0 {
			f.Name += j.s.suffix.Value
		}
		f.Nullable = f.Nullable || op.Kind.KeepsLeft()
		fields = append(fields, f)
	}
	r.unique(fields, r.verb.Pos, "join", "choose another suffix:, or rename before")
	if n := len(op.LeftKeys); op.Kind.KeepsRight() && leads(j.index, op.LeftKeys, nil) {
		op.Order = slices.Clone(j.index[:n])
	}
	out := r.add(op, batch.NewSchema(fields...), j.left, j.right)
	op.KeepOrder = len(j.index) > 0
	out.Index, out.Ordered = op.index(out.Index), op.KeepOrder
	if op.KeepOrder && !op.Kind.Filters() || op.Kind == AsofJoin { // of right rows that are equally near it decides
		requireOrder(j.right, "join")
	}
	if op.KeepOrder && len(out.Index) == 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf("the table is not indexed by %s any more: right rows without a match come last", describeKeys(out, j.index)))
	}
	return out
}

// shown leaves out the hidden columns of the left and right, and adds the indicator.
func (j *joining) shown(out *Node) *Node {
	hidden := len(j.left.Schema.Fields) - j.width
	if j.s.indicator == nil {
		return j.r.without(out, j.width, hidden)
	}
	refs, names := columnRefs(out.Schema), out.Schema.Names()
	side := func(at int) *expr.Bound {
		if at < 0 {
			return nil
		}
		return refs[at]
	}
	l, r := side(j.leftMark), (*expr.Bound)(nil)
	if j.rightMark >= 0 {
		r = refs[len(refs)-1]
		refs, names = refs[:len(refs)-1], names[:len(names)-1]
	}
	refs, names = slices.Delete(refs, j.width, j.width+hidden), slices.Delete(names, j.width, j.width+hidden)
	if i := slices.Index(names, j.s.indicator.Value); i >= 0 {
		j.r.job.fail(j.s.indicator.Pos, "choose another name", "indicator: there is a column %q already", j.s.indicator.Show)
	}
	return j.r.project(out, append(names, j.s.indicator.Value), append(refs, j.r.indicator(j.op.Kind, l, r)))
}

// indicator returns which sides a row has, of columns that are null where it lacks the left and the right; nil where no row does.
func (r *resolver) indicator(kind JoinKind, left, right *expr.Bound) *expr.Bound {
	text, fields, refs := "'both'", []batch.Field{}, []*expr.Bound{}
	if kind == AntiJoin {
		text = "'left_only'"
	}
	for _, c := range []struct {
		name, text string
		ref        *expr.Bound
	}{{"l", "'right_only'", left}, {"r", "'left_only'", right}} {
		if c.ref != nil {
			text = "case when " + c.name + " is null then " + c.text + " else " + text + " end"
			fields = append(fields, batch.Field{Name: c.name, Type: c.ref.Type, Nullable: true})
			refs = append(refs, c.ref)
		}
	}
	return r.plain(text, batch.NewSchema(fields...)).Substitute(refs)
}

// constant appends the value of text as a hidden column, named unlike the others and those of taken.
func (r *resolver) constant(n *Node, text string, taken []string) *Node {
	names, exprs := n.Schema.Names(), columnRefs(n.Schema)
	name := hidden(slices.Concat(names, taken), "constant")
	return r.project(n, append(names, name), append(exprs, r.plain(text, n.Schema)))
}

// plain binds an expression that no job wrote, and that cannot be wrong.
func (r *resolver) plain(text string, s *batch.Schema) *expr.Bound {
	tree, err := expr.Parse(text)
	if err == nil {
		var b *expr.Bound
		if b, err = expr.Bind(tree, s); err == nil {
			return b
		}
	}
	panic("plan: " + text + ": " + err.Error())
}

// castInPlace replaces the keys whose type is not the common one by themselves, cast.
func (r *resolver) castInPlace(n *Node, keys []int, types []batch.Type) *Node {
	exprs := columnRefs(n.Schema)
	same := true
	for i, c := range keys {
		if n.Schema.Fields[c].Type != types[i] {
			exprs[c], same = r.cast(n.Schema, c, types[i]), false
		}
	}
	if same {
		return n
	}
	return r.project(n, n.Schema.Names(), exprs)
}

// castKeys appends the keys whose type is not the common one, cast, under hidden names,
// and points keys at them.
func (r *resolver) castKeys(n *Node, keys []int, types []batch.Type) *Node {
	names, exprs := n.Schema.Names(), columnRefs(n.Schema)
	for i, c := range keys {
		f := n.Schema.Fields[c]
		if f.Type == types[i] {
			continue
		}
		keys[i] = len(names)
		names = append(names, hidden(names, "key:"+f.Name))
		exprs = append(exprs, r.cast(n.Schema, c, types[i]))
	}
	if len(exprs) == len(n.Schema.Fields) {
		return n
	}
	return r.project(n, names, exprs)
}

func (r *resolver) cast(s *batch.Schema, c int, t batch.Type) *expr.Bound {
	ref := batch.NewSchema(batch.Field{Name: "x", Type: s.Fields[c].Type, Nullable: s.Fields[c].Nullable})
	tree, err := expr.Parse("cast(x as " + t.String() + ")")
	if err == nil {
		var b *expr.Bound
		if b, err = expr.Bind(tree, ref); err == nil {
			return b.Substitute([]*expr.Bound{expr.ColumnRef(s, c)})
		}
	}
	r.job.fail(r.verb.Pos, "", "join: cannot compare %s with %s: %s", s.Fields[c].Type, t, err)
	return nil
}

// keyType returns the type in which two keys are compared.
func (r *resolver) keyType(l, k batch.Field, at Text) batch.Type {
	a, b := l.Type, k.Type
	if t, ok := batch.Meet(a, b); ok {
		return t
	}
	f, to := castBefore(l, k)
	r.job.fail(at.Pos, fmt.Sprintf("cast one of them before the join, for example compute: {%s: \"cast(%s as %s)\"}", f.Name, f.Name, to),
		"join: the left key %q is %s and the right key %q is %s", l.Name, a, k.Name, b)
	return a
}

// castBefore returns which of two columns, whose types do not meet, to cast, and to what, so that nothing is lost unseen: whole
// numbers and decimals become floats, dates timestamps, flags numbers, rather than the other way round; else the second what the first is.
func castBefore(a, b batch.Field) (batch.Field, batch.Type) {
	rank := func(t batch.Type) int {
		switch {
		case t.ID == batch.Bool:
			return 0
		case t.IsFloat(), t.ID == batch.Timestamp:
			return 2
		}
		return 1
	}
	from, to := b, a.Type
	if rank(b.Type) > rank(a.Type) {
		from, to = a, b.Type
	}
	if to.IsFloat() {
		to = batch.Of(batch.Float64)
	}
	return from, to
}
