package expr

import (
	"encoding/binary"
	"fmt"

	"pqjoin/batch"
	"pqjoin/mem"
)

// frame is one call of a strict kernel: flat arguments of n rows (or constants), and
// the result to be filled: out for fixed widths, w for bytes. Rows that are null in an
// argument are null in the result, whatever the kernel writes there.
type frame struct {
	acct  *mem.Account
	n     int
	args  []vec
	typ   batch.Type
	out   *batch.Column
	w     *writer
	valid []byte // bitmap of the result's rows; nil: all
	vbuf  *mem.Buf
	st    *step
}

// strict evaluates a step that is null where an argument is null.
func (x *exec) strict(st *step, args []vec) (vec, error) {
	konst, dicts := true, 0
	var dict *batch.Column
	for _, a := range args {
		if a.konst {
			if a.c.Nulls > 0 {
				c, err := batch.AllNull(x.acct, st.typ, 1)
				return vec{c, true}, err
			}
			continue
		}
		konst = false
		dicts++
		dict = a.c
	}
	if dicts == 1 && dict.Dict != nil && dict.Dict.N <= dict.N {
		if v, done, err := x.onDict(st, args, dict); done || err != nil {
			return v, err
		}
	}
	n := x.n
	if konst {
		n = 1
	}
	c, err := strictColumn(x.acct, st, args, n)
	return vec{c, konst}, err
}

// onDict evaluates the step on the dictionary alone. It is not done where that fails, since
// entries that no row uses must not matter, or where a result by dictionary would have null entries.
func (x *exec) onDict(st *step, args []vec, dict *batch.Column) (vec, bool, error) {
	inner := make([]vec, len(args))
	for i, a := range args {
		if inner[i] = a; !a.konst {
			inner[i] = vec{c: dict.Dict}
		}
	}
	d, err := strictColumn(x.acct, st, inner, dict.Dict.N)
	if err != nil {
		if isRowError(err) {
			return vec{}, false, nil
		}
		return vec{}, false, err
	}
	if d.Nulls > 0 && d.Type.Kind() == batch.KindBytes {
		d.Release()
		return vec{}, false, nil
	}
	out, err := mapCodes(x.acct, d, dict)
	return vec{c: out}, true, err
}

// mapCodes returns d at the codes of dict, with its nulls: again by dictionary where d
// holds bytes. It takes over the reference to d.
func mapCodes(acct *mem.Account, d, dict *batch.Column) (*batch.Column, error) {
	var out *batch.Column
	var err error
	if d.Type.Kind() == batch.KindBytes {
		if out, err = batch.NewCodes(acct, d, dict.N); err != nil {
			d.Release()
			return nil, err
		}
		copy(out.Codes, dict.Codes[:dict.N])
	} else {
		out, err = batch.Gather(acct, d, dict.Codes[:dict.N], false)
		d.Release()
		if err != nil {
			return nil, err
		}
	}
	if dict.Valid == nil || out.Nulls == out.N { // the latter: an empty dictionary
		return out, nil
	}
	buf, err := acct.Alloc(batch.BitmapLen(dict.N))
	if err != nil {
		out.Release()
		return nil, err
	}
	copy(buf.Bytes(), dict.Valid)
	if out.Valid != nil {
		andBits(buf.Bytes(), out.Valid)
	}
	out.Adopt(buf)
	out.Valid = buf.Bytes()
	return out.SetNulls(), nil
}

// strictColumn runs the kernel over n rows.
func strictColumn(acct *mem.Account, st *step, args []vec, n int) (*batch.Column, error) {
	f := &frame{acct: acct, n: n, typ: st.typ, st: st, args: make([]vec, 0, len(args))}
	defer f.release()
	for _, a := range args {
		flat, err := batch.Flatten(acct, a.c)
		if err != nil {
			return nil, err
		}
		f.args = append(f.args, vec{flat, a.konst})
	}
	if err := f.combineValid(); err != nil {
		return nil, err
	}
	return f.run()
}

func (f *frame) release() {
	for _, a := range f.args {
		a.c.Release()
	}
	f.vbuf.Release()
}

func (f *frame) run() (*batch.Column, error) {
	var err error
	if f.typ.Kind() == batch.KindBytes {
		if f.w, err = newWriter(f.acct, f.n); err != nil {
			return nil, err
		}
		if err = f.st.strict(f); err != nil {
			f.w.release()
			return nil, err
		}
		f.out = f.w.column(f.typ)
	} else {
		if f.out, err = batch.NewFixed(f.acct, f.typ, f.n); err != nil {
			return nil, err
		}
		if err = f.st.strict(f); err != nil {
			f.out.Release()
			return nil, err
		}
	}
	if f.vbuf != nil {
		f.vbuf.Retain()
		f.out.Adopt(f.vbuf)
		f.out.Valid = f.valid
	}
	return f.out.SetNulls(), nil
}

