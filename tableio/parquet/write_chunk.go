package parquet

import (
	"fmt"
	"math/bits"

	"pqjoin/batch"

	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"
)

// chunkOptions is what the chunks of a table have in common.
type chunkOptions struct {
	codec     format.CompressionCodec
	try       bool // only store what does not compress
	crc       bool
	index     bool
	dict      bool
	rule      dictRule
	pageBytes int64
}

// chunkWriter encodes one column of one row group, page by page, in one goroutine at a time.
// What it keeps are encoded pages; the dictionary page, which is first in the file, comes last.
type chunkWriter struct {
	leaf *leaf
	opts *chunkOptions

	data      segments // data pages
	dictPage  segments // the dictionary page, once finished
	codec     format.CompressionCodec
	codecSure bool // the codec pays

	incompressible bool // pages are only stored in the codec's format

	words   *wordDict
	strings *bytesDict
	dictOff bool  // the rest of the chunk is plain
	values  int64 // not null, so far

	rows, nulls  int64
	entries      int64 // rows, where the leaf is not in a nested column
	rawBytes     int64
	bounds       bounds
	pages        []pageRecord
	coded, plain int // data pages of either encoding
	bloom        *bloomFilter
}

// stored returns the bytes encoded so far.
func (c *chunkWriter) stored() int64 { return c.data.n + c.dictPage.n }

// encode appends the rows of the spans as one page or, where values are long, as several.
func (c *chunkWriter) encode(e *encoder, spans []span) error {
	switch kind := c.leaf.field.Type.Kind(); kind {
	case batch.KindBytes:
		return c.encodeLong(e, spans)
	case batch.KindBool:
		return c.encodeBools(e, spans)
	case batch.KindInt128:
		return c.encodeBytes(e, spans)
	default:
		return c.encodeWords(e, spans)
	}
}

// encodeEntries appends the entries of e, whose values are the spans', as one page.
func (c *chunkWriter) encodeEntries(e *encoder, spans []span) error {
	if c.leaf.field.Type.Kind() == batch.KindBytes {
		return c.encodeBytes(e, spans)
	}
	return c.encode(e, spans)
}

// presence prepares the levels of a page and returns its rows (of a nested column: its entries) and nulls.
func (c *chunkWriter) presence(e *encoder, spans []span) (rows, nulls int, err error) {
	if c.leaf.inNested {
		e.levels = e.entries.levels
		return e.entries.all, e.entries.all - e.entries.values, nil
	}
	for _, s := range spans {
		rows += s.j - s.i
	}
	e.levels = e.levels[:0]
	var bitmap []byte
	if anyNulls(spans) {
		if bitmap, err = e.bitmap.get(e.acct, batch.BitmapLen(rows)+8); err != nil {
			return 0, 0, err
		}
		nulls = presence(spans, bitmap)
	}
	if c.leaf.field.Nullable {
		e.levels = appendLevels(e.levels, bitmap, rows, nulls)
	} else if nulls > 0 {
		return 0, 0, fmt.Errorf("column %q: %d nulls in a column without nulls", c.leaf.field.Name, nulls)
	}
	return rows, nulls, nil
}

func (c *chunkWriter) emitData(e *encoder, p *page, body []byte) error {
	p.kind = format.DataPage
	if c.bloom != nil && p.encoding == format.Plain {
		if err := c.bloom.add(c.leaf, body, 0); err != nil {
			return err
		}
	}
	size, err := c.emit(e, &c.data, p, e.levels, body)
	if err != nil {
		return err
	}
	c.record(e, p, size)
	return nil
}

func (c *chunkWriter) encodeWords(e *encoder, spans []span) error {
	rows, nulls, err := c.presence(e, spans)
	if err != nil {
		return err
	}
	vals, err := c.gather(e, spans, rows, nulls)
	if err != nil {
		return err
	}
	c.values += int64(len(vals))
	p := page{rows: rows, nulls: nulls, bounds: c.leaf.boundWords(vals)}
	if c.opts.dict && !c.dictOff && c.leaf.width >= 4 && len(vals) > 0 {
		if done, err := c.codeWords(e, &p, vals); done || err != nil {
			return err
		}
	}
	body := batch.BytesOf(vals)
	if c.leaf.width != 8 {
		if body, err = e.body.get(e.acct, c.leaf.width*len(vals)); err != nil {
			return err
		}
		body = c.leaf.narrow(body, vals)
	}
	p.encoding = format.Plain
	return c.emitData(e, &p, body)
}

