package expr

import (
	"slices"

	"pqjoin/batch"
)

type binder struct {
	schema *batch.Schema
	text   string // as written, for hints
}

// Bind resolves columns and types against a schema. Errors are *Error, with a hint of the nearest name.
func Bind(t *Tree, schema *batch.Schema) (*Bound, error) {
	b := &binder{schema, t.Text}
	root, err := b.bind(t.Root)
	if err == nil && root.op == "interval" {
		err = strayInterval(root)
	}
	if err != nil {
		return nil, err
	}
	if root.typ.ID == batch.Null { // a column needs a type: DuckDB's choice
		root = nullLiteral(batch.Of(batch.Int32), root.off)
	}
	return newBound(root, t), nil
}

func (b *binder) bind(n *Node) (*node, *Error) {
	switch n.Op {
	case OpLiteral:
		return &node{op: "literal", typ: n.Type, null: n.Value.Null, off: n.Offset, at: n.at, val: n.Value, written: n}, nil
	case OpColumn:
		return b.column(n)
	}
	args := make([]*node, len(n.Args))
	for i, a := range n.Args {
		if a == nil {
			continue
		}
		var err *Error
		if args[i], err = b.bind(a); err != nil {
			return nil, err
		}
	}
	out := &node{off: n.Offset, at: n.at, args: args, negated: n.Negated}
	if err := checkIntervals(n, args); err != nil {
		return nil, err
	}
	return b.operator(n, out)
}

// operator types an operator or a call whose operands out has.
func (b *binder) operator(n *Node, out *node) (*node, *Error) {
	switch n.Op {
	case OpNeg:
		return bindNegate(out)
	case OpNot:
		out.op = "not"
		return bindLogic(out)
	case OpBinary:
		out.op = n.Name
		return bindBinary(out)
	case OpIsNull:
		out.op, out.typ = "is null", batch.Of(batch.Bool)
		return out, nil
	case OpIn, OpBetween:
		out.op = map[Op]string{OpIn: "in", OpBetween: "between"}[n.Op]
		return bindCompared(out, out.args)
	case OpLike:
		out.op = n.Name
		return bindLike(out)
	case OpIs:
		return bindIsTruth(out, n.Name)
	case OpInterval:
		out.op, out.typ = "interval", batch.Of(batch.Null)
		return out, nil
	case OpCase:
		out.op = "case"
		return bindCase(out)
	case OpCast:
		out.op, out.typ = "cast", n.Type
		if n.Try {
			out.op = "try_cast"
		}
		return castNode(out)
	}
	return b.call(n, out)
}

func (b *binder) column(n *Node) (*node, *Error) {
	i := b.schema.Index(n.Name)
	if i < 0 {
		return nil, b.noColumn(n)
	}
	f := b.schema.Fields[i]
	return &node{op: "column", typ: f.Type, null: f.Nullable, off: n.Offset, at: n.at, col: i, name: f.Name}, nil
}

func (b *binder) call(n *Node, out *node) (*node, *Error) {
	f := lookup(n.Name)
	if f == nil {
		return nil, noFunction(n)
	}
	if len(out.args) < f.min || f.max >= 0 && len(out.args) > f.max {
		return nil, errorAt(n.Offset, "it is used as "+f.Signatures[0], "%s takes %s, not %d", n.Name, f.arity(), len(out.args))
	}
	out.op = f.Name
	return f.bind(out)
}

// mayBeNull says whether a strict operator over args may be null.
func mayBeNull(args []*node) bool {
	return slices.ContainsFunc(args, func(a *node) bool { return a != nil && a.null })
}

// conv returns n as type t, which the caller knows to be reachable.
func conv(n *node, t batch.Type) *node {
	if n.typ == t {
		return n
	}
	if n.literal() && n.val.Null {
		c := *n
		c.typ = t
		return &c
	}
	if lit, ok := retype(n, t); ok {
		return lit
	}
	return &node{op: "cast", typ: t, null: n.null, off: n.off, args: []*node{n}, implicit: true}
}

// retype reads a literal again as type t; false where its value does not fit exactly enough.
func retype(n *node, t batch.Type) (*node, bool) {
	if !n.literal() || n.val.Null || n.typ.ID == batch.Bool {
		return nil, false
	}
	v, err := parseValue(appendValue(nil, n.val, n.typ), t)
	if err != nil {
		return nil, false
	}
	c := *n
	c.typ, c.val = t, v
	return &c, true
}

