package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"

	"pqjoin/batch"
	"pqjoin/mem"

	"github.com/parquet-go/parquet-go/format"
)

// oldDictionary is PLAIN_DICTIONARY, deprecated since format 2.0 and still written: by
// Spark, Impala and old pyarrow.
const oldDictionary = format.Encoding(2)

// readDict reads a dictionary page: values of the kind for fixed widths, a column of bytes for others.
func (c *chunk) readDict() (err error) {
	h := &c.header
	if c.dict != nil || c.dictFixed != nil {
		return errors.New("is a second dictionary")
	}
	if h.encoding != format.Plain && h.encoding != oldDictionary {
		return fmt.Errorf("%w: a dictionary encoded as %s", ErrUnsupported, h.encoding)
	}
	if c.col.physical == format.Boolean {
		return fmt.Errorf("%w: a dictionary of booleans", ErrUnsupported)
	}
	least := c.col.width
	if least == 0 {
		least = 4 // the length of a byte array
	}
	if int64(h.values)*int64(least) > int64(h.raw) {
		return fmt.Errorf("claims a dictionary of %d entries in %d bytes", h.values, h.raw)
	}
	c.dictN = h.values
	if err := c.openDict(); err != nil {
		return dictRoom(err, h)
	}
	switch {
	case c.conv != nil:
		err = c.fixedDict()
	case c.col.field.Type.ID == batch.Decimal:
		err = c.decimalDict()
	default:
		err = c.bytesDict()
	}
	if err != nil {
		return dictRoom(err, h)
	}
	return c.closeDict()
}

// openDict makes c.in the values of the dictionary page: all of them, or a window on a big page's.
func (c *chunk) openDict() error {
	if h := &c.header; h.bytes > c.lim.page || h.raw > c.lim.page {
		c.openStored()
		return c.openVals()
	}
	b, err := c.body()
	c.vals = whole(b)
	c.in = &c.vals
	return err
}

// closeDict gives back what only a big dictionary needed, so that no two columns hold it at once.
func (c *chunk) closeDict() error {
	if !c.inPieces {
		return nil
	}
	if err := c.closePieces(); err != nil {
		return err
	}
	c.pieceCodecs.close()
	if c.raw != nil && len(c.raw.Bytes()) > c.lim.page+slack {
		c.raw.Release()
		c.raw = nil
	}
	return nil
}

func dictRoom(err error, h *pageHeader) error {
	if errors.Is(err, mem.ErrLimit) {
		return fmt.Errorf("its dictionary of %d bytes does not fit: %w", h.raw, err)
	}
	return err
}

func (c *chunk) fixedDict() (err error) {
	if c.dictFixed, err = c.acct.Alloc(c.dictN * c.conv.to); err != nil {
		return err
	}
	d := plainFixed{in: c.in, conv: c.conv}
	return d.decode(c.dictFixed.Bytes()[:c.dictN*c.conv.to], c.dictN)
}

func (c *chunk) decimalDict() (err error) {
	conv := c.decimalConverter()
	if c.dictFixed, err = c.acct.Alloc(c.dictN * conv.to); err != nil {
		return err
	}
	d := decimalBytes{from: &plainVar{in: c.in}, acct: c.acct, conv: conv}
	return d.decode(c.dictFixed.Bytes()[:c.dictN*conv.to], c.dictN)
}

// decimalConverter is for decimals that are stored as byte arrays.
func (c *chunk) decimalConverter() *converter {
	return &converter{to: c.col.field.Type.Kind().Width()}
}

func (c *chunk) bytesDict() (err error) {
	v := varBuilder{acct: c.acct}
	defer v.release()
	size := int(c.in.remains())
	if c.col.width == 0 {
		size = max(size-4*c.dictN, 0)
	}
	if err := v.begin(c.dictN, size); err != nil {
		return err
	}
	if c.col.width > 0 {
		err = (&plainFixedBytes{in: c.in, width: c.col.width}).append(&v, c.dictN)
	} else {
		err = (&plainVar{in: c.in}).append(&v, c.dictN)
	}
	if err != nil {
		return err
	}
	c.dict = v.column(c.col.field.Type)
	return nil
}

