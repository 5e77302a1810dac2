package hashjoin

import (
	"fmt"

	"pqjoin/batch"
	"pqjoin/mem"
)

// prober joins left batches with a table, one left batch at a time, and puts out
// batches of at most BatchRows rows: a key that multiplies makes many batches, not a large one.
type prober struct {
	j    *join
	acct *mem.Account
	h    batch.Hasher
	dict dictRefs
	// dictMax is the most entries of a dictionary that are resolved for a batch of fewer rows: worth it while the table lasts.
	dictMax int

	t     *RightTable // borrowed
	left  *batch.Batch
	refs  []ref
	rbuf  *mem.Buf
	asked asked
	row   int    // left row in hand
	at    uint32 // matches of it already put out
	ones  bool   // every left row is put out exactly once
	want  int64  // rows that the batch must put out, and
	sent  int64  // those it has
	// seen, where it is not nil, has a bit a left row: it is set where the row matched, and rows without a match are not put out,
	// nor any row of a semi or anti join: there are more right rows to come.
	seen []byte
	// all says that every left row is put out once, without a look at the right: the verdict is known.
	all bool
	// hit, where it is not nil, has a bit a right row, from row base on those of the table: it is set where the row matched.
	hit  []byte
	base int

	li, ri []uint32
	ibuf   *mem.Buf
}

func (p *prober) close() {
	p.finishBatch()
	p.ibuf.Release()
	p.ibuf = nil
	p.dict.release()
}

func (p *prober) finishBatch() {
	p.left.Release()
	p.rbuf.Release()
	p.left, p.rbuf, p.refs = nil, nil, nil
}

// probe takes left over and looks its keys up in t, which must live until the batch is done.
func (p *prober) probe(t *RightTable, left *batch.Batch) error {
	p.t, p.left, p.row, p.at, p.want, p.sent = t, left, 0, 0, 0, 0
	var err error
	if p.rbuf, err = p.acct.Alloc(8 * left.N); err != nil {
		return err
	}
	p.refs = batch.View[ref](p.rbuf.Bytes())
	if err := p.lookup(); err != nil {
		return err
	}
	p.measure()
	return nil
}

func (p *prober) lookup() error {
	if key := p.j.leftKeys; len(key.cols) == 1 && p.left.N > 0 {
		if c := p.left.Cols[key.cols[0]]; c.Dict != nil && (c.Dict.N <= max(p.left.N, p.dictMax) || p.dict.has(c.Dict, p.t)) {
			return p.dict.find(p, c)
		}
	}
	ks, err := p.j.leftKeys.extract(p.acct, p.left, &p.h)
	if err != nil {
		return err
	}
	p.t.find(&ks, p.refs, &p.asked)
	ks.release()
	return nil
}

// measure counts the rows that the batch makes.
func (p *prober) measure() {
	if p.j.spec.Kind.filters() {
		p.judge()
		return
	}
	matches, missing, many := int64(0), int64(0), uint32(0)
	for i, r := range p.refs {
		if p.seen != nil && r.n > 0 {
			p.seen[i>>3] |= 1 << (i & 7)
		}
		matches += int64(r.n)
		many |= r.n
		if r.n == 0 {
			missing++
		}
	}
	p.want = matches
	if p.missing() {
		p.want += missing
	}
	p.ones = many <= 1 && p.want == int64(p.left.N)
	p.j.matches.Add(matches)
}

// missing says whether left rows without a match are put out.
func (p *prober) missing() bool { return p.j.spec.Kind.keepsLeft() && p.seen == nil }

// judge makes each ref of a semi or anti join one row, which nobody looks at, or none: whether the left row is put out.
func (p *prober) judge() {
	matches, anti, now := int64(0), uint32(0), uint32(1)
	if p.j.spec.Kind == Anti {
		anti = 1
	}
	if p.seen != nil {
		now = 0
	}
	for i, r := range p.refs {
		hit := min(r.n, 1)
		matches += int64(r.n)
		if p.seen != nil {
			p.seen[i>>3] |= byte(hit) << (i & 7)
		}
		keep := (hit ^ anti) & now
		if p.all {
			keep = 1
		}
		p.refs[i] = ref{0, keep}
		p.want += int64(keep)
	}
	p.ones = p.want == int64(p.left.N)
	p.j.matches.Add(matches)
}

// next returns the next batch of output, or nil when the left batch is done.
func (p *prober) next() (*batch.Batch, error) {
	if p.left == nil {
		return nil, nil
	}
	n := int(min(p.want-p.sent, int64(p.j.spec.BatchRows)))
	if n == 0 {
		p.finishBatch()
		return nil, nil
	}
	if err := p.j.emit(n); err != nil {
		return nil, err
	}
	if err := p.room(n); err != nil {
		return nil, err
	}
	from := p.row
	filled, miss := p.pairs(n)
	if filled != n {
		return nil, fmt.Errorf("%w: join %s: %d rows of a batch of %d", ErrSelfCheck, p.j.spec.Name, filled, n)
	}
	p.sent += int64(n)
	if p.hit != nil {
		p.mark(p.ri[:n])
	}
	if p.ones {
		return p.assembleShared(from, n, miss)
	}
	return p.assemble(n, miss)
}

