package extsort

import (
	"errors"
	"math/bits"

	"pqjoin/batch"
	"pqjoin/mem"
)

const (
	shortLen   = 16  // bytes of a string that may be packed into a word, at most
	shortFirst = 256 // rows after which it shows that most strings cannot be
)

// bytePlace is where a byte of a string goes in a word: in so many bits, as (byte - least), and one more where some strings
// end before it, whose bits are 0 there.
type bytePlace struct {
	pos   int
	bits  int
	least byte
	more  uint64
}

// shortStrings returns the columns with those of short strings, of bytes that vary little ("id0042"), as words in the same
// order; false where not all columns can be words of 64 bits together, or where there is no memory for them. It takes 8 bytes a row and column.
func shortStrings(acct *mem.Account, cols []*batch.Column, n int) ([]*batch.Column, bool, error) {
	places, total := make([][]bytePlace, len(cols)), 0
	for i, c := range cols {
		if wordKind(c.Type) {
			continue
		}
		if c.Type.Kind() != batch.KindBytes || c.Type.StoredWidth() > 0 || c.Dict != nil {
			return nil, false, nil
		}
		var ok bool
		if places[i], ok = placesOf(c, n); !ok {
			return nil, false, nil
		}
		for _, p := range places[i] {
			total += p.bits
		}
	}
	if total > 64 {
		return nil, false, nil
	}
	out := make([]*batch.Column, len(cols))
	for i, c := range cols {
		if wordKind(c.Type) {
			out[i] = c.Retain()
			continue
		}
		var err error
		if out[i], err = packed(acct, c, places[i], n); err != nil {
			releaseAll(out)
			if errors.Is(err, mem.ErrLimit) { // sorting the strings themselves may take less
				return nil, false, nil
			}
			return nil, false, err
		}
	}
	return out, true, nil
}

func releaseAll(cols []*batch.Column) {
	for _, c := range cols {
		c.Release()
	}
}

// placesOf measures the bytes of the first n strings; false where they do not fit a word. Cost: about 10 ns a row where they do.
func placesOf(c *batch.Column, n int) ([]bytePlace, bool) {
	var least, most [shortLen]byte
	for p := range least {
		least[p] = 255
	}
	shortest, longest := shortLen, 0
	for lo, hi := 0, min(shortFirst, n); lo < n; lo, hi = hi, n {
		for i := lo; i < hi; i++ {
			if c.Valid != nil && c.IsNull(i) {
				continue
			}
			v := c.Data[c.Off[i]:c.Off[i+1]]
			if len(v) > shortLen {
				return nil, false
			}
			shortest, longest = min(shortest, len(v)), max(longest, len(v))
			for p, b := range v {
				least[p], most[p] = min(least[p], b), max(most[p], b)
			}
		}
		places, total := []bytePlace{}, 0
		for p := range longest {
			at := bytePlace{pos: p, least: least[p]}
			if p >= shortest {
				at.more = 1
			}
			if at.bits = bits.Len64(uint64(most[p]-least[p]) + at.more); at.bits > 0 {
				places, total = append(places, at), total+at.bits
			}
		}
		if total > 64 {
			return nil, false
		}
		if hi == n {
			return places, true
		}
	}
	return nil, false
}

// packed returns the strings as words.
func packed(acct *mem.Account, c *batch.Column, places []bytePlace, n int) (*batch.Column, error) {
	out, err := batch.NewFixed(acct, batch.Of(batch.Uint64), n)
	if err != nil {
		return nil, err
	}
	words := out.Int64s()
	for i := range words {
		v, w := c.Data[c.Off[i]:c.Off[i+1]], uint64(0)
		for _, p := range places {
			w <<= p.bits
			if p.pos < len(v) {
				w |= uint64(v[p.pos]-p.least) + p.more
			}
		}
		words[i] = int64(w)
	}
	return out.ShareNulls(c), nil
}