// gather returns the values that are not null, where possible without copying them.
func (c *chunkWriter) gather(e *encoder, spans []span, rows, nulls int) ([]uint64, error) {
	if nulls == rows {
		return nil, nil
	}
	if s := spans[0]; len(spans) == 1 && (nulls == 0 || c.leaf.inNested) && s.c.Dict == nil && c.leaf.scale == 1 {
		return batch.View[uint64](s.c.Fixed)[s.i:s.j], nil
	}
	b, err := e.words.get(e.acct, 8*(rows+1))
	if err != nil {
		return nil, err
	}
	vals := batch.View[uint64](b)
	vals = vals[:gatherWords(vals, spans)]
	if c.leaf.scale != 1 {
		err = c.leaf.rescale(vals)
	}
	return vals, err
}

// codeWords tries the page with the dictionary; done is false where it must be plain.
func (c *chunkWriter) codeWords(e *encoder, p *page, vals []uint64) (done bool, err error) {
	if c.words == nil {
		c.words = &wordDict{acct: c.data.acct}
	}
	b, err := e.codes.get(e.acct, 4*len(vals))
	if err != nil {
		return false, err
	}
	codes := batch.View[int32](b)
	before := c.words.n
	var lo, hi uint64
	ranged := c.leaf.order != orderFloat && p.bounds.has
	if ranged {
		lo, hi = uint64(wide(p.bounds.min, c.leaf.order == orderInt)), uint64(wide(p.bounds.max, c.leaf.order == orderInt))
	}
	ok, err := c.words.encode(vals, codes, lo, hi, ranged, c.opts.rule.limit(c.values))
	if err != nil {
		return false, err
	}
	if !ok {
		c.words.n = before
		c.words.dropTable()
		c.dictOff = true
		return false, nil
	}
	return true, c.emitCodes(e, p, codes, c.words.n)
}

// emitCodes writes a page of dictionary codes; entries is the dictionary's size so far.
func (c *chunkWriter) emitCodes(e *encoder, p *page, codes []int32, entries int) error {
	width := max(1, bits.Len(uint(max(entries, 1)-1)))
	body, err := e.body.get(e.acct, len(codes)*(width+8)/8+1024)
	if err != nil {
		return err
	}
	enc := rle.Encoding{BitWidth: width}
	packed, err := enc.EncodeInt32(body, codes)
	if err != nil {
		return fmt.Errorf("column %q: encode dictionary codes: %w", c.leaf.field.Name, err)
	}
	e.levels = append(e.levels, byte(width))
	p.encoding = format.RLEDictionary
	return c.emitData(e, p, packed)
}

func (c *chunkWriter) encodeBools(e *encoder, spans []span) error {
	rows, nulls, err := c.presence(e, spans)
	if err != nil {
		return err
	}
	body, err := e.body.get(e.acct, batch.BitmapLen(rows))
	if err != nil {
		return err
	}
	n, ones := gatherBits(body, spans)
	c.values += int64(n)
	p := page{rows: rows, nulls: nulls, encoding: format.Plain}
	if n > 0 {
		p.bounds = exact([]byte{b2i(ones == n)}, []byte{b2i(ones > 0)})
	}
	return c.emitData(e, &p, body[:batch.BitmapLen(n)])
}

func b2i(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// finish encodes the dictionary page and gives back what only encoding needed.
func (c *chunkWriter) finish(e *encoder) error {
	entries := 0
	var body []byte
	switch {
	case c.words != nil && c.words.n > 0:
		entries = c.words.n
		var err error
		if body, err = e.body.get(e.acct, 8*entries); err != nil {
			return err
		}
		body = c.leaf.narrow(body, c.words.values())
	case c.strings != nil && c.strings.n > 0:
		entries = c.strings.n
		var err error
		if body, err = c.stringEntries(e); err != nil {
			return err
		}
	}
	if c.coded > 0 {
		p := page{kind: format.DictionaryPage, rows: entries}
		if c.bloom != nil {
			if err := c.bloom.add(c.leaf, body, entries); err != nil {
				return err
			}
		}
		if _, err := c.emit(e, &c.dictPage, &p, nil, body); err != nil {
			return err
		}
	}
	c.dropDictionaries()
	if c.bloom != nil {
		return c.bloom.finish()
	}
	return nil
}

func (c *chunkWriter) dropDictionaries() {
	if c.words != nil {
		c.words.release()
		c.words = nil
	}
	if c.strings != nil {
		c.strings.release()
		c.strings = nil
	}
}

func (c *chunkWriter) release() {
	c.dropDictionaries()
	c.data.release()
	c.dictPage.release()
	c.bloom.release()
}
