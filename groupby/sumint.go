package groupby

import (
	"math"
	"math/big"
	"math/bits"

	"pqjoin/batch"
	"pqjoin/internal/floats"
)

// sumInt sums ints and decimals exactly: 128 bits for arguments of one word, 192 for
// wide ones, so that no order of the rows overflows on the way. The state is the
// sum's words, lowest first, and the number of values.
//
// A mean is the exact sum divided by the count, rounded once to the nearest double; of a
// decimal with a scale, divided by the power of ten as well, with a second rounding.
type sumInt struct {
	mean, wide, unsigned bool
	scale                int
}

func (k sumInt) words() int {
	if k.wide {
		return 4
	}
	return 3
}
func (k sumInt) columns() []batch.Type { return wordTypes(k.words()) }
func (sumInt) ordered() bool           { return false }
func (sumInt) viewWord() int           { return 0 }

func (k sumInt) update(t *table, off int, in *input) error {
	if t.n <= fewEntries && k.sumFew(t, off, in) {
		return nil
	}
	words, stride := t.ent[off:], t.lay.stride
	if k.wide {
		for i, v := range in.col.Int128s()[in.lo : in.lo+len(in.ent)] {
			add192(words[int(in.ent[i])*stride:], v.Lo, uint64(v.Hi), uint64(v.Hi>>63), 1)
		}
		return nil
	}
	vals := in.col.Int64s()[in.lo : in.lo+len(in.ent)]
	signed := ^uint64(0)
	if k.unsigned {
		signed = 0
	}
	for i, v := range vals {
		w := (*[3]uint64)(words[int(in.ent[i])*stride:])
		lo, c := bits.Add64(w[0], uint64(v), 0)
		w[0] = lo
		w[1] += uint64(v>>63)&signed + c
		w[2]++
	}
	return nil
}

func add192(w []uint64, lo, mid, hi, n uint64) {
	w = w[:4]
	var c uint64
	w[0], c = bits.Add64(w[0], lo, 0)
	w[1], c = bits.Add64(w[1], mid, c)
	w[2] += hi + c
	w[3] += n
}

func (k sumInt) merge(t *table, off int, cols []*batch.Column, lo int, ent []uint32) error {
	words, stride := t.ent[off:], t.lay.stride
	var v [4][]int64
	for i, c := range cols {
		v[i] = c.Int64s()[lo:]
	}
	for i, e := range ent {
		w := words[int(e)*stride:]
		if k.wide {
			add192(w, uint64(v[0][i]), uint64(v[1][i]), uint64(v[2][i]), uint64(v[3][i]))
			continue
		}
		s, c := bits.Add64(w[0], uint64(v[0][i]), 0)
		w[0] = s
		w[1] += uint64(v[1][i]) + c
		w[2] += uint64(v[2][i])
	}
	return nil
}

func (k sumInt) export(t *table, off int, ents []uint32) ([]*batch.Column, error) {
	return exportWords(t, off, k.words(), ents)
}

func (k sumInt) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	c, err := batch.NewFixed(t.acct, typ, len(ents))
	if err != nil {
		return nil, err
	}
	if k.mean {
		k.means(t, off, ents, c.Float64s())
	} else if err := k.sums(t, off, ents, c); err != nil {
		c.Release()
		return nil, err
	}
	n := off + k.words() - 1
	return withNulls(t, c, func(i int) bool { return t.ent[int(ents[i])*t.lay.stride+n] == 0 })
}

// total returns the sum at w as three words, two's complement.
func (k sumInt) total(w []uint64) (lo, mid, hi uint64) {
	if k.wide {
		return w[0], w[1], w[2]
	}
	return w[0], w[1], uint64(int64(w[1]) >> 63)
}

func (k sumInt) sums(t *table, off int, ents []uint32, c *batch.Column) error {
	least, most := typeRange(c.Type)
	wide := c.Type.Kind() == batch.KindInt128
	for i, e := range ents {
		lo, mid, hi := k.total(t.ent[int(e)*t.lay.stride+off:])
		v := batch.Int128{Lo: lo, Hi: int64(mid)}
		if hi != uint64(v.Hi>>63) || v.Cmp(least) < 0 || v.Cmp(most) > 0 {
			return &overflow{i: i, value: big192(lo, mid, hi).String()}
		}
		if wide {
			c.Int128s()[i] = v
		} else {
			c.Int64s()[i] = int64(lo)
		}
	}
	return nil
}

func big192(lo, mid, hi uint64) *big.Int {
	v := batch.Int128{Lo: mid, Hi: int64(hi)}.Big()
	return v.Add(v.Lsh(v, 64), new(big.Int).SetUint64(lo))
}

// typeRange returns the least and the greatest unscaled value of an integer or decimal type.
func typeRange(t batch.Type) (least, most batch.Int128) {
	if t.ID == batch.Decimal {
		p := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Prec)), nil)
		most, _ = batch.Int128FromBig(p.Sub(p, big.NewInt(1)))
		return most.Neg(), most
	}
	width := uint(8 * t.StoredWidth())
	if t.IsUnsigned() {
		return batch.Int128{}, batch.Int128{Lo: ^uint64(0) >> (64 - width)}
	}
	return batch.Int128Of(math.MinInt64 >> (64 - width)), batch.Int128Of(math.MaxInt64 >> (64 - width))
}

func (k sumInt) means(t *table, off int, ents []uint32, out []float64) {
	div := floats.Ten(k.scale)
	for i, e := range ents {
		w := t.ent[int(e)*t.lay.stride+off:]
		lo, mid, hi := k.total(w)
		n := w[k.words()-1]
		if n == 0 {
			out[i] = 0
			continue
		}
		out[i] = divide(lo, mid, hi, n)
		if k.scale != 0 {
			out[i] /= div
		}
	}
}

// divide returns the quotient of a 192-bit number and n, rounded to the nearest double.
func divide(lo, mid, hi, n uint64) float64 {
	neg := int64(hi) < 0
	if neg {
		var b uint64
		lo, b = bits.Sub64(0, lo, 0)
		mid, b = bits.Sub64(0, mid, b)
		hi, _ = bits.Sub64(0, hi, b)
	}
	var f float64
	if hi|mid == 0 && lo < 1<<53 && n < 1<<53 {
		f = float64(lo) / float64(n)
	} else {
		f = divideLong([4]uint64{hi, mid, lo, 0}, n)
	}
	if neg {
		return -f
	}
	return f
}

// divideLong divides x (most significant word first, the last one behind the point) by n.
func divideLong(x [4]uint64, n uint64) float64 {
	var q [4]uint64
	var rem uint64
	for i, w := range x {
		q[i], rem = bits.Div64(rem, w, n)
	}
	i := 0
	for i < 2 && q[i] == 0 {
		i++
	}
	// 64 digits from the leading one on, the last of them sticky, round once in the conversion.
	z := uint(bits.LeadingZeros64(q[i]))
	top, rest := q[i], rem
	if z > 0 {
		top = top<<z | q[i+1]>>(64-z)
		rest |= q[i+1] << z
	} else {
		rest |= q[i+1]
	}
	for _, w := range q[min(i+2, 4):] {
		rest |= w
	}
	if rest != 0 {
		top |= 1
	}
	return math.Ldexp(float64(top), 64*(2-i)-int(z))
}
