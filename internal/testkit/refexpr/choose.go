package refexpr

import (
	"pqjoin/batch"
	"pqjoin/expr"
)

// caseWhen computes the conditions up to the first that is true, and that result alone.
func (e *env) caseWhen(n *expr.Node) (val, error) {
	var types, tests []val
	last := len(n.Args) - 1
	for i := 1; i <= last; i++ {
		if n.Args[i] == nil {
			continue
		}
		t, err := e.typeOf(n.Args[i])
		if err != nil {
			return val{}, err
		}
		if i%2 == 0 || i == last {
			types = append(types, t)
		} else {
			tests = append(tests, t)
		}
	}
	typ, lead := common(types)
	if typ.ID == batch.Null {
		return val{typ: typ, null: true, lit: true}, nil
	}
	operand, testType, testLead := val{}, batch.Of(batch.Bool), val{}
	if n.Args[0] != nil {
		var err error
		if operand, err = e.eval(n.Args[0]); err != nil {
			return val{}, err
		}
		own, err := e.typeOf(n.Args[0])
		if err != nil {
			return val{}, err
		}
		testType, testLead = common(append([]val{own}, tests...))
	}
	pick := func(x *expr.Node) (val, error) {
		if x == nil {
			return null(typ), nil
		}
		v, err := e.eval(x)
		if err != nil {
			return null(typ), err
		}
		return meet(v, lead, typ)
	}
	for i := 1; i < last; i += 2 {
		hit, err := e.eval(n.Args[i])
		if err == nil && n.Args[0] != nil {
			hit, err = equalAs(operand, hit, testType, testLead)
		}
		if err != nil {
			return null(typ), err
		}
		if !hit.null && hit.b && !e.typing {
			return pick(n.Args[i+1])
		}
	}
	if e.typing {
		return null(typ), nil
	}
	return pick(n.Args[last])
}

func equalAs(a, b val, t batch.Type, lead val) (val, error) {
	x, err := meet(a, lead, t)
	if err != nil {
		return val{}, err
	}
	y, err := meet(b, lead, t)
	if err != nil || x.null || y.null {
		return null(batch.Of(batch.Bool)), err
	}
	return boolean(compare(x, y) == 0), nil
}

func (e *env) coalesce(n *expr.Node) (val, error) {
	var types []val
	for _, a := range n.Args {
		t, err := e.typeOf(a)
		if err != nil {
			return val{}, err
		}
		types = append(types, t)
	}
	typ, lead := common(types)
	for _, a := range n.Args {
		v, err := e.eval(a)
		if err != nil {
			return null(typ), err
		}
		if !v.null {
			return meet(v, lead, typ)
		}
	}
	return null(typ), nil
}
