package expr

import (
	"math"

	"pqjoin/batch"
	"pqjoin/internal/floats"
)

var numberFunctions = inGroup("Numbers",
	fn("abs(x) -> type of x", "absolute value", "abs(-2.5)", bindSame, nil).failing(),
	fn("sign(x) -> int8", "-1, 0 or 1; 0 of nan", "sign(-2.5)", bindSign, nil),
	fn("round(x) -> type of x; round(x, digits)", "rounds half away from zero, to digits behind the point (before it where negative)", "round(2.345, 2)", bindRound, nil).failing(),
	fn("trunc(x) -> type of x; trunc(x, digits)", "drops what is behind the digits behind the point (before it where negative)", "trunc(-2.345, 1)", bindRound, nil),
	fn("floor(x) -> type of x", "greatest whole number not above x", "floor(-1.5)", bindWhole, nil).failing(),
	fn("ceil(x) -> type of x", "smallest whole number not below x", "ceil(1.2)", bindWhole, nil).failing().also("ceiling"),
	fn("even(x) -> float64", "the next even number away from zero", "even(2.1)", bindFloats, floatKernel(evenFloat)),
	fn("mod(x, y)", "the rest of x / y, with the sign of x; the same as x % y", "mod(-7, 3)", bindMod, nil),
	fn("fmod(x, y) -> float64", "x - y * floor(x / y), the rest with the sign of y; nan where y is 0", "fmod(-7, 3)", bindFloats, floatKernel2(func(x, y float64) float64 { return x - float64(y*math.Floor(x/y)) })),
	fn("fdiv(x, y) -> float64", "floor(x / y)", "fdiv(-7, 2)", bindFloats, floatKernel2(func(x, y float64) float64 { return math.Floor(x / y) })),
	fn("divide(x, y)", "x // y, the division of whole numbers", "divide(7, 2)", bindDivide, nil).failing().also("div"),
	float1("ln", "natural logarithm; -inf at 0, nan below", "ln(1)", floats.Log),
	fn("log(x) -> float64; log(base, x)", "logarithm to base 10, or to another base", "log(2, 8)", bindLog, floatKernel2(floats.LogBase)),
	float1("log10", "logarithm to base 10", "log10(1000)", floats.Log10),
	float1("log2", "logarithm to base 2", "log2(8)", floats.Log2),
	float1("exp", "e to the power of x", "exp(1)", floats.Exp),
	fn("pow(x, y) -> float64", "x to the power of y; also x ** y", "pow(2, 10)", bindFloats, floatKernel2(floats.Pow)).also("power"),
	float1("sqrt", "square root; nan below 0", "sqrt(2)", math.Sqrt),
	float1("cbrt", "cube root", "cbrt(27)", math.Cbrt),
	float1("sin", "sine of radians", "sin(1)", math.Sin),
	float1("cos", "cosine of radians", "cos(0)", math.Cos),
	float1("tan", "tangent of radians", "tan(1)", math.Tan),
	float1("cot", "cotangent of radians", "cot(1)", func(x float64) float64 { return 1 / math.Tan(x) }),
	float1("asin", "arc sine in radians", "asin(1)", math.Asin),
	float1("acos", "arc cosine in radians", "acos(1)", math.Acos),
	float1("atan", "arc tangent in radians", "atan(1)", math.Atan),
	fn("atan2(y, x) -> float64", "angle of the point (x, y) in radians", "atan2(1, 1)", bindFloats, floatKernel2(floats.Atan2)),
	float1("sinh", "hyperbolic sine", "sinh(1)", floats.Sinh),
	float1("cosh", "hyperbolic cosine", "cosh(1)", floats.Cosh),
	float1("tanh", "hyperbolic tangent", "tanh(1)", math.Tanh),
	float1("asinh", "inverse hyperbolic sine", "asinh(1)", math.Asinh),
	float1("acosh", "inverse hyperbolic cosine; nan below 1", "acosh(2)", math.Acosh),
	float1("atanh", "inverse hyperbolic tangent; nan outside -1 to 1", "atanh(0.5)", math.Atanh),
	float1("degrees", "radians as degrees", "degrees(pi())", func(x float64) float64 { return x * (180 / math.Pi) }),
	float1("radians", "degrees as radians", "radians(180)", func(x float64) float64 { return x * (math.Pi / 180) }),
	fn("pi() -> float64", "the circle's circumference by its diameter", "pi()", bindPi, nil),
	float1("gamma", "the gamma function, (x - 1)! for whole x", "gamma(5)", math.Gamma),
	float1("lgamma", "the logarithm of the gamma function's absolute value", "lgamma(5)", floats.LogGamma),
	fn("factorial(n) -> decimal(38, 0)", "1 * 2 * ... * n, for n up to 33", "factorial(20)", bindFactorial, kernelFactorial).failing(),
	fn("gcd(x, y) -> int64", "greatest common divisor", "gcd(12, 18)", bindInt64s, kernelGCD).failing().also("greatest_common_divisor"),
	fn("lcm(x, y) -> int64", "least common multiple", "lcm(4, 6)", bindInt64s, kernelLCM).failing().also("least_common_multiple"),
	fn("is_nan(x) -> bool", "whether a float is not a number", "is_nan(cast('nan' as float64))", bindFloatTest, floatTest(func(v float64) bool { return v != v })).also("isnan"),
	fn("is_inf(x) -> bool", "whether a float is inf or -inf", "is_inf(1 / 0)", bindFloatTest, floatTest(func(v float64) bool { return math.IsInf(v, 0) })).also("isinf"),
	fn("is_finite(x) -> bool", "whether a float is neither infinite nor nan", "is_finite(1 / 0)", bindFloatTest, floatTest(func(v float64) bool { return v-v == 0 })).also("isfinite"),
	fn("signbit(x) -> bool", "whether a float is negative, or -0.0", "signbit(-0.5)", bindFloatTest, floatTest(func(v float64) bool { return v == v && math.Signbit(v) })),
)

