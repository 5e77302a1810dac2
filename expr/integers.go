package expr

import (
	"math"
	"math/bits"

	"pqjoin/batch"
)

// intWidth returns the bits of an integer type.
func intWidth(t batch.Type) int {
	switch t.ID {
	case batch.Int8, batch.Uint8:
		return 8
	case batch.Int16, batch.Uint16:
		return 16
	case batch.Int32, batch.Uint32:
		return 32
	}
	return 64
}

// mapInts2 applies fn to the bits of two whole numbers held wide: signed ones stay sign-extended.
func mapInts2(f *frame, fn func(x, y int64) int64) {
	a, ma := values[int64](f.args[0])
	b, mb := values[int64](f.args[1])
	out := f.out.Int64s()
	for i := range out {
		out[i] = fn(a[i&ma], b[i&mb])
	}
}

func intKernel2(fn func(x, y int64) int64) kernelFunc {
	return func(*node) func(*frame) error {
		return func(f *frame) error { mapInts2(f, fn); return nil }
	}
}

var (
	kernelXor    = intKernel2(func(x, y int64) int64 { return x ^ y })
	kernelBitAnd = intKernel2(func(x, y int64) int64 { return x & y })
	kernelBitOr  = intKernel2(func(x, y int64) int64 { return x | y })
)

func kernelBitNot(n *node) func(*frame) error {
	mask := int64(-1)
	if n.typ.IsUnsigned() {
		mask = int64(uint64(math.MaxUint64) >> (64 - intWidth(n.typ)))
	}
	return func(f *frame) error {
		in, m := values[int64](f.args[0])
		out := f.out.Int64s()
		for i := range out {
			out[i] = in[i&m] ^ mask
		}
		return nil
	}
}

func kernelBitCount(n *node) func(*frame) error {
	t := n.args[0].typ
	mask := uint64(math.MaxUint64) >> (64 - intWidth(t))
	return func(f *frame) error {
		in, m := values[uint64](f.args[0])
		out := f.out.Int64s()
		for i := range out {
			out[i] = int64(bits.OnesCount64(in[i&m] & mask))
		}
		return nil
	}
}

// kernelShiftLeft fails where a bit would be lost, as DuckDB does.
func kernelShiftLeft(n *node) func(*frame) error {
	t := n.typ
	return func(f *frame) error {
		x, by := intsOf(f.args[0]), intsOf(f.args[1])
		return eachInt(f, func(i int) (int64, error) {
			v, ok := shiftLeft(x(i), by(i), t)
			if !ok {
				return 0, f.st.rowError("%s << %d does not fit %s", momentText(x(i), t), by(i), t)
			}
			return v, nil
		})
	}
}

func shiftLeft(x, by int64, t batch.Type) (int64, bool) {
	width := intWidth(t)
	if !t.IsUnsigned() {
		if width--; x < 0 {
			return 0, false
		}
	}
	if x == 0 && by >= 0 {
		return 0, true
	}
	if by < 0 || by > 64 || bits.Len64(uint64(x))+int(by) > width {
		return 0, false
	}
	return x << by, true
}

// kernelShiftRight gives 0 where the number of bits is negative or more than the type has.
func kernelShiftRight(n *node) func(*frame) error {
	width, unsigned := int64(intWidth(n.typ)), n.typ.IsUnsigned()
	return func(f *frame) error {
		mapInts2(f, func(x, by int64) int64 {
			switch {
			case by < 0 || by >= width:
				return 0
			case unsigned:
				return int64(uint64(x) >> by)
			}
			return x >> by
		})
		return nil
	}
}

// kernelDivide is //, which drops the rest.
func kernelDivide(n *node) func(*frame) error {
	t := n.typ
	lo, _ := intRange(t)
	return func(f *frame) error {
		a, b := intsOf(f.args[0]), intsOf(f.args[1])
		return eachInt(f, func(i int) (int64, error) {
			x, y := a(i), b(i)
			switch {
			case y == 0:
				return 0, f.divisionByZero("//", momentText(x, t))
			case t.ID == batch.Uint64:
				return int64(uint64(x) / uint64(y)), nil
			case y == -1 && x == lo:
				return 0, f.st.rowError("%d // -1 does not fit %s", x, t)
			}
			return x / y, nil
		})
	}
}

func (f *frame) divisionByZero(op string, x []byte) error {
	err := f.st.rowError("%s %s 0: division by zero", x, op)
	err.Hint = "nullif(y, 0) in place of y gives null there"
	return err
}

// gcd returns the greatest common divisor of two magnitudes.
func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func magnitude64(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

func kernelGCD(*node) func(*frame) error {
	return func(f *frame) error {
		a, b := intsOf(f.args[0]), intsOf(f.args[1])
		return eachInt(f, func(i int) (int64, error) {
			g := gcd(magnitude64(a(i)), magnitude64(b(i)))
			if g > math.MaxInt64 {
				return 0, f.st.rowError("gcd of %d and %d does not fit int64", a(i), b(i))
			}
			return int64(g), nil
		})
	}
}

func kernelLCM(*node) func(*frame) error {
	return func(f *frame) error {
		a, b := intsOf(f.args[0]), intsOf(f.args[1])
		return eachInt(f, func(i int) (int64, error) {
			x, y := magnitude64(a(i)), magnitude64(b(i))
			if x == 0 || y == 0 {
				return 0, nil
			}
			hi, lo := bits.Mul64(x/gcd(x, y), y)
			if hi != 0 || lo > math.MaxInt64 {
				return 0, f.st.rowError("lcm of %d and %d does not fit int64", a(i), b(i))
			}
			return int64(lo), nil
		})
	}
}

func kernelFactorial(*node) func(*frame) error {
	return func(f *frame) error {
		in := intsOf(f.args[0])
		out := f.out.Int128s()
		for i := range f.n {
			if f.null(i) {
				continue
			}
			n := in(i)
			if n < 0 || n > 33 {
				return f.st.rowError("factorial of %d does not fit %s", n, f.typ)
			}
			v := batch.Int128Of(1)
			for k := int64(2); k <= n; k++ {
				v, _ = mul128(v, batch.Int128Of(k))
			}
			out[i] = v
		}
		return nil
	}
}
