package expr

import "pqjoin/batch"

func bindNegate(n *node) (*node, *Error) {
	n.op = "neg"
	a := n.args[0]
	switch {
	case a.typ.ID == batch.Null:
		a = conv(a, batch.Of(batch.Int32))
	case a.typ.IsUnsigned():
		a = conv(a, commonInt(a.typ, batch.Of(batch.Int8)))
	case !a.typ.IsNumeric():
		return nil, errorAt(a.off, "", "- needs a number, not %s", a.typ)
	}
	n.args[0], n.typ, n.null = a, a.typ, a.null
	return n, nil
}

func bindArithmetic(n *node) (*node, *Error) {
	x, y := n.args[0], n.args[1]
	if t, ok := dateArithmetic(n, x.typ, y.typ); ok {
		n.typ, n.null = t, x.null || y.null
		if t.ID == batch.Date {
			n.args[1] = conv(y, batch.Of(batch.Int64))
		}
		return n, nil
	}
	for _, a := range n.args {
		if !a.typ.IsNumeric() && a.typ.ID != batch.Null {
			return nil, errorAt(a.off, arithmeticHint(a), "%s needs numbers, not %s and %s", n.op, x.typ, y.typ)
		}
	}
	n.null = x.null || y.null
	if n.op == "/" {
		n.typ = batch.Of(batch.Float64)
		n.args[0], n.args[1] = conv(x, n.typ), conv(y, n.typ)
		return n, nil
	}
	if n.op == "*" {
		if done, err := bindDecimalMul(n); done || err != nil {
			return n, err
		}
	}
	t, err := meet(n.args, n.off, "in "+n.op)
	if err != nil {
		return nil, err
	}
	if t.ID == batch.Null {
		t = batch.Of(batch.Int32)
		n.args[0], n.args[1] = conv(n.args[0], t), conv(n.args[1], t)
	}
	if t.ID == batch.Float16 {
		t = batch.Of(batch.Float32)
	}
	n.typ = t
	if t.ID == batch.Decimal {
		if n.op != "%" {
			n.typ.Prec = min(t.Prec+1, 38)
		}
	}
	n.null = n.null || n.op == "%" && !t.IsFloat()
	return n, nil
}

func arithmeticHint(a *node) string {
	if a.typ.ID == batch.String {
		return "cast(x as float64) reads a text as a number; || joins texts"
	}
	return ""
}

// dateArithmetic knows date + days, date - days and date - date.
func dateArithmetic(n *node, x, y batch.Type) (batch.Type, bool) {
	days := y.IsInteger() && y.ID != batch.Uint64
	switch {
	case x.ID == batch.Date && days && (n.op == "+" || n.op == "-"):
		return x, true
	case x.ID == batch.Date && y.ID == batch.Date && n.op == "-":
		return batch.Of(batch.Int64), true
	}
	return batch.Type{}, false
}

// bindDecimalMul types the product of two decimals, or of a decimal and an int: the digits add up.
func bindDecimalMul(n *node) (bool, *Error) {
	for i := range n.args {
		a, err := adapt(n.args[i], n.args[1-i])
		if err != nil {
			return false, err
		}
		n.args[i] = a
	}
	x, y := n.args[0], n.args[1]
	exact := func(t batch.Type) bool { return t.ID == batch.Decimal || t.IsInteger() }
	if !exact(x.typ) || !exact(y.typ) || x.typ.IsInteger() && y.typ.IsInteger() && commonInt(x.typ, y.typ).ID != batch.Decimal {
		return false, nil
	}
	tx, ty := asDecimal(x.typ), asDecimal(y.typ)
	scale := int(tx.Scale) + int(ty.Scale)
	if scale > 38 {
		return false, errorAt(n.off, "cast one of them to float64 or to fewer digits", "the product of %s and %s needs %d digits behind the point, more than 38", tx, ty, scale)
	}
	n.args[0], n.args[1] = conv(x, tx), conv(y, ty)
	n.typ = batch.DecimalOf(min(int(tx.Prec)+int(ty.Prec), 38), scale)
	return true, nil
}