var bitFunctions = inGroup("Bits of whole numbers",
	fn("xor(x, y) -> their common type", "the bits that are set in one of the two", "xor(5, 3)", bindInts, kernelXor),
	fn("bit_count(x) -> int64", "how many bits are set, of as many as the type has", "bit_count(255)", bindBitCount, kernelBitCount),
	bitOperator("&", kernelBitAnd), bitOperator("|", kernelBitOr), bitOperator("<<", kernelShiftLeft).failing(), bitOperator(">>", kernelShiftRight), bitOperator("~", kernelBitNot),
)

func bitOperator(op string, k kernelFunc) function {
	f := function{FunctionDoc: FunctionDoc{Name: op, Signatures: []string{op}}, min: 2, max: 2, bind: bindBits, kernel: k}
	if op == "~" {
		f.min, f.max, f.bind = 1, 1, bindInts
	}
	return f
}

func float1(name, doc, example string, f func(float64) float64) function {
	return fn(name+"(x) -> float64", doc, example, bindFloats, floatKernel(f))
}

func floatKernel(f func(float64) float64) kernelFunc {
	return func(*node) func(*frame) error {
		return func(fr *frame) error { mapFloats(fr, f); return nil }
	}
}

func floatKernel2(f func(x, y float64) float64) kernelFunc {
	return func(*node) func(*frame) error {
		return func(fr *frame) error { mapFloats2(fr, f); return nil }
	}
}

func evenFloat(x float64) float64 {
	up := math.Ceil(math.Abs(x))
	if math.Mod(up, 2) == 1 {
		up++
	}
	return math.Copysign(up, x)
}

// bindLog makes log(x) a log10(x).
func bindLog(n *node) (*node, *Error) {
	if len(n.args) == 1 {
		n.op = "log10"
	}
	return bindFloats(n)
}

func bindMod(n *node) (*node, *Error) {
	n.op = "%"
	return bindArithmetic(n)
}

func bindPi(n *node) (*node, *Error) {
	n.typ = batch.Of(batch.Float64)
	lit := &Node{Op: OpLiteral, Offset: n.off, Type: n.typ, Value: Value{Float: math.Pi}, depth: 1}
	return &node{op: "literal", typ: n.typ, off: n.off, val: lit.Value, written: lit}, nil
}

// bindInt64s types functions of whole numbers that compute in int64.
func bindInt64s(n *node) (*node, *Error) {
	n.typ = batch.Of(batch.Int64)
	for i, a := range n.args {
		if a.typ.ID != batch.Null && (!a.typ.IsInteger() || a.typ.ID == batch.Uint64) {
			return nil, errorAt(a.off, castOr(a.typ, batch.Int64, "cast(x as int64) makes it one"), "%s needs a whole number up to int64, not %s", n.op, a.typ)
		}
		n.args[i] = conv(a, n.typ)
	}
	n.null = mayBeNull(n.args)
	return n, nil
}

func bindFactorial(n *node) (*node, *Error) {
	if _, err := bindInt64s(n); err != nil {
		return nil, err
	}
	n.typ = batch.DecimalOf(38, 0)
	return n, nil
}

func bindBitCount(n *node) (*node, *Error) {
	if _, err := bindInts(n); err != nil {
		return nil, err
	}
	n.typ = batch.Of(batch.Int64)
	return n, nil
}
