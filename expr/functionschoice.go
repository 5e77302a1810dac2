package expr

import "pqjoin/batch"

var choiceFunctions = inGroup("Choices and nulls",
	fn("greatest(x, ...)", "the greatest value; nulls are passed over", "greatest(1, 3, null)", bindChoice, nil),
	fn("least(x, ...)", "the smallest value; nulls are passed over", "least(1, 3, null)", bindChoice, nil),
	fn("coalesce(x, ...)", "the first value that is not null", "coalesce(null, 2, 3)", bindChoice, nil).also("ifnull", "nvl"),
	fn("nullif(x, y) -> type of x", "null where x equals y, else x", "nullif(0, 0)", bindNullIf, nil),
	fn("try(x) -> type of x", "x, or null where computing it fails", "try(1 // 0)", bindTry, nil),
	fn("if(condition, x, y)", "x where the condition is true, else y", "if(1 < 2, 'a', 'b')", bindIf, nil).also("iff"),
)

var otherFunctions = inGroup("Other",
	fn("typeof(x) -> string", "the name of the type of x", "typeof(1.5)", bindTypeOf, nil),
	fn("hash(x, ...) -> uint64", "a number that depends on the values alone, the same in every run and version: numbers that are equal and of the same kind (ints, decimals of a scale, floats, texts) have the same; null has one too", "hash('a')", bindHash, nil),
)

func bindTypeOf(n *node) (*node, *Error) {
	lit := textLiteral(n.off, n.args[0].typ.String())
	return &node{op: "literal", typ: lit.Type, off: n.off, val: lit.Value, written: lit}, nil
}

func bindHash(n *node) (*node, *Error) {
	for i, a := range n.args {
		switch {
		case a.typ.ID == batch.Nested:
			return nil, errorAt(a.off, castOr(a.typ, batch.String, ""), "hash does not take %s values", a.typ)
		case a.typ.ID == batch.Null:
			n.args[i] = conv(a, batch.Of(batch.Int32))
		}
	}
	n.typ = batch.Of(batch.Uint64)
	return n, nil
}
