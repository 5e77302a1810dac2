package groupby

import (
	"fmt"
	"math"
	"math/big"

	"pqjoin/batch"
	"pqjoin/groupby/binsum"
)

// The second moments (var, std, cov, corr) come from sums of values and of products, made so that n*sum(xy) -
// sum(x)*sum(y), where most digits cancel if the mean is large, loses nothing that matters:
//
//	integers, decimals   sums and products of two's complement, 192 and 320 bits: exact
//	floats               sums in a binsum.State; a product is cut without error in the double
//	                     nearest to it and the rest (TwoProduct, by fma), each summed by a State of its own
//
// Values so close that digits cancel have products of one magnitude, none of whose digits a State drops. So the result
// depends on the values alone, never on their order, and is that of exact arithmetic up to a few roundings at the end.
//
// T. J. Dekker, "A floating-point technique for extending the available precision" (TwoProduct).
type moment struct {
	fn       string // var, std, cov, corr
	pairs    bool   // of two columns: a row counts where both have a value
	sums     int    // x, then y
	products int    // xy (xx where there is one column), then xx and yy
}

func newMoment(fn string) moment {
	switch fn {
	case "cov":
		return moment{fn: fn, pairs: true, sums: 2, products: 1}
	case "corr":
		return moment{fn: fn, pairs: true, sums: 2, products: 3}
	}
	return moment{fn: fn, sums: 1, products: 1}
}

// pickMoment returns the kernel of a second moment. Two columns are both of exact numbers, or both of floats.
func pickMoment(spec *Spec, a Agg) (kernel, error) {
	m := newMoment(a.Func)
	cols := []int{a.Arg}
	if m.pairs {
		cols = append(cols, a.Arg2)
	}
	floats := 0
	k := momentInt{moment: m}
	for i, c := range cols {
		t := spec.In.Fields[c].Type
		if !t.IsNumeric() || a.Type.ID != batch.Float64 {
			return nil, fmt.Errorf("%s of %s as %s", a.Func, t, a.Type)
		}
		if t.IsFloat() {
			floats++
		}
		k.load[i] = loaderOf(t)
		if t.ID == batch.Decimal {
			k.scale[i] = int(t.Scale)
		}
	}
	switch floats {
	case 0:
		return k, nil
	case len(cols):
		return momentFloat{m}, nil
	}
	return nil, fmt.Errorf("%s of a float and another number", a.Func)
}

func (moment) ordered() bool { return false }
func (moment) viewWord() int { return 0 }

// momentPrec holds every digit of the sums of integers, and more of floats than their result has.
const momentPrec = 768

// exactSums are the sums of one group. Scale is the power of ten that x and y were multiplied by.
type exactSums struct {
	n        uint64
	sum      [2]*big.Float
	products [3]*big.Float
	scale    [2]int
}

// centered returns n*sum(xy) - sum(x)*sum(y).
func (s *exactSums) centered(product, x, y int) *big.Float {
	d := new(big.Float).SetPrec(momentPrec).SetUint64(s.n)
	d.Mul(d, s.products[product])
	return d.Sub(d, new(big.Float).SetPrec(momentPrec).Mul(s.sum[x], s.sum[y]))
}

// value returns the moment of a group, and false where it has none.
func (m moment) value(s *exactSums) (float64, bool) {
	if m.fn == "corr" {
		if s.n == 0 {
			return 0, false
		}
		return correlation(s.centered(0, 0, 1), s.centered(1, 0, 0), s.centered(2, 1, 1)), true
	}
	if s.n < 2 {
		return 0, false
	}
	y := m.sums - 1
	d := s.centered(0, 0, y)
	by := new(big.Float).SetPrec(momentPrec).SetUint64(s.n)
	by.Mul(by, new(big.Float).SetUint64(s.n-1))
	if scale := s.scale[0] + s.scale[y]; scale > 0 {
		ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
		by.Mul(by, new(big.Float).SetPrec(momentPrec).SetInt(ten))
	}
	f, _ := d.Quo(d, by).Float64()
	if m.pairs {
		return f + 0, true
	}
	f = max(f, 0)
	if m.fn == "std" {
		f = math.Sqrt(f)
	}
	return f, true
}

// correlation is that of the centered sums; NaN where a column has one value only.
func correlation(xy, xx, yy *big.Float) float64 {
	if xx.Sign() <= 0 || yy.Sign() <= 0 {
		return math.NaN()
	}
	d := new(big.Float).SetPrec(128).Mul(xx, yy)
	f, _ := xy.Quo(xy, d.Sqrt(d)).Float64()
	return min(max(f+0, -1), 1)
}