// adapt gives a literal the type of the side it meets, where its value fits.
func adapt(lit, other *node) (*node, *Error) {
	from, to := lit.typ, other.typ
	if !lit.literal() || lit.val.Null || from == to {
		return lit, nil
	}
	switch {
	case from.ID == batch.String && slices.Contains([]batch.TypeID{batch.Date, batch.Time, batch.Timestamp, batch.Bool, batch.UUID}, to.ID):
		v, err := parseValue(lit.val.Bytes, to)
		if err != nil {
			return nil, errorAt(lit.off, "", "%v", err)
		}
		c := *lit
		c.typ, c.val = to, v
		return &c, nil
	case other.literal():
	case from.IsInteger() && to.ID == batch.Decimal:
		text := appendValue(nil, lit.val, from)
		digits := len(text)
		if text[0] == '-' {
			digits--
		}
		return conv(lit, batch.DecimalOf(digits, 0)), nil
	case from.IsInteger() && to.IsNumeric(), from.ID == batch.Decimal && to.IsFloat(), from.ID == batch.Float64 && to.IsFloat():
		if c, ok := retype(lit, to); ok {
			return c, nil
		}
	}
	return lit, nil
}

// meet brings nodes (nil ones are skipped) to one type; off is where a mismatch is reported.
func meet(args []*node, off int, what string) (batch.Type, *Error) {
	var lead *node // what literals adapt to: the first that is no literal
	for _, a := range args {
		if a != nil && a.typ.ID != batch.Null && (lead == nil || lead.literal() && !a.literal()) {
			lead = a
		}
	}
	var t batch.Type
	for i, a := range args {
		if a == nil {
			continue
		}
		a, err := adapt(a, leadOr(lead, a))
		if err != nil {
			return t, err
		}
		args[i] = a
		next, ok := common(t, a.typ)
		if !ok {
			return t, mismatch(a.off, what, t, a.typ)
		}
		t = next
	}
	for i, a := range args {
		if a != nil {
			args[i] = conv(a, t)
		}
	}
	return t, nil
}

func leadOr(lead, a *node) *node {
	if lead == nil {
		return a
	}
	return lead
}

func mismatch(off int, what string, a, b batch.Type) *Error {
	hint := ""
	switch {
	case a.ID == batch.Nested || b.ID == batch.Nested:
		hint = nestedFunctionsHint
	case a.ID == batch.String && b.IsNumeric() || b.ID == batch.String && a.IsNumeric():
		hint = "a number is written without quotes; cast(x as float64) reads a text as one"
	case a.ID == batch.Timestamp && b.ID == batch.Timestamp:
		hint = "one is an instant (utc), the other local time: cast one of them"
	case isClock(a) && b.IsNumeric() || isClock(b) && a.IsNumeric():
		hint = "write date '2024-01-31' or timestamp '2024-01-31 23:59:59'"
	case castable(a, b) || castable(b, a):
		hint = "cast one of them"
	}
	return errorAt(off, hint, "%s and %s do not go together %s", a, b, what)
}

func bindLogic(n *node) (*node, *Error) {
	n.typ = batch.Of(batch.Bool)
	for i, a := range n.args {
		if a.typ.ID != batch.Bool && a.typ.ID != batch.Null {
			return nil, errorAt(a.off, conditionHint(a.typ), "%s needs true or false, not %s", n.op, a.typ)
		}
		n.args[i] = conv(a, n.typ)
	}
	n.null = mayBeNull(n.args)
	return n, nil
}

func bindBinary(n *node) (*node, *Error) {
	switch n.op {
	case "and", "or":
		return bindLogic(n)
	case "||":
		for i, a := range n.args {
			if t := a.typ.ID; t == batch.Nested || t == batch.Binary || t == batch.Fixed {
				return nil, errorAt(a.off, castOr(a.typ, batch.String, ""), "|| needs a text, not %s", a.typ)
			}
			n.args[i] = conv(a, batch.Of(batch.String))
		}
		n.typ, n.null = batch.Of(batch.String), mayBeNull(n.args)
		return n, nil
	case "+", "-", "*", "/", "%", "//":
		return bindArithmetic(n)
	case "&", "|", "<<", ">>":
		return bindBits(n)
	case "**":
		n.op = "pow"
		return bindFloats(n)
	case distinctFrom, notDistinctFrom:
		if _, err := bindCompared(n, n.args); err != nil {
			return nil, err
		}
		n.null = false
		return n, nil
	}
	return bindCompared(n, n.args)
}

