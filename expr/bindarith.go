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
	if x.op == "interval" || y.op == "interval" {
		return bindAddInterval(n)
	}
	if t, ok := dateArithmetic(n, x.typ, y.typ); ok {
		n.typ, n.null = t, x.null || y.null
		switch t.ID {
		case batch.Date:
			n.args[1] = conv(y, batch.Of(batch.Int64))
		case batch.Timestamp:
			n.args[0] = conv(x, t)
		}
		return n, nil
	}
	for _, a := range n.args {
		if !a.typ.IsNumeric() && a.typ.ID != batch.Null {
			return nil, errorAt(a.off, arithmeticHint(a), "%s needs numbers, not %s and %s", n.op, x.typ, y.typ)
		}
	}
	n.null = x.null || y.null
	if n.op == "//" {
		return bindDivide(n)
	}
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
	return arithmeticType(n, t), nil
}

// arithmeticType gives sums and the like their type, of operands that meet in t.
func arithmeticType(n *node, t batch.Type) *node {
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
	return n
}

func arithmeticHint(a *node) string {
	switch {
	case a.typ.ID == batch.Nested:
		return nestedFunctionsHint
	case a.typ.ID == batch.String:
		return "cast(x as float64) reads a text as a number; || joins texts"
	case isClock(a.typ):
		return "date_diff('second', a, b) is the time between two, t + interval '1 day' another time"
	}
	return ""
}

// bindDivide types //, the division of whole numbers that drops the rest.
func bindDivide(n *node) (*node, *Error) {
	for _, a := range n.args {
		if !a.typ.IsInteger() && a.typ.ID != batch.Null {
			return nil, errorAt(a.off, "floor(x / y) divides any numbers", "// divides whole numbers, not %s", a.typ)
		}
	}
	return bindInts(n)
}

// bindInts brings whole numbers to the type in which they meet.
func bindInts(n *node) (*node, *Error) {
	for _, a := range n.args {
		if !a.typ.IsInteger() && a.typ.ID != batch.Null {
			return nil, errorAt(a.off, castOr(a.typ, batch.Int64, "cast(x as int64) makes a number whole"), "%s needs whole numbers, not %s", n.op, a.typ)
		}
	}
	t, err := meet(n.args, n.off, "in "+n.op)
	if err != nil {
		return nil, err
	}
	if t.ID == batch.Decimal {
		return nil, errorAt(n.off, "cast one of them", "%s does not take an uint64 and a signed number", n.op)
	}
	if t.ID == batch.Null {
		t = batch.Of(batch.Int32)
		for i, a := range n.args {
			n.args[i] = conv(a, t)
		}
	}
	n.typ, n.null = t, mayBeNull(n.args)
	return n, nil
}

// bindBits types & | << >> ~ and xor. The number of bits to shift by is an int64.
func bindBits(n *node) (*node, *Error) {
	if n.op != "<<" && n.op != ">>" {
		return bindInts(n)
	}
	by := n.args[1]
	if by.typ.ID != batch.Null && (!by.typ.IsInteger() || by.typ.ID == batch.Uint64) {
		return nil, errorAt(by.off, "", "%s needs a whole number of bits, not %s", n.op, by.typ)
	}
	x := &node{op: n.op, off: n.off, args: n.args[:1:1]}
	if _, err := bindInts(x); err != nil {
		return nil, err
	}
	n.args = []*node{x.args[0], conv(by, batch.Of(batch.Int64))}
	n.typ, n.null = x.typ, mayBeNull(n.args)
	return n, nil
}

// dateArithmetic knows date + days, date - days, date - date and date + time.
func dateArithmetic(n *node, x, y batch.Type) (batch.Type, bool) {
	days := y.IsInteger() && y.ID != batch.Uint64
	switch {
	case x.ID == batch.Date && days && (n.op == "+" || n.op == "-"):
		return x, true
	case x.ID == batch.Date && y.ID == batch.Time && n.op == "+":
		return batch.TimestampOf(y.Unit, y.UTC), true
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
