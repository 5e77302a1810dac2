package refexpr

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"slices"

	"pqjoin/batch"
	"pqjoin/internal/floats"
)

// A function computes one call; errors of values carry the type of the result.
type function func(name string, args []val) (val, error)

var numberCalls = map[string]function{
	"trunc": whole, "//": divide, "divide": divide, "&": bitwise, "|": bitwise, "xor": bitwise, "<<": shift, ">>": shift, "~": flip,
	"bit_count": bitCount, "gcd": common64, "lcm": common64, "factorial": factorial,
	"log": logarithm, "fmod": floatPair, "fdiv": floatPair, "**": floatPair, "even": even,
	"is_inf": floatTest, "signbit": floatTest, "pi": func(string, []val) (val, error) { return float(math.Pi, batch.Of(batch.Float64)), nil },
}

func anyNull(args []val) bool { return slices.ContainsFunc(args, func(v val) bool { return v.null }) }

func integer(n *big.Int, t batch.Type) (val, error) { return number(new(big.Rat).SetInt(n), t) }

func whole64(n int64) val {
	return val{typ: batch.Of(batch.Int64), num: new(big.Rat).SetInt64(n)}
}

// integers brings whole numbers to one type.
func integers(args []val) (batch.Type, []val, error) {
	t, vs, err := together(args...)
	if t.ID == batch.Null {
		t = batch.Of(batch.Int32)
	}
	return t, vs, err
}

func divide(_ string, args []val) (val, error) {
	t, vs, err := integers(args)
	if err != nil || anyNull(vs) {
		return null(t), err
	}
	if vs[1].num.Sign() == 0 {
		return null(t), fail("division by zero")
	}
	return integer(new(big.Int).Quo(vs[0].num.Num(), vs[1].num.Num()), t)
}

func bitwise(name string, args []val) (val, error) {
	t, vs, err := integers(args)
	if err != nil || anyNull(vs) {
		return null(t), err
	}
	x, y, r := vs[0].num.Num(), vs[1].num.Num(), new(big.Int)
	switch name {
	case "&":
		r.And(x, y)
	case "|":
		r.Or(x, y)
	default:
		r.Xor(x, y)
	}
	return integer(r, t)
}

func width(t batch.Type) int {
	return map[batch.TypeID]int{batch.Int8: 8, batch.Uint8: 8, batch.Int16: 16, batch.Uint16: 16, batch.Int32: 32, batch.Uint32: 32, batch.Int64: 64, batch.Uint64: 64}[t.ID]
}

func shift(name string, args []val) (val, error) {
	t := args[0].typ
	if t.ID == batch.Null {
		t = batch.Of(batch.Int32)
	}
	if anyNull(args) {
		return null(t), nil
	}
	x, by := args[0].num.Num(), args[1].num.Num().Int64()
	outside := by < 0 || by >= int64(width(t))
	switch {
	case name == ">>" && outside:
		return integer(new(big.Int), t)
	case name == ">>":
		return integer(new(big.Int).Rsh(x, uint(by)), t)
	case x.Sign() < 0 || by < 0:
		return null(t), fail("%s << %d", x, by)
	}
	return integer(new(big.Int).Lsh(x, uint(min(by, 100))), t)
}

func flip(_ string, args []val) (val, error) {
	t, vs, err := integers(args)
	if err != nil || anyNull(vs) {
		return null(t), err
	}
	r := new(big.Int).Not(vs[0].num.Num())
	if t.IsUnsigned() {
		r.Add(r, new(big.Int).Lsh(big.NewInt(1), uint(width(t))))
	}
	return integer(r, t)
}

func bitCount(_ string, args []val) (val, error) {
	t := batch.Of(batch.Int64)
	if anyNull(args) {
		return null(t), nil
	}
	n := new(big.Int).Set(args[0].num.Num())
	if n.Sign() < 0 {
		n.Add(n, new(big.Int).Lsh(big.NewInt(1), uint(width(args[0].typ))))
	}
	count := 0
	for _, w := range n.Bits() {
		count += bits.OnesCount(uint(w))
	}
	return whole64(int64(count)), nil
}

func common64(name string, args []val) (val, error) {
	t := batch.Of(batch.Int64)
	if anyNull(args) {
		return null(t), nil
	}
	x, y := new(big.Int).Abs(args[0].num.Num()), new(big.Int).Abs(args[1].num.Num())
	r := new(big.Int).GCD(nil, nil, x, y)
	if name == "lcm" && r.Sign() != 0 {
		r.Mul(x, y).Quo(r, new(big.Int).GCD(nil, nil, x, y))
	}
	return integer(r, t)
}

func factorial(_ string, args []val) (val, error) {
	t := batch.DecimalOf(38, 0)
	if anyNull(args) {
		return null(t), nil
	}
	n := args[0].num.Num()
	if n.Sign() < 0 || n.Cmp(big.NewInt(100)) > 0 {
		return null(t), fail("factorial of %s", n)
	}
	return integer(new(big.Int).MulRange(1, n.Int64()), t)
}

func logarithm(_ string, args []val) (val, error) {
	t := batch.Of(batch.Float64)
	if anyNull(args) {
		return null(t), nil
	}
	if len(args) == 1 {
		return float(floats.Log10(args[0].toFloat()), t), nil
	}
	return float(floats.LogBase(args[0].toFloat(), args[1].toFloat()), t), nil
}

func floatPair(name string, args []val) (val, error) {
	t := batch.Of(batch.Float64)
	if anyNull(args) {
		return null(t), nil
	}
	x, y := args[0].toFloat(), args[1].toFloat()
	switch name {
	case "**":
		return float(floats.Pow(x, y), t), nil
	case "fdiv":
		return float(math.Floor(x/y), t), nil
	}
	product := math.Floor(x/y) * y
	return float(x-product, t), nil
}

func even(_ string, args []val) (val, error) {
	t := batch.Of(batch.Float64)
	if anyNull(args) {
		return null(t), nil
	}
	x := args[0].toFloat()
	r := 2 * math.Ceil(math.Abs(x)/2)
	return float(math.Copysign(r, x), t), nil
}

func floatTest(name string, args []val) (val, error) {
	if anyNull(args) {
		return null(batch.Of(batch.Bool)), nil
	}
	x := args[0].toFloat()
	switch name {
	case "is_inf":
		return boolean(math.IsInf(x, 0)), nil
	case "signbit":
		return boolean(!math.IsNaN(x) && (x < 0 || 1/x < 0)), nil
	}
	return val{}, fmt.Errorf("%s: %w", name, ErrUnknown)
}

// truncated drops what is behind a digit.
func truncated(r *big.Rat, digits int) *big.Rat {
	p := new(big.Rat).SetInt(ten(max(digits, -digits)))
	if digits < 0 {
		p.Inv(p)
	}
	x := new(big.Rat).Mul(r, p)
	q := new(big.Rat).SetInt(new(big.Int).Quo(x.Num(), x.Denom()))
	return q.Quo(q, p)
}
