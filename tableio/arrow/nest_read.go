package arrow

import (
	"errors"
	"fmt"

	"pqjoin/batch"
	"pqjoin/batch/nested"
	"pqjoin/mem"
	"pqjoin/tableio/format"
)

const (
	// nestRows is how many rows of a part of a nested column are looked at at once, and nestBytes of how many bytes they are about at most.
	nestRows  = 4 << 10
	nestBytes = 128 << 10
	// rowBytes is how many bytes of rows are put together at once; one row may have more.
	rowBytes = 512 << 10
)

// assembler puts the rows of a nested column together of its parts, each of which is read from front to back. A value is as
// large as it is; nothing else grows with it but a bit an element.
type assembler struct {
	acct  *mem.Account
	root  *branch
	dicts map[int64]*batch.Column
	b     nested.Builder
	data  *mem.Buf // b.Bytes
	bits  *mem.Buf // of b's
	rows  *batch.Column
	at    int // in rows, which have been put together
	guess int // bytes of a row
}

func newAssembler(p *part) *assembler {
	a := &assembler{acct: p.acct, root: newBranch(p), guess: 16}
	a.b.Grow = a.grow
	return a
}

// grow moves what the builder has to more memory, of which it may use as much as offsets of 32 bits reach.
func (a *assembler) grow(b []byte, n int, bits bool) ([]byte, error) {
	buf := &a.data
	if bits {
		buf = &a.bits
	}
	need := int64(len(b)) + int64(n)
	if need > batch.MaxData {
		return nil, fmt.Errorf("%w: column %s has a value of more than %d bytes, which is not read", format.ErrUnsupported, a.root.col.field.Name, int64(batch.MaxData))
	}
	next, err := a.acct.Alloc(int(max(need, min(2*int64(cap(b)), batch.MaxData), 512)))
	if err != nil {
		return nil, err
	}
	out := next.Bytes()
	out = out[:copy(out, b):min(int64(cap(out)), batch.MaxData)]
	(*buf).Release()
	*buf = next
	return out, nil
}

func (a *assembler) close() {
	if a == nil {
		return
	}
	a.root.close()
	a.rows.Release()
	a.drop()
	a.bits.Release()
	a.rows, a.bits = nil, nil
}

// drop forgets what has been put together in part.
func (a *assembler) drop() {
	a.b.Reset()
	a.b.Bytes = nil
	a.data.Release()
	a.data = nil
}

// fit puts rows together, at most n, where none are left, and returns how many of n there are.
func (a *assembler) fit(n int, dicts map[int64]*batch.Column) (int, error) {
	if a.rows == nil {
		a.dicts = dicts
		if err := a.assemble(n); err != nil {
			a.drop()
			return 0, a.fail(err)
		}
	}
	return min(n, a.rows.N-a.at), nil
}

// fail says what is wrong of nulls where the type has none.
func (a *assembler) fail(err error) error {
	if errors.Is(err, nested.ErrMalformed) {
		return malformedf("column %s: %v", a.root.col.field.Name, err)
	}
	return err
}

// take returns the next n rows, which fit has allowed.
func (a *assembler) take(n int) (*batch.Column, error) {
	c := a.rows
	if a.at > 0 || n < c.N {
		var err error
		if c, err = a.rows.Slice(a.acct, a.at, a.at+n); err != nil {
			return nil, err
		}
	}
	if a.at += n; a.at == a.rows.N {
		if c != a.rows {
			a.rows.Release()
		}
		a.rows, a.at = nil, 0
	}
	return c, nil
}