// mark notes the right rows that matched.
func (p *prober) mark(rows []uint32) {
	for _, r := range rows {
		if r != batch.Missing {
			at := p.base + int(r)
			p.hit[at>>3] |= 1 << (at & 7)
		}
	}
}

func (p *prober) room(n int) error {
	if len(p.li) >= n {
		return nil
	}
	p.ibuf.Release()
	p.li, p.ri = nil, nil
	var err error
	if p.ibuf, err = p.acct.Alloc(8 * n); err != nil {
		return err
	}
	idx := batch.View[uint32](p.ibuf.Bytes())
	p.li, p.ri = idx[:n], idx[n:]
	return nil
}

// pairs fills li and ri with up to n pairs of row ids, and says whether some have no right row.
func (p *prober) pairs(n int) (filled int, miss bool) {
	li, ri := p.li[:n], p.ri[:n]
	left := p.missing()
	o := 0
	if p.t.order == nil || p.j.spec.Kind.filters() {
		return p.singles(li, ri, left)
	}
	for o < n && p.row < len(p.refs) {
		r := p.refs[p.row]
		switch {
		case r.n == 0 && left:
			li[o], ri[o], miss = uint32(p.row), batch.Missing, true
			o++
		case r.n == 0:
		default:
			m := copy(ri[o:], p.t.order[r.lo+p.at:r.lo+r.n])
			for k := range li[o : o+m] {
				li[o+k] = uint32(p.row)
			}
			o += m
			if p.at += uint32(m); p.at < r.n {
				return o, miss
			}
			p.at = 0
		}
		p.row++
	}
	return o, miss
}

// singles is pairs for a table with one row a key. Cost: 1 to 2 ns a row, without a branch on whether it matched.
func (p *prober) singles(li, ri []uint32, left bool) (filled int, miss bool) {
	ri = ri[:len(li)]
	o, row := 0, p.row
	if left {
		rest := p.refs[row:min(row+len(li), len(p.refs))]
		for i, r := range rest {
			lo := r.lo
			if r.n == 0 {
				lo, miss = batch.Missing, true
			}
			li[i], ri[i] = uint32(row+i), lo
		}
		p.row += len(rest)
		return len(rest), miss
	}
	for ; o < len(li) && row < len(p.refs); row++ {
		r := p.refs[row]
		li[o], ri[o] = uint32(row), r.lo
		o += int(r.n)
	}
	p.row = row
	return o, false
}

// assembleShared makes the batch of left rows [from, from+n), each put out once, without copying them.
func (p *prober) assembleShared(from, n int, miss bool) (*batch.Batch, error) {
	out, err := p.left.Slice(p.acct, from, from+n)
	if err != nil {
		return nil, err
	}
	out.Schema = p.j.out
	return p.gatherRight(out, n, miss)
}

func (p *prober) assemble(n int, miss bool) (*batch.Batch, error) {
	out, err := batch.GatherBatch(p.acct, p.left, p.li[:n])
	if err != nil {
		return nil, err
	}
	out.Schema = p.j.out
	return p.gatherRight(out, n, miss)
}

// gatherRight appends the right columns to out, which it takes over.
func (p *prober) gatherRight(out *batch.Batch, n int, miss bool) (*batch.Batch, error) {
	for _, c := range p.j.rightOut {
		g, err := p.t.gather(p.acct, c, p.ri[:n], miss)
		if err != nil {
			out.Release()
			return nil, err
		}
		out.Cols = append(out.Cols, g)
	}
	return out, nil
}

// dictRefs remembers what the entries of the last dictionary refer to.
type dictRefs struct {
	dict *batch.Column
	t    *RightTable
	refs []ref
	buf  *mem.Buf
}

func (d *dictRefs) release() {
	d.dict.Release()
	d.buf.Release()
	*d = dictRefs{}
}

func (d *dictRefs) has(dict *batch.Column, t *RightTable) bool { return d.dict == dict && d.t == t }

// find resolves the rows of c, p's only key column, through its dictionary, once an entry.
func (d *dictRefs) find(p *prober, c *batch.Column) error {
	null := p.t.nullRef()
	if c.Dict.N == 0 {
		for i := range p.refs {
			p.refs[i] = null
		}
		return nil
	}
	if !d.has(c.Dict, p.t) {
		d.release()
		if err := d.resolve(p, c.Dict); err != nil {
			return err
		}
	}
	for i, k := range c.Codes[:c.N] {
		p.refs[i] = d.refs[k]
	}
	if c.Valid == nil {
		return nil
	}
	for i := range p.refs {
		if c.IsNull(i) {
			p.refs[i] = null
		}
	}
	return nil
}

func (d *dictRefs) resolve(p *prober, dict *batch.Column) error {
	ks, err := p.j.leftKeys.extractCols(p.acct, []*batch.Column{dict}, dict.N, 0, &p.h)
	if err != nil {
		return err
	}
	defer ks.release()
	if d.buf, err = p.acct.Alloc(8 * dict.N); err != nil {
		return err
	}
	d.refs = batch.View[ref](d.buf.Bytes())
	p.t.find(&ks, d.refs, nil)
	d.dict, d.t = dict.Retain(), p.t
	return nil
}