// momentFloat is a moment of floats. The state is a binsum.State for each sum, two for each product
// (nearest doubles, rests), and the number of rows.
type momentFloat struct{ moment }

func (k momentFloat) states() int           { return k.sums + 2*k.products }
func (k momentFloat) words() int            { return k.states()*binsum.Words + 1 }
func (k momentFloat) columns() []batch.Type { return wordTypes(k.words()) }

// addProduct deposits x*y in the two states at w.
func addProduct(w []uint64, x, y float64) {
	p := x * y
	binState(w).Add(p)
	if rest := math.FMA(x, y, -p); rest-rest == 0 {
		binState(w[binsum.Words:]).Add(rest)
	}
}

// update costs about 12 ns a deposit, three of them for a variance, eight for a correlation.
func (k momentFloat) update(t *table, off int, in *input) error {
	x := in.col.Float64s()[in.lo:]
	y := x
	if k.pairs {
		y = in.col2.Float64s()[in.lo:]
	}
	n := k.words()
	for i, e := range in.ent {
		if e == 0 {
			continue
		}
		w := t.ent[int(e)*t.lay.stride+off:][:n]
		binState(w).Add(x[i])
		if k.pairs {
			binState(w[binsum.Words:]).Add(y[i])
		}
		p := w[k.sums*binsum.Words:]
		addProduct(p, x[i], y[i])
		if k.products == 3 {
			addProduct(p[2*binsum.Words:], x[i], x[i])
			addProduct(p[4*binsum.Words:], y[i], y[i])
		}
		w[n-1]++
	}
	return nil
}

func (k momentFloat) merge(t *table, off int, cols []*batch.Column, lo int, ent []uint32) error {
	n := k.words()
	var src [binsum.Words]uint64
	for i, e := range ent {
		w := t.ent[int(e)*t.lay.stride+off:][:n]
		for s := 0; s < n-1; s += binsum.Words {
			for j := range src {
				src[j] = uint64(cols[s+j].Int64s()[lo+i])
			}
			binState(w[s:]).Merge(binState(src[:]))
		}
		w[n-1] += uint64(cols[n-1].Int64s()[lo+i])
	}
	return nil
}

func (k momentFloat) export(t *table, off int, ents []uint32) ([]*batch.Column, error) {
	return exportWords(t, off, k.words(), ents)
}

func (k momentFloat) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	for i, e := range ents {
		if t.ent[int(e)*t.lay.stride+off+k.words()-1] >= binsum.MaxCount {
			return nil, &overflow{i: i, value: "a sum of more than 2^39 values"}
		}
	}
	return momentColumn(t, ents, typ, func(e uint32) (float64, bool) {
		return k.group(t.ent[int(e)*t.lay.stride+off:][:k.words()])
	})
}

// group returns the moment of the state w. A value that is NaN or infinite makes it NaN; a product
// beyond the range of doubles makes a variance infinite and a correlation NaN.
func (k momentFloat) group(w []uint64) (float64, bool) {
	s := exactSums{n: w[len(w)-1]}
	if s.n < 2 && k.fn != "corr" {
		return 0, false
	}
	for i := range k.sums {
		st := binState(w[i*binsum.Words:])
		if !st.Finite() {
			return math.NaN(), true
		}
		s.sum[i] = st.Exact(momentPrec)
	}
	for i := range k.products {
		at := w[(k.sums+2*i)*binsum.Words:]
		near, rest := binState(at), binState(at[binsum.Words:])
		if !near.Finite() && k.fn == "corr" {
			return math.NaN(), s.n > 0
		}
		if !near.Finite() {
			return near.Sum(), true
		}
		s.products[i] = near.Exact(momentPrec)
		s.products[i].Add(s.products[i], rest.Exact(momentPrec))
	}
	return k.value(&s)
}

// momentColumn returns what of returns for each entry, null where it is false.
func momentColumn(t *table, ents []uint32, typ batch.Type, of func(e uint32) (float64, bool)) (*batch.Column, error) {
	c, err := batch.NewFixed(t.acct, typ, len(ents))
	if err != nil {
		return nil, err
	}
	null := make([]bool, len(ents))
	for i, e := range ents {
		f, ok := of(e)
		c.Float64s()[i], null[i] = f, !ok
	}
	return withNulls(t, c, func(i int) bool { return null[i] })
}
