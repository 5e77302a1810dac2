package arrow

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
)

// message is a record batch or a dictionary.
type message struct {
	at    int64 // of its metadata
	size  int64 // of the body, which follows
	rows  int64
	meta  int32 // bytes
	seq   int32 // counts messages
	codec int8
	delta bool
}

// The codecs of a body.
const (
	codecNone int8 = iota
	codecLZ4
	codecZstd
)

// body is where the body begins.
func (m *message) body() int64 { return m.at + int64(m.meta) }

func (f *File) open(ctx context.Context, h io.ReaderAt) error {
	head := make([]byte, 8)
	n, err := h.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	switch head = head[:n]; {
	case bytes.HasPrefix(head, []byte(magic)):
		return f.openFile(ctx, h)
	case bytes.HasPrefix(head, []byte("FEA1")):
		return malformedf("it is Feather of version 1, which is not read; write version 2, which is Arrow")
	case n < 8:
		return malformedf("it is too short for an Arrow file")
	}
	return f.openStream(ctx, h)
}

// openFile finds messages by the footer.
func (f *File) openFile(ctx context.Context, h io.ReaderAt) error {
	meta, err := f.readFooter(h)
	if err != nil {
		return err
	}
	var dicts, batches vector
	err = decode(func() {
		foot := root(meta)
		schema, ok := foot.table(1)
		if !ok {
			refuse("it has no schema")
		}
		f.all = readSchema(schema)
		dicts, batches = foot.vector(2, 24), foot.vector(3, 24)
		if int64(dicts.n)+int64(batches.n) > maxMessages {
			refuse(tooMany, maxMessages)
		}
	})
	if err != nil {
		return err
	}
	f.batches = make([]message, 0, batches.n)
	for _, v := range []vector{dicts, batches} {
		for i := range v.n {
			m := message{at: v.long(i, 24, 0), meta: int32(uint32(v.long(i, 24, 8))), size: v.long(i, 24, 16)}
			if m.meta < 8 || m.at < 8 || m.at > f.Size() {
				return malformedf("its footer points outside of the file")
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := f.message(h, &m); err != nil {
				return err
			}
		}
	}
	return nil
}

// readFooter returns the bytes of the footer.
func (f *File) readFooter(h io.ReaderAt) ([]byte, error) {
	if f.Size() < 8+4+6+8 {
		return nil, malformedf("it is too short for an Arrow file: was its writing cut off?")
	}
	end := make([]byte, 10)
	if _, err := h.ReadAt(end, f.Size()-10); err != nil {
		return nil, err
	}
	size := int64(binary.LittleEndian.Uint32(end))
	if string(end[4:]) != magic || size > f.Size()-8-10 || size < 8 {
		return nil, malformedf("it does not end as an Arrow file does: was its writing cut off?")
	}
	if size > maxMeta {
		return nil, malformedf("its footer is of %d bytes, more than %d", size, maxMeta)
	}
	meta := make([]byte, size)
	_, err := h.ReadAt(meta, f.Size()-10-size)
	return meta, err
}

// openStream finds messages one after the other.
func (f *File) openStream(ctx context.Context, h io.ReaderAt) error {
	head := make([]byte, 8)
	for at := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := h.ReadAt(head, at)
		if err != nil && err != io.EOF {
			return err
		}
		if n < 4 {
			break // a stream may lack its end
		}
		clear(head[n:])
		skip, size := int64(4), binary.LittleEndian.Uint32(head)
		if size == 0xffffffff {
			skip, size = 8, binary.LittleEndian.Uint32(head[4:])
		}
		if size == 0 {
			break
		}
		if at == 0 && (size > maxMeta || int64(size) > f.Size()) {
			return malformedf("it is no Arrow file")
		}
		m := message{at: at, meta: int32(min(int64(size)+skip, 1<<30)), size: -1}
		if err := f.message(h, &m); err != nil {
			return err
		}
		at = m.body() + m.size
	}
	if f.all == nil {
		return malformedf("it has no schema")
	}
	return nil
}

// readMeta reads a message's metadata.
func (f *File) readMeta(h io.ReaderAt, m *message) ([]byte, error) {
	if m.meta > maxMeta || m.meta < 8 || m.body() > f.Size() {
		return nil, malformedf("the metadata at byte %d reach beyond the file, or are more than %d bytes", m.at, maxMeta)
	}
	b := make([]byte, m.meta)
	if _, err := h.ReadAt(b, m.at); err != nil {
		return nil, err
	}
	if binary.LittleEndian.Uint32(b) == 0xffffffff {
		return b[8:], nil
	}
	return b[4:], nil
}

// message takes a message up.
func (f *File) message(h io.ReaderAt, m *message) error {
	meta, err := f.readMeta(h, m)
	if err != nil {
		return err
	}
	return decode(func() {
		t := root(meta)
		f.measure(m, t.long(3))
		head, ok := t.table(2)
		if !ok {
			refuse("the message at byte %d is empty", m.at)
		}
		f.enter(m, t.byte(1, 0), head)
		if f.all == nil {
			refuse("it does not begin with a schema")
		}
	})
}

// measure settles the size of a message's body, which says it itself, and so may a footer.
func (f *File) measure(m *message, size int64) {
	if m.size >= 0 && m.size != size {
		refuse("the message at byte %d is of %d bytes, and the footer says %d", m.at, size, m.size)
	}
	if m.size = size; size < 0 || size > f.Size()-m.body() {
		refuse("the message at byte %d reaches beyond the file: was its writing cut off?", m.at)
	}
}

// enter enters a message of a kind among those of the file.
func (f *File) enter(m *message, kind byte, head flat) {
	if m.seq = f.seen; m.seq >= maxMessages {
		refuse(tooMany, maxMessages)
	}
	f.seen++
	switch kind {
	case 1:
		if f.all != nil {
			refuse("it has two schemas")
		}
		f.all = readSchema(head)
	case 2:
		data, ok := head.table(1)
		if !ok {
			refuse("the dictionary at byte %d is empty", m.at)
		}
		m.delta = head.byte(2, 0) != 0
		m.head(data)
		id := head.long(0)
		if !m.delta && len(f.dicts[id]) > 0 {
			f.replaced = append(f.replaced, m.seq)
		}
		f.dicts[id] = append(f.dicts[id], *m)
	case 3:
		m.head(head)
		f.batches = append(f.batches, *m)
		f.rows += m.rows
	default:
		refuse("the message at byte %d is of a kind (%d) that is not read", m.at, kind)
	}
}

// head takes what a RecordBatch says of itself.
func (m *message) head(t flat) {
	if m.rows = t.long(0); m.rows < 0 || m.rows > maxRows {
		refuse("the record batch at byte %d has %d rows", m.at, m.rows)
	}
	c, ok := t.table(3)
	if !ok {
		return
	}
	codec := c.byte(0, 0)
	if codec > 1 || c.byte(1, 0) != 0 {
		refuse("the record batch at byte %d is compressed in a way that is not read", m.at)
	}
	m.codec = codecLZ4 + int8(codec)
}