// assemble puts together the next rows, at most n: fewer where their bytes are many.
func (a *assembler) assemble(n int) error {
	off, err := a.acct.Alloc(4 * (n + 1))
	if err != nil {
		return err
	}
	c := &batch.Column{Type: a.root.col.field.Type, N: n, Off: batch.View[uint32](off.Bytes())[:n+1]}
	c.Adopt(off)
	defer func() {
		if a.rows != c {
			c.Release()
		}
	}()
	if err := c.NewValid(a.acct); err != nil {
		return err
	}
	if err := a.b.Room(min(n*a.guess, rowBytes)); err != nil {
		return err
	}
	c.Off[0] = 0
	row := 0
	for ; row < n && (row == 0 || len(a.b.Bytes) < rowBytes); row++ {
		if err := a.value(a.root); err != nil {
			return inRow(err, row)
		}
		if c.Off[row+1] = uint32(len(a.b.Bytes)); c.Off[row+1] > c.Off[row] { // no value is of no bytes
			c.Valid[row>>3] |= 1 << (row & 7)
		}
	}
	c.N, c.Off, c.Valid, c.Data = row, c.Off[:row+1], c.Valid[:batch.BitmapLen(row)], a.b.Bytes
	c.SetNulls()
	if a.data != nil {
		c.Adopt(a.data)
	}
	a.guess = max(len(a.b.Bytes)*9/8/max(row, 1), 1)
	a.rows, a.data, a.b.Bytes = c, nil, nil
	return nil
}

// inRow gives a misfit the row that was put together: its own is the part's, which is read ahead.
func inRow(err error, row int) error {
	var bad *misfit
	if errors.As(err, &bad) {
		bad.row, bad.ahead = int64(row), true
	}
	return err
}

// value puts together the next row of a part.
func (a *assembler) value(b *branch) error {
	if err := b.load(a.dicts); err != nil {
		return err
	}
	i, row := b.at, b.pos
	b.at, b.pos = b.at+1, b.pos+1
	switch {
	case b.tree == nil:
		return a.b.Value(b.window, i)
	case b.window.IsNull(i):
		return a.b.Null()
	}
	if err := a.b.Begin(b.tree); err != nil {
		return err
	}
	if err := a.parts(b, i, row); err != nil {
		return err
	}
	return a.b.End()
}

// parts puts together those of row i of the window, which is row of all.
func (a *assembler) parts(b *branch, i int, row int64) error {
	switch b.layout() {
	case layoutStruct:
		return a.fields(b, row)
	case layoutFixedList:
		return a.items(b, row*int64(b.col.width), (row+1)*int64(b.col.width))
	case layoutListView:
		from := b.from(i)
		return a.items(b, from, from+b.length(i))
	}
	return a.items(b, b.offs[i], b.offs[i+1])
}

// fields puts together the fields of a struct.
func (a *assembler) fields(b *branch, row int64) error {
	for _, k := range b.kids {
		if err := k.seek(row, a.dicts); err != nil {
			return err
		}
		if err := a.value(k); err != nil {
			return err
		}
	}
	return nil
}

// items puts together the elements of a list, or the entries of a map.
func (a *assembler) items(b *branch, from, to int64) error {
	k := b.kids[0]
	switch {
	case from == to:
		return nil
	case to > k.rows || from > to || from < 0:
		return malformedf("the lists of column %s point behind their elements", b.col.field.Name)
	case from < k.pos:
		return fmt.Errorf("%w: column %s has lists that are not in the order of their rows, or that share elements, which is not read from Arrow files", format.ErrUnsupported, b.col.field.Name)
	}
	if err := k.seek(from, a.dicts); err != nil {
		return err
	}
	switch {
	case b.tree.Kind == nested.Map:
		return a.entries(k, to)
	case k.tree == nil:
		return a.leaves(k, to)
	}
	for k.pos < to {
		if err := a.value(k); err != nil {
			return err
		}
	}
	return nil
}

func (a *assembler) entries(k *branch, to int64) error {
	for k.pos < to {
		if err := k.load(a.dicts); err != nil {
			return err
		}
		if k.window.IsNull(k.at) {
			return malformedf("column %s has entries that are null", k.col.field.Name)
		}
		if err := a.fields(k, k.pos); err != nil {
			return err
		}
		k.at, k.pos = k.at+1, k.pos+1
	}
	return nil
}

