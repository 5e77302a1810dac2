package refexpr

import (
	"math"
	"math/big"
	"regexp"
	"strings"

	"pqjoin/batch"
	"pqjoin/expr"
)

// typeOf returns a value of the node's type without computing the node.
func (e *env) typeOf(n *expr.Node) (val, error) {
	t := &env{schema: e.schema, typing: true}
	v, err := t.eval(n)
	if n.Op == expr.OpLiteral {
		return v, err
	}
	return null(v.typ), err
}

func (e *env) eval(n *expr.Node) (val, error) {
	v, err := e.evalNode(n)
	if err != nil && e.typing && IsRowError(err) {
		return null(v.typ), nil
	}
	return v, err
}

func (e *env) evalNode(n *expr.Node) (val, error) {
	switch n.Op {
	case expr.OpLiteral:
		v := fromValue(n.Value, n.Type)
		v.lit = true
		return v, nil
	case expr.OpColumn:
		i := e.schema.Index(n.Name)
		t := e.schema.Fields[i].Type
		if e.typing {
			return null(t), nil
		}
		return fromValue(e.row(i), t), nil
	case expr.OpCase:
		return e.caseWhen(n)
	case expr.OpBinary:
		if n.Name == "and" || n.Name == "or" {
			return e.logic(n)
		}
		if n.Args[0].Op == expr.OpInterval || n.Args[1].Op == expr.OpInterval {
			return e.plusInterval(n)
		}
	case expr.OpCall:
		switch n.Name {
		case "coalesce", "ifnull":
			return e.coalesce(n)
		case "try":
			v, err := e.eval(n.Args[0])
			if v.lit = false; v.typ.ID == batch.Null && !IsRowError(err) {
				v = null(batch.Of(batch.Int32))
			}
			if IsRowError(err) {
				t, err := e.typeOf(n.Args[0])
				return null(t.typ), err
			}
			return v, err
		case "nullif": // of a null literal nothing is computed
			if t, err := e.typeOf(n.Args[0]); err != nil || t.typ.ID == batch.Null {
				return null(t.typ), err
			}
		case "if":
			return e.caseWhen(&expr.Node{Op: expr.OpCase, Args: append([]*expr.Node{nil}, n.Args...)})
		}
	}
	args := make([]val, len(n.Args))
	for i, a := range n.Args {
		var err error
		if args[i], err = e.eval(a); err != nil {
			return val{}, err
		}
	}
	return operate(n, args)
}

// operate computes an operator or a function of values.
func operate(n *expr.Node, args []val) (val, error) {
	switch n.Op {
	case expr.OpNeg:
		return negate(args[0])
	case expr.OpNot:
		return val{typ: batch.Of(batch.Bool), null: args[0].null, b: !args[0].b}, nil
	case expr.OpIsNull:
		return boolean(args[0].null != n.Negated), nil
	case expr.OpBinary:
		return binary(n.Name, args[0], args[1])
	case expr.OpIn:
		return in(args, n.Negated)
	case expr.OpBetween:
		return between(args, n.Negated)
	case expr.OpLike:
		if args[0].null || args[1].null {
			return null(batch.Of(batch.Bool)), nil
		}
		if n.Name == "ilike" {
			args[0].s, args[1].s = strings.ToLower(args[0].s), strings.ToLower(args[1].s)
		}
		escape := ""
		if len(args) == 3 {
			escape = args[2].s
		}
		return boolean(like(args[0].s, args[1].s, escape) != n.Negated), nil
	case expr.OpIs:
		is := args[0].null
		if n.Name != "unknown" {
			is = !args[0].null && args[0].b == (n.Name == "true")
		}
		return boolean(is != n.Negated), nil
	case expr.OpCast:
		v, err := cast(args[0], n.Type)
		if n.Try && IsRowError(err) {
			return null(n.Type), nil
		}
		return v, err
	}
	return call(n.Name, args)
}

func like(s, pattern, escape string) bool {
	var re strings.Builder
	re.WriteString(`(?s)\A`)
	escaped := false
	for _, r := range pattern {
		switch {
		case !escaped && string(r) == escape:
			escaped = true
			continue
		case !escaped && r == '%':
			re.WriteString(".*")
		case !escaped && r == '_':
			re.WriteString(".")
		default:
			re.WriteString(regexp.QuoteMeta(string(r)))
		}
		escaped = false
	}
	return regexp.MustCompile(re.String() + `\z`).MatchString(s)
}

