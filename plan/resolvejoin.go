package plan

import (
	"fmt"
	"slices"

	"pqjoin/batch"
	"pqjoin/expr"
)

// joinVerb: [Project: cast keys] on either side -> Join -> [Project: without them].
func (r *resolver) joinVerb(left, right *Node, s *joinSpec) *Node {
	op := &Join{Kind: s.kind, Validate: s.validate, NullsEqual: s.nullsEqual, MaxRows: s.maxRows, Strategy: s.strategy}
	types := make([]batch.Type, len(s.left))
	for i := range s.left {
		op.LeftKeys = append(op.LeftKeys, r.key(left.Schema, s.left[i]))
		op.RightKeys = append(op.RightKeys, r.key(right.Schema, s.right[i]))
		types[i] = r.keyType(left.Schema.Fields[op.LeftKeys[i]], right.Schema.Fields[op.RightKeys[i]], s.right[i])
	}
	for i := range right.Schema.Fields {
		if !slices.Contains(op.RightKeys, i) {
			op.RightOut = append(op.RightOut, i)
		}
	}
	width := len(left.Schema.Fields)
	left = r.castKeys(left, op.LeftKeys, types)
	right = r.castKeys(right, op.RightKeys, types)
	fields := slices.Clone(left.Schema.Fields)
	for _, c := range op.RightOut {
		f := right.Schema.Fields[c]
		if left.Schema.Index(f.Name) >= 0 {
			f.Name += s.suffix.Value
		}
		f.Nullable = f.Nullable || s.kind == LeftJoin
		fields = append(fields, f)
	}
	r.unique(fields, r.verb.Pos, "join", "choose another suffix:, or rename before")
	out := r.add(op, batch.NewSchema(fields...), left, right)
	op.KeepOrder = len(left.Index) > 0
	if out.Ordered = op.KeepOrder; out.Ordered {
		requireOrder(right, "join")
	}
	return r.without(out, width, len(left.Schema.Fields)-width)
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
	if t, ok := commonType(a, b); ok {
		return t
	}
	r.job.fail(at.Pos, fmt.Sprintf("cast one of them before the join, for example compute: {%s: \"cast(%s as %s)\"}", k.Name, k.Name, a),
		"join: the left key %q is %s and the right key %q is %s", l.Name, a, k.Name, b)
	return a
}

// commonType returns the type that holds all values of both exactly, if there is one.
func commonType(a, b batch.Type) (batch.Type, bool) {
	switch {
	case a == b:
		return a, true
	case a.IsInteger() && b.IsInteger():
		return commonInteger(a, b)
	case a.IsFloat() && b.IsFloat():
		return batch.Of(batch.Float64), true
	case a.ID == batch.Decimal && b.ID == batch.Decimal:
		scale := max(a.Scale, b.Scale)
		digits := max(int(a.Prec)-int(a.Scale), int(b.Prec)-int(b.Scale)) + int(scale)
		if digits <= 38 {
			return batch.DecimalOf(digits, int(scale)), true
		}
	}
	return a, false
}

// commonInteger returns the narrowest type that holds both, if there is one.
func commonInteger(a, b batch.Type) (batch.Type, bool) {
	if a.IsUnsigned() == b.IsUnsigned() {
		return batch.Of(max(a.ID, b.ID)), true
	}
	if a.IsUnsigned() {
		a, b = b, a
	}
	// a is signed, and must be wider than b is.
	if b.ID == batch.Uint64 {
		return a, false
	}
	return batch.Of(max(a.ID, batch.Int16+(b.ID-batch.Uint8))), true
}