// combineValid makes the result valid where all arguments are.
func (f *frame) combineValid() error {
	for _, a := range f.args {
		if a.c.Valid == nil || a.konst {
			continue
		}
		if f.valid == nil {
			if err := f.makeValid(); err != nil {
				return err
			}
			copy(f.valid, a.c.Valid)
			continue
		}
		andBits(f.valid, a.c.Valid)
	}
	return nil
}

func (f *frame) makeValid() error {
	var err error
	if f.vbuf, err = f.acct.Alloc(batch.BitmapLen(f.n)); err == nil {
		f.valid = f.vbuf.Bytes()
	}
	return err
}

// null says whether row i is null, so that its arguments are garbage.
func (f *frame) null(i int) bool { return f.valid != nil && f.valid[i>>3]>>(i&7)&1 == 0 }

// setNull makes row i null.
func (f *frame) setNull(i int) error {
	if f.valid == nil {
		if err := f.makeValid(); err != nil {
			return err
		}
		batch.FillBits(f.valid, f.n)
	}
	f.valid[i>>3] &^= 1 << (i & 7)
	return nil
}

// andBits sets dst to dst & src, word by word.
func andBits(dst, src []byte) {
	src = src[:len(dst)]
	i := 0
	for ; i+8 <= len(dst); i += 8 {
		binary.LittleEndian.PutUint64(dst[i:], binary.LittleEndian.Uint64(dst[i:])&binary.LittleEndian.Uint64(src[i:]))
	}
	for ; i < len(dst); i++ {
		dst[i] &= src[i]
	}
}

// values returns the values of a fixed-width argument and m: row i's is at i & m.
func values[T any](v vec) ([]T, int) {
	return batch.View[T](v.c.Fixed)[:v.c.N], v.index()
}

// texts is a bytes argument.
type texts struct {
	off  []uint32
	data []byte
	m    int
}

func textsOf(v vec) texts { return texts{v.c.Off, v.c.Data, v.index()} }

func (t texts) at(i int) []byte {
	i &= t.m
	return t.data[t.off[i]:t.off[i+1]]
}

// writer builds a column of bytes row by row.
type writer struct {
	acct    *mem.Account
	off     []uint32
	offBuf  *mem.Buf
	dataBuf *mem.Buf
	at, row int
}

func newWriter(acct *mem.Account, n int) (*writer, error) {
	off, err := acct.Alloc(4 * (n + 1))
	if err != nil {
		return nil, err
	}
	data, err := acct.Alloc(max(16*n, 64))
	if err != nil {
		off.Release()
		return nil, err
	}
	w := &writer{acct: acct, off: batch.View[uint32](off.Bytes()), offBuf: off, dataBuf: data}
	w.off[0] = 0
	return w, nil
}

// put appends to the row that is being written.
func (w *writer) put(b []byte) error {
	if w.at+len(b) > len(w.dataBuf.Bytes()) {
		if err := w.grow(w.at + len(b)); err != nil {
			return err
		}
	}
	w.at += copy(w.dataBuf.Bytes()[w.at:], b)
	return nil
}

// end ends the row.
func (w *writer) end() {
	w.row++
	w.off[w.row] = uint32(w.at)
}

// add appends a row.
func (w *writer) add(b []byte) error {
	err := w.put(b)
	w.end()
	return err
}

func (w *writer) grow(need int) error {
	if int64(need) > batch.MaxData {
		return fmt.Errorf("expr: more than %d bytes of text in one batch", int64(batch.MaxData))
	}
	buf, err := w.acct.Alloc(min(max(need, 2*len(w.dataBuf.Bytes())), batch.MaxData))
	if err != nil {
		return err
	}
	copy(buf.Bytes(), w.dataBuf.Bytes()[:w.at])
	w.dataBuf.Release()
	w.dataBuf = buf
	return nil
}

func (w *writer) release() {
	w.offBuf.Release()
	w.dataBuf.Release()
}

func (w *writer) column(t batch.Type) *batch.Column {
	c := &batch.Column{Type: t, N: len(w.off) - 1, Off: w.off, Data: w.dataBuf.Bytes()[:w.at]}
	c.Adopt(w.offBuf, w.dataBuf)
	return c
}