func (e *env) logic(n *expr.Node) (val, error) {
	decides := n.Name == "or"
	x, err := e.eval(n.Args[0])
	if err != nil || !x.null && x.b == decides {
		return asBool(x), err
	}
	y, err := e.eval(n.Args[1])
	if err != nil || !y.null && y.b == decides {
		return asBool(y), err
	}
	return val{typ: batch.Of(batch.Bool), null: x.null || y.null, b: !decides}, nil
}

func asBool(v val) val { return val{typ: batch.Of(batch.Bool), null: v.null, b: v.b} }

// common returns the type in which values meet, and the one that literals adapt to.
func common(vs []val) (batch.Type, val) {
	var lead val
	for _, v := range vs {
		if v.typ.ID != batch.Null && (lead.typ.ID == batch.Null || lead.lit && !v.lit) {
			lead = v
		}
	}
	var t batch.Type
	for _, v := range vs {
		t = join(t, adapted(v, lead).typ)
	}
	return t, lead
}

// meet converts v, which may adapt to lead, to t.
func meet(v, lead val, t batch.Type) (val, error) { return cast(adapted(v, lead), t) }

// adapted gives a literal the type of what it meets, where it fits.
func adapted(v, to val) val {
	t := to.typ
	if !v.lit || v.null || v.typ == t {
		return v
	}
	clock := t.ID == batch.Date || t.ID == batch.Timestamp || t.ID == batch.Time || t.ID == batch.Bool
	switch {
	case v.typ.ID == batch.String && clock:
	case to.lit:
		return v
	case v.typ.IsInteger() && t.ID == batch.Decimal:
		t = batch.DecimalOf(len(new(big.Int).Abs(v.num.Num()).String()), 0)
	case v.typ.IsInteger() && t.IsNumeric(), v.typ.ID == batch.Decimal && t.IsFloat(), v.typ.IsFloat() && t.IsFloat():
	default:
		return v
	}
	c, err := cast(v, t)
	if err != nil {
		return v
	}
	c.lit = true
	return c
}

// join is the table of how two types combine.
func join(a, b batch.Type) batch.Type {
	digits := map[batch.TypeID]int{batch.Int8: 3, batch.Uint8: 3, batch.Int16: 5, batch.Uint16: 5, batch.Int32: 10, batch.Uint32: 10, batch.Int64: 19, batch.Uint64: 20}
	switch {
	case a == b || b.ID == batch.Null:
		return a
	case a.ID == batch.Null:
		return b
	case a.IsInteger() && b.IsInteger():
		if a.IsUnsigned() == b.IsUnsigned() {
			return batch.Of(max(a.ID, b.ID))
		}
		if a.ID == batch.Uint64 || b.ID == batch.Uint64 {
			return batch.DecimalOf(20, 0)
		}
		return batch.Of(batch.Int64)
	case a.IsFloat() && b.IsFloat() && a.ID != batch.Float64 && b.ID != batch.Float64:
		return batch.Of(batch.Float32)
	case a.IsFloat() || b.IsFloat():
		return batch.Of(batch.Float64)
	case a.IsNumeric():
		if a.IsInteger() {
			a = batch.DecimalOf(digits[a.ID], 0)
		}
		if b.IsInteger() {
			b = batch.DecimalOf(digits[b.ID], 0)
		}
		scale := int(max(a.Scale, b.Scale))
		whole := max(int(a.Prec)-int(a.Scale), int(b.Prec)-int(b.Scale))
		return batch.DecimalOf(min(38, whole+scale), scale)
	case a.ID == batch.Date:
		return b
	case b.ID == batch.Date:
		return a
	}
	order := map[batch.Unit]int{batch.Second: 0, batch.Milli: 1, batch.Micro: 2, batch.Nano: 3}
	if order[a.Unit] < order[b.Unit] {
		return b
	}
	return a
}

func together(args ...val) (batch.Type, []val, error) {
	t, lead := common(args)
	out := make([]val, len(args))
	for i, a := range args {
		var err error
		if out[i], err = meet(a, lead, t); err != nil {
			return t, nil, err
		}
	}
	return t, out, nil
}

func in(args []val, negated bool) (val, error) {
	_, vs, err := together(args...)
	if err != nil {
		return null(batch.Of(batch.Bool)), err
	}
	out := boolean(negated)
	for _, v := range vs[1:] {
		if vs[0].null || v.null {
			out.null = true
		} else if compare(vs[0], v) == 0 {
			return boolean(!negated), nil
		}
	}
	return out, nil
}

