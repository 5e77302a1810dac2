package arrow

import "pqjoin/batch"

// validity reads which of n rows have values: the bitmap of a column that has nothing else.
func (p *part) validity(n int) (*batch.Column, error) {
	c, err := batch.NewFixed(p.acct, batch.Of(batch.Bool), n)
	if err != nil {
		return nil, err
	}
	if err := p.setValid(c); err != nil {
		c.Release()
		return nil, err
	}
	return c, nil
}

// setValid reads which of c's rows have values.
func (p *part) setValid(c *batch.Column) error {
	if p.valid == nil {
		return nil
	}
	if err := c.NewValid(p.acct); err != nil {
		return err
	}
	if err := readBits(p.valid, c.Valid, c.N, &p.carry, &p.used); err != nil {
		return err
	}
	c.SetNulls()
	return nil
}

// readBits reads n bits into dst, whose bits are zero. carry holds the last byte read, of whose bits used ones are.
func readBits(s *section, dst []byte, n int, carry *byte, used *int) error {
	at := 0
	if *used > 0 {
		k := min(n, 8-*used)
		dst[0] = *carry >> *used & (1<<k - 1)
		if *used += k; *used == 8 {
			*used = 0
		}
		at = k
	}
	if at == n {
		return nil
	}
	left := n - at
	if at == 0 {
		p := dst[:batch.BitmapLen(n)]
		if err := s.read(p); err != nil {
			return err
		}
		if r := n % 8; r != 0 {
			*carry, *used = p[len(p)-1], r
			p[len(p)-1] &= 1<<r - 1
		}
		return nil
	}
	var part [512]byte
	for left > 0 {
		k := min(left, 8*len(part))
		p := part[:batch.BitmapLen(k)]
		if err := s.read(p); err != nil {
			return err
		}
		batch.CopyBits(dst, at, p, 0, k)
		at, left = at+k, left-k
		if r := k % 8; r != 0 {
			*carry, *used = p[len(p)-1], r
		}
	}
	return nil
}

func (p *part) bools(c *batch.Column) error {
	buf, err := p.acct.Alloc(batch.BitmapLen(c.N))
	if err != nil {
		return err
	}
	defer buf.Release()
	m := buf.Bytes()
	clear(m)
	if err := readBits(p.vals, m, c.N, &p.bcarry, &p.bused); err != nil {
		return err
	}
	for i := range c.N {
		c.Fixed[i] = m[i>>3] >> (i & 7) & 1
	}
	return nil
}