// bindCompared types =, <, in, between: the operands meet in one comparable type.
func bindCompared(n *node, args []*node) (*node, *Error) {
	if _, err := meet(args, n.off, "in "+n.op); err != nil {
		return nil, err
	}
	for _, a := range args {
		if a.typ.ID == batch.Nested {
			return nil, errorAt(a.off, nestedFunctionsHint, "%s values cannot be compared", a.typ)
		}
	}
	n.args, n.typ, n.null = args, batch.Of(batch.Bool), mayBeNull(args)
	return n, nil
}

func bindCase(n *node) (*node, *Error) {
	var tests, results []*node
	last := len(n.args) - 1
	for i := 1; i < last; i += 2 {
		tests, results = append(tests, n.args[i]), append(results, n.args[i+1])
	}
	results = append(results, n.args[last])
	if n.args[0] != nil {
		all := append([]*node{n.args[0]}, tests...)
		if _, err := bindCompared(&node{op: "case"}, all); err != nil {
			return nil, err
		}
		n.args[0], tests = all[0], all[1:]
	} else if _, err := bindLogic(&node{op: "when", args: tests}); err != nil {
		return nil, err
	}
	t, err := meet(results, n.off, "among the results of case")
	if err != nil {
		return nil, err
	}
	for i, x := range tests {
		n.args[1+2*i], n.args[2+2*i] = x, results[i]
	}
	n.args[last] = results[len(results)-1]
	if t.ID == batch.Null { // nothing but null can come out
		return nullLiteral(t, n.off), nil
	}
	n.typ, n.null = t, n.args[last] == nil || mayBeNull(results)
	return n, nil
}

func nullLiteral(t batch.Type, off int) *node {
	none := Value{Null: true}
	return &node{op: "literal", typ: t, null: true, off: off, val: none, written: &Node{Op: OpLiteral, Offset: off, Value: none}}
}

func castNode(n *node) (*node, *Error) {
	a := n.args[0]
	if !castable(a.typ, n.typ) {
		return nil, errorAt(n.off, castOr(a.typ, n.typ.ID, ""), "%s cannot be cast to %s", a.typ, n.typ)
	}
	if a.literal() && a.val.Null || a.typ == n.typ {
		n.args[0] = conv(a, n.typ)
	}
	n.null = a.null || n.op == "try_cast"
	return n, nil
}

// castable says whether a cast is defined at all.
func castable(from, to batch.Type) bool {
	number := func(t batch.Type) bool { return t.IsNumeric() || t.ID == batch.Bool }
	clock := func(t batch.Type) bool { return t.ID == batch.Date || t.ID == batch.Timestamp }
	switch {
	case from.ID == batch.Nested || to.ID == batch.Nested:
		return from == to
	case from == to, from.ID == batch.Null:
		return true
	case to.ID == batch.Fixed, from.ID == batch.UUID && to.ID == batch.Binary:
		return isBinary(from) || from.ID == batch.UUID
	case from.ID == batch.String:
		return to.ID != batch.Null
	case to.ID == batch.String:
		return !isBinary(from)
	case number(from) && number(to), clock(from) && clock(to), isBinary(from) && (isBinary(to) || to.ID == batch.UUID):
		return true
	case from.ID == batch.Timestamp && to.ID == batch.Time, from.ID == batch.Time && to.ID == batch.Time:
		return true
	}
	return false
}

// bindStrings types a strict function whose first count arguments are texts.
func bindStrings(n *node, result batch.Type, count int) (*node, *Error) {
	for i, a := range n.args[:count] {
		if a.typ.ID != batch.String && a.typ.ID != batch.Null {
			return nil, errorAt(a.off, castOr(a.typ, batch.String, "cast(x as string) makes it one"), "%s needs a string, not %s", n.op, a.typ)
		}
		n.args[i] = conv(a, batch.Of(batch.String))
	}
	n.typ, n.null = result, mayBeNull(n.args)
	return n, nil
}