func between(args []val, negated bool) (val, error) {
	_, vs, err := together(args...)
	if err != nil {
		return null(batch.Of(batch.Bool)), err
	}
	unknown := vs[0].null
	for i, sign := range []int{1, -1} {
		if vs[0].null || vs[i+1].null {
			unknown = true
		} else if compare(vs[0], vs[i+1])*sign < 0 {
			return boolean(negated), nil
		}
	}
	return val{typ: batch.Of(batch.Bool), null: unknown, b: !negated}, nil
}

func negate(v val) (val, error) {
	switch {
	case v.typ.ID == batch.Null:
		return null(batch.Of(batch.Int32)), nil
	case v.typ.IsUnsigned():
		v.typ = join(v.typ, batch.Of(batch.Int8))
	}
	v.lit = false
	if v.null {
		return v, nil
	}
	if v.typ.IsFloat() {
		return val{typ: v.typ, f: -v.f}, nil
	}
	return number(new(big.Rat).Neg(v.num), v.typ)
}

func binary(op string, x, y val) (val, error) {
	switch op {
	case "=", "<>", "<", "<=", ">", ">=":
		_, vs, err := together(x, y)
		if err != nil || vs[0].null || vs[1].null {
			return null(batch.Of(batch.Bool)), err
		}
		c := compare(vs[0], vs[1])
		return boolean(map[string]bool{"=": c == 0, "<>": c != 0, "<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0}[op]), nil
	case "||":
		t := batch.Of(batch.String)
		a, err := cast(x, t)
		if err != nil {
			return null(t), err
		}
		b, err := cast(y, t)
		return val{typ: t, null: a.null || b.null, s: a.s + b.s}, err
	case "is distinct from", "is not distinct from":
		_, vs, err := together(x, y)
		if err != nil {
			return null(batch.Of(batch.Bool)), err
		}
		same := vs[0].null && vs[1].null || !vs[0].null && !vs[1].null && compare(vs[0], vs[1]) == 0
		return boolean(same == (op == "is not distinct from")), nil
	case "//", "&", "|", "<<", ">>", "**":
		return numberCalls[op](op, []val{x, y})
	case "/":
		t := batch.Of(batch.Float64)
		if x.null || y.null {
			return null(t), nil
		}
		return float(x.toFloat()/y.toFloat(), t), nil
	}
	return arithmetic(op, x, y)
}

func arithmetic(op string, x, y val) (val, error) {
	if x.typ.ID == batch.Date {
		return dates(op, x, y)
	}
	t, vs, err := together(x, y)
	if err != nil && op != "*" {
		return null(t), err
	}
	switch {
	case t.ID == batch.Null:
		t = batch.Of(batch.Int32)
	case t.ID == batch.Float16:
		t = batch.Of(batch.Float32)
	case t.ID == batch.Decimal && op == "*":
		a, b := adapted(x, y), adapted(y, x)
		ta, tb := join(a.typ, batch.DecimalOf(1, 0)), join(b.typ, batch.DecimalOf(1, 0))
		t = batch.DecimalOf(min(38, int(ta.Prec)+int(tb.Prec)), int(ta.Scale)+int(tb.Scale))
		vs, err = []val{x, y}, nil
	case t.ID == batch.Decimal && op != "%":
		t.Prec = min(38, t.Prec+1)
	}
	if err != nil || vs[0].null || vs[1].null {
		return null(t), err
	}
	if t.IsFloat() {
		a, b := vs[0].f, vs[1].f
		return float(map[string]float64{"+": a + b, "-": a - b, "*": a * b, "%": math.Mod(a, b)}[op], t), nil
	}
	return exact(op, vs[0].num, vs[1].num, t)
}

func exact(op string, a, b *big.Rat, t batch.Type) (val, error) {
	r := new(big.Rat)
	switch op {
	case "+":
		r.Add(a, b)
	case "-":
		r.Sub(a, b)
	case "*":
		r.Mul(a, b)
	default:
		if b.Sign() == 0 {
			return null(t), fail("division by zero")
		}
		q := r.Quo(a, b)
		whole := new(big.Rat).SetInt(new(big.Int).Quo(q.Num(), q.Denom()))
		r = new(big.Rat).Sub(a, whole.Mul(whole, b))
	}
	return number(r, t)
}

func dates(op string, x, y val) (val, error) {
	t := batch.Of(batch.Date)
	if y.typ.ID == batch.Date {
		t = batch.Of(batch.Int64)
	}
	if x.null || y.null {
		return null(t), nil
	}
	return exact(op, x.num, y.num, t)
}
