package groupby

import (
	"fmt"
	"math"
	"math/bits"

	"pqjoin/batch"
)

// registers estimates how many values a sketch has seen, from its registers, each a row: the least hash of those with the
// same first registerBits bits, whose leading zeros behind these, plus one, are what HyperLogLog calls the register.
//
// The estimate is that of algorithm 6 in O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017),
// which needs no correction for small or large numbers. It is a function of how many registers have which value; so the state is
// the sum of 2^-value over registers, in units of 2^-52, how many have the greatest value there is (which are not in the sum), and how many
// there are: whole numbers, that add up in any order.
type registers struct{}

const (
	registerBits  = 12
	registerCount = 1 << registerBits
	registerMost  = 64 - registerBits + 1 // of hashes without another bit
)

func pickRegisters(spec *Spec, a Agg) (kernel, error) {
	if spec.In.Fields[a.Arg].Type != batch.Of(batch.Uint64) || a.Type != batch.Of(batch.Int64) {
		return nil, fmt.Errorf("registers of %s as %s", spec.In.Fields[a.Arg].Type, a.Type)
	}
	return registers{}, nil
}

func (registers) words() int            { return 3 }
func (registers) columns() []batch.Type { return wordTypes(3) }
func (registers) ordered() bool         { return false }
func (registers) viewWord() int         { return 0 }

func (registers) update(t *table, off int, in *input) error {
	hashes := batch.View[uint64](in.col.Fixed)[in.lo:]
	for i, e := range in.ent {
		if e == 0 {
			continue
		}
		w := t.ent[int(e)*t.lay.stride+off:][:3]
		w[2]++
		if value := bits.LeadingZeros64(hashes[i]<<registerBits|1<<(registerBits-1)) + 1; value < registerMost {
			w[0] += 1 << (registerMost - 1 - value)
		} else {
			w[1]++
		}
	}
	return nil
}

func (registers) merge(t *table, off int, cols []*batch.Column, lo int, ent []uint32) error {
	for i, e := range ent {
		w := t.ent[int(e)*t.lay.stride+off:][:3]
		for j := range w {
			w[j] += uint64(cols[j].Int64s()[lo+i])
		}
	}
	return nil
}

func (registers) export(t *table, off int, ents []uint32) ([]*batch.Column, error) {
	return exportWords(t, off, 3, ents)
}

func (registers) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	c, err := batch.NewFixed(t.acct, typ, len(ents))
	if err != nil {
		return nil, err
	}
	for i, e := range ents {
		c.Int64s()[i] = estimate(t.ent[int(e)*t.lay.stride+off:][:3])
	}
	return c, nil
}

// estimate returns the number of values that left the registers of state w.
func estimate(w []uint64) int64 {
	const m, unit = registerCount, 1.0 / (1 << (registerMost - 1))
	if w[2] == 0 {
		return 0
	}
	z := float64(m*tau(1-float64(w[1])/m)) * unit
	z += float64(w[0])*unit + float64(m*sigma(float64(m-w[2])/m))
	return int64(min(math.Round(m*m/(2*math.Ln2*z)), 1<<62))
}

// sigma is x + the sum of x^(2^k) * 2^(k-1) over k from 1 on, for x below 1.
func sigma(x float64) float64 {
	y, z := 1.0, x
	for last := -1.0; z != last; y += y {
		x *= x
		last = z
		z += float64(x * y)
	}
	return z
}

// tau is a third of 1 - x - the sum of (1 - x^(2^-k))^2 * 2^-k over k from 1 on.
func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for last := -1.0; z != last; {
		x = math.Sqrt(x)
		last = z
		y *= 0.5
		z -= float64(float64((1-x)*(1-x)) * y)
	}
	return z / 3
}