// leaves puts together a list of leaves: many at once, where none is null.
func (a *assembler) leaves(k *branch, to int64) error {
	for k.pos < to {
		if err := k.load(a.dicts); err != nil {
			return err
		}
		c, n := k.window, int(min(to-k.pos, int64(k.n-k.at)))
		if c.Nulls == 0 {
			if err := a.run(c, k.at, k.at+n); err != nil {
				return err
			}
		} else {
			for i := k.at; i < k.at+n; i++ {
				if err := a.b.Value(c, i); err != nil {
					return err
				}
			}
		}
		k.at, k.pos = k.at+n, k.pos+int64(n)
	}
	return nil
}

// run appends rows [i, j) of c, none of which is null.
func (a *assembler) run(c *batch.Column, i, j int) error {
	if w := nested.LeafWidth(c.Type); c.Dict == nil && w > 0 && w == c.Type.Kind().Width() && w != 1 {
		return a.b.Run(j-i, c.Fixed[i*w:j*w])
	}
	size := 0
	for r := i; r < j; r++ {
		size += nested.ValueSize(c, r)
	}
	if err := a.b.Run(j-i, nil); err != nil {
		return err
	}
	if err := a.b.Room(size); err != nil {
		return err
	}
	for r := i; r < j; r++ {
		a.b.Bytes = nested.AppendValue(a.b.Bytes, c, r)
	}
	return nil
}

// branch is a part of a nested column while it is read, a window of its rows at a time.
type branch struct {
	*part
	tree   *nested.Type // nil: a leaf
	kids   []*branch
	pos    int64         // the next row
	window *batch.Column // a leaf's rows; of others which rows have values
	n, at  int           // rows of the window, and the next one among them
}

func newBranch(p *part) *branch {
	b := &branch{part: p, tree: p.col.tree}
	for i := range p.kids {
		b.kids = append(b.kids, newBranch(&p.kids[i]))
	}
	return b
}

func (b *branch) close() {
	b.window.Release()
	b.window = nil
	for _, k := range b.kids {
		k.close()
	}
}

// load makes sure that the window holds the next row.
func (b *branch) load(dicts map[int64]*batch.Column) (err error) {
	if b.at < b.n {
		return nil
	}
	if b.pos >= b.rows {
		return malformedf("column %s has %d rows, and more are asked for", b.col.field.Name, b.rows)
	}
	b.window.Release()
	b.window = nil
	n := int(min(nestRows, b.rows-b.pos))
	switch b.layout() {
	case layoutList:
		if b.n > 0 {
			copy(b.offs, b.offs[b.n:b.have+1])
			b.have -= b.n
		}
		if err := b.fillOffsets(n); err != nil {
			return err
		}
	case layoutListView:
		if err := b.fillViews(n); err != nil {
			return err
		}
	case layoutStruct, layoutFixedList:
	default:
		if n, err = b.part.fit(n, dicts); err == nil {
			b.window, err = b.part.take(b.col.field.Type, n, dicts)
		}
		b.n, b.at = n, 0
		return err
	}
	b.window, err = b.validity(n)
	b.n, b.at = n, 0
	return err
}

// fillViews reads where n lists are, and how long.
func (b *branch) fillViews(n int) error {
	w := b.width()
	if err := b.vals.read(b.raw.Bytes()[:n*w]); err != nil {
		return err
	}
	return b.data[0].read(b.scratch.Bytes()[:n*w])
}

// from and length say where list i of the window is: of a null anything.
func (b *branch) from(i int) int64   { return signed(b.raw.Bytes()[i*b.width():], b.width()) }
func (b *branch) length(i int) int64 { return signed(b.scratch.Bytes()[i*b.width():], b.width()) }

// seek passes over rows.
func (b *branch) seek(to int64, dicts map[int64]*batch.Column) error {
	if b.vals == nil && b.valid == nil { // there is nothing to read
		if d := to - b.pos; d < int64(b.n-b.at) {
			b.at += int(d)
		} else {
			b.n, b.at = 0, 0
		}
		b.pos = to
		return nil
	}
	for b.pos < to {
		if err := b.load(dicts); err != nil {
			return err
		}
		k := min(to-b.pos, int64(b.n-b.at))
		b.at, b.pos = b.at+int(k), b.pos+k
	}
	return nil
}