// chooseDecoder makes the decoder of the open page's encoding ready.
func (c *chunk) chooseDecoder() error {
	c.coded, c.fixed, c.bytes = false, nil, nil
	d := &c.decoders
	isBytes := c.col.field.Type.Kind() == batch.KindBytes
	byteArray := c.col.physical == format.ByteArray
	switch e := c.header.encoding; {
	case e == format.Plain && c.col.physical == format.Boolean:
		d.bools = plainBools{in: c.in}
		c.fixed = &d.bools
	case e == format.Plain && c.conv != nil:
		d.plain = plainFixed{in: c.in, conv: c.conv}
		c.fixed = &d.plain
	case e == format.Plain && byteArray:
		d.vars = plainVar{in: c.in}
		c.bytes = &d.vars
	case e == format.Plain:
		d.fixed = plainFixedBytes{in: c.in, width: c.col.width}
		c.bytes = &d.fixed
	case e == format.RLEDictionary || e == oldDictionary:
		return c.dictDecoder(isBytes)
	case e == format.RLE && c.col.physical == format.Boolean:
		return c.runDecoder()
	case e == format.DeltaBinaryPacked && (c.col.physical == format.Int32 || c.col.physical == format.Int64):
		d.delta.conv, d.delta.tmp = c.conv, c.tmp.ints[:]
		c.fixed = &d.delta
		return d.delta.ints.reset(c.in)
	case e == format.ByteStreamSplit && c.col.width > 0 && c.col.physical != format.Int96:
		return c.splitDecoder()
	case e == format.DeltaLengthByteArray && byteArray:
		d.lengths.tmp = c.tmp.sizes[:]
		c.bytes = &d.lengths
		if err := d.lengths.reset(c.in.b[c.in.r:c.in.w]); err != nil {
			return err
		}
	case e == format.DeltaByteArray && (byteArray || c.col.physical == format.FixedLenByteArray):
		d.strings.acct, d.strings.width = c.acct, c.col.width
		d.strings.prefix, d.strings.size = c.tmp.ints[:], c.tmp.sizes[:]
		d.strings.suffix.tmp = c.tmp.sizes[:]
		c.bytes = &d.strings
		if err := d.strings.reset(c.in.b[c.in.r:c.in.w]); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%w: encoding %s for %s", ErrUnsupported, encodingName(e), c.col.physical)
	}
	if c.bytes != nil && !isBytes {
		d.decimal = decimalBytes{from: c.bytes, acct: c.acct, conv: c.decimalConverter()}
		c.fixed, c.bytes = &d.decimal, nil
	}
	return nil
}

func encodingName(e format.Encoding) string {
	if e < 0 || e > format.ByteStreamSplit || e == 1 {
		return fmt.Sprintf("number %d", e)
	}
	return e.String()
}

// dictDecoder decodes codes: a byte with their width, then runs.
func (c *chunk) dictDecoder(isBytes bool) error {
	d := &c.decoders
	width := uint(0)
	b, err := c.in.peek(1)
	if err != nil {
		return err
	}
	if len(b) > 0 {
		width = uint(b[0])
		c.in.advance(1)
	}
	if width > 32 {
		return fmt.Errorf("has codes of %d bits", width)
	}
	if c.dict == nil && c.dictFixed == nil {
		return errors.New("refers to a dictionary that is not there")
	}
	if isBytes {
		c.coded = true
		d.codes.reset(c.in, width)
		return nil
	}
	d.lookup.runs.reset(c.in, width)
	d.lookup.width = c.col.field.Type.Kind().Width()
	d.lookup.dict, d.lookup.tmp = c.dictFixed.Bytes()[:c.dictN*d.lookup.width], c.tmp.codes[:]
	c.fixed = &d.lookup
	return nil
}

func (c *chunk) runDecoder() error {
	b, err := c.in.peek(4)
	if err != nil {
		return err
	}
	if len(b) >= 4 { // an empty page may lack its length
		if n := int64(binary.LittleEndian.Uint32(b)); n > c.in.remains()-4 {
			return fmt.Errorf("has runs of %d bytes in %d", n, c.in.remains()-4)
		}
		c.in.advance(4)
	}
	d := &c.decoders.runs
	d.tmp = c.tmp.codes[:]
	d.runs.reset(c.in, 1)
	c.fixed = d
	return nil
}

func (c *chunk) splitDecoder() error {
	w := c.col.width
	b := c.in.b[c.in.r:c.in.w]
	n := len(b) / w
	if len(b)%w != 0 {
		return fmt.Errorf("has %d bytes for values of %d", len(b), w)
	}
	if c.conv != nil {
		c.decoders.split = splitFixed{b: b, n: n, conv: c.conv, tmp: c.tmp.bytes[:]}
		c.fixed = &c.decoders.split
		return nil
	}
	c.decoders.splitB = splitBytes{b: b, n: n, width: w}
	c.bytes = &c.decoders.splitB
	return nil
}
