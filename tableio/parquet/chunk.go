package parquet

import (
	"errors"
	"fmt"
	"hash"
	"strings"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"

	"github.com/parquet-go/parquet-go/format"
)

// limits bound the memory of one column's reader, in bytes.
type limits struct {
	piece int // read from the file at a time
	page  int // pages up to this size, raw and stored, are decoded whole
	data  int // of strings in a batch: beyond it the batch ends, after one row at least
	most  int // of nested values in a batch; batch.MaxData where 0
}

// mostOfBatch returns the most bytes that the nested values of a batch may have.
func (l limits) mostOfBatch() int64 {
	if l.most > 0 {
		return int64(l.most)
	}
	return batch.MaxData
}

// windowSize is the room in which a big page is decompressed in pieces; farWindow where Snappy refers back further.
const (
	windowSize = history + 192<<10
	farWindow  = farHistory + 1<<20 // history is moved once a MiB
)

// limitsFor shares memory among n columns that are read together.
func limitsFor(n int) limits {
	n = max(n, 1)
	return limits{
		piece: min(max(16<<20/n, 16<<10), 256<<10),
		page:  min(max(64<<20/n, 64<<10), 5<<18),
		data:  min(max(32<<20/n, 256<<10), 4<<20),
	}
}

// floor returns the most that the buffers of one column take, its dictionary left out.
func (l limits) floor() int64 {
	page := mem.ClassSize(max(l.page, windowSize) + slack)
	return int64(mem.ClassSize(max(l.piece, l.page)+slack)) + int64(page)
}

// scratch is what the decoders of one stream share, one column being decoded at a time.
type scratch struct {
	codes [codePiece]uint32
	ints  [codePiece]int64
	sizes [codePiece]int64
	bytes [8 << 10]byte
	zeros *mem.Buf
	whole int64 // bytes left of ReadOptions.WholeBytes
}

// chunk reads one column of a row group, page by page.
type chunk struct {
	leftover
	file     *File
	col      *column
	meta     *chunkMeta
	codecs   *codecs
	tmp      *scratch
	lim      limits
	skipSums bool
	conv     *converter

	src    window // the chunk's bytes as stored
	pieces filePieces
	srcBuf *mem.Buf
	size   int64 // bytes of the chunk as stored
	padded bool  // more than the footer says, perhaps too many
	pageNo int
	rows   int64 // of the chunk, not yet handed on
	unseen int64 // rows of pages not yet opened

	header pageHeader // of the open page
	bodyAt int64      // where it lies in the file, behind its header
	page   int        // rows of it not yet decoded
	nulled int        // rows decoded, all null, that are not yet in a column
	in     *window    // its values: vals, or stored
	vals   window
	raw    *mem.Buf // the page decompressed, or the window on it
	levs   levels
	levWin window
	levBuf *mem.Buf

	whole     int64  // bytes of ReadOptions.WholeBytes that raw takes
	inPieces  bool   // the page is decoded in pieces
	far       bool   // pages have needed farWindow
	stored    window // its bytes as stored
	storedAt  int    // where they begin in the source's buffer
	held      bool   // all of them lie there
	sum       hash.Hash32
	levStream levelStream
	// pieceCodecs decompresses in pieces. It is the chunk's own: the pages of all columns are under way at once.
	pieceCodecs codecs

	coded bool // the page holds codes
	fixed fixedDecoder
	bytes bytesDecoder

	dictN     int
	dict      *batch.Column // of bytes
	dictFixed *mem.Buf
	decoders  decoders

	entries *entryLevels // of a leaf of a nested column: what page, rows and unseen count are entries
}

// decoders has one decoder of each sort, made ready for a page at a time.
type decoders struct {
	plain   plainFixed
	bools   plainBools
	runs    runBools
	lookup  dictFixed
	delta   deltaFixed
	split   splitFixed
	decimal decimalBytes
	vars    plainVar
	fixed   plainFixedBytes
	splitB  splitBytes
	lengths deltaLengths
	strings deltaStrings
	codes   hybrid
}

// openChunk checks what the footer says of the chunk and makes its first buffer.
func (s *groupStream) openChunk(h vfs.File, col *column, m *chunkMeta, rows int64) (*chunk, error) {
	c := &chunk{file: s.file, col: col, meta: m, leftover: leftover{acct: s.acct}, codecs: &s.codecs, tmp: &s.scratch, lim: s.lim, skipSums: s.skipSums, rows: rows, unseen: rows}
	if col.inNested {
		c.rows, c.unseen, c.entries = m.values, m.values, &entryLevels{}
	}
	start, err := c.check(rows)
	if err != nil {
		return nil, c.fail(err)
	}
	c.conv = newConverter(col)
	piece := int(min(int64(c.lim.piece), c.size))
	if c.srcBuf, err = c.acct.Alloc(piece + slack); err != nil {
		return nil, c.fail(err)
	}
	c.pieces = filePieces{h: h, at: start, drop: s.drop}
	c.src = window{b: c.srcBuf.Bytes()[:piece], from: &c.pieces, left: c.size}
	h.WillNeed(start, min(c.size, 4<<20))
	return c, nil
}

// check returns where the chunk begins.
func (c *chunk) check(rows int64) (int64, error) {
	m := c.meta
	if rows == 0 && m.values == 0 && m.hasMeta { // some writers leave the rest out
		c.size = 0
		return 4, nil
	}
	c.size = m.bytes
	switch {
	case m.encrypted:
		return 0, fmt.Errorf("%w: it is encrypted", ErrUnsupported)
	case m.elsewhere:
		return 0, fmt.Errorf("%w: its data lies in another file", ErrUnsupported)
	case !m.hasMeta:
		return 0, fmt.Errorf("%w: it has no metadata", ErrCorrupt)
	case m.typ != c.col.physical:
		return 0, fmt.Errorf("%w: its chunk holds %s, the schema says %s", ErrCorrupt, m.typ, c.col.physical)
	case c.col.inNested && (m.values < rows || m.values > 1<<40):
		return 0, fmt.Errorf("%w: its chunk has %d entries in a row group of %d rows", ErrCorrupt, m.values, rows)
	case m.values != rows && !c.col.inNested:
		return 0, fmt.Errorf("%w: its chunk has %d values in a row group of %d rows", ErrCorrupt, m.values, rows)
	case m.codec < 0 || m.codec > format.Lz4Raw || m.codec == format.LZO:
		return 0, fmt.Errorf("%w: codec %s", ErrUnsupported, codecName(m.codec))
	}
	start := m.dataAt
	if m.dictAt > 0 && m.dictAt < start {
		start = m.dictAt
	}
	end := c.file.size - 8 - c.file.tailLen
	if start < 4 || m.bytes < 0 || start > end || m.bytes > end-start {
		return 0, fmt.Errorf("%w: its chunk of %d bytes at %d does not lie before the footer at %d", ErrCorrupt, m.bytes, start, end)
	}
	if c.padded = shortChunks(c.file.CreatedBy()); c.padded {
		c.size += min(100, end-start-m.bytes)
	}
	return start, nil
}

// shortChunks says whether the writer forgot the dictionary page's header when it counted
// a chunk's bytes (PARQUET-816): parquet-mr before 1.2.9.
func shortChunks(createdBy string) bool {
	rest, ok := strings.CutPrefix(createdBy, "parquet-mr")
	if !ok {
		return false
	}
	var a, b, c int
	if n, _ := fmt.Sscanf(rest, " version %d.%d.%d", &a, &b, &c); n < 3 {
		return rest == ""
	}
	return a == 1 && (b < 2 || b == 2 && c < 9)
}

func (c *chunk) close() {
	c.rest.Release()
	c.dict.Release()
	for _, b := range []*mem.Buf{c.srcBuf, c.raw, c.levBuf, c.dictFixed} {
		b.Release()
	}
	c.rest, c.dict, c.srcBuf, c.raw, c.levBuf, c.dictFixed = nil, nil, nil, nil, nil, nil
	c.levStream.close()
	c.pieceCodecs.close()
	c.decoders.strings.release()
	c.entries.close()
}

// fail names the file and the column, and the page once one is read. Whatever is not an
// error of memory, of the system or of support is corruption.
func (c *chunk) fail(err error) error {
	if err == nil {
		return nil
	}
	var sys interface{ Timeout() bool } // *fs.PathError and its like
	var others *mem.ReclaimError
	known := errors.Is(err, ErrCorrupt) || errors.Is(err, ErrUnsupported) || errors.Is(err, ErrChanged) ||
		errors.Is(err, mem.ErrLimit) || errors.As(err, &others) || errors.As(err, &sys)
	where := fmt.Sprintf("%s: column %s", c.file.path, c.col.field.Name)
	if c.pageNo > 0 {
		where += fmt.Sprintf(", page %d", c.pageNo)
	}
	if known {
		return fmt.Errorf("%s: %w", where, err)
	}
	return fmt.Errorf("%s: %w: it %w", where, ErrCorrupt, err)
}

// readHeader reads the next page's header and checks its sizes.
func (c *chunk) readHeader() error {
	n := 64
	for {
		b, err := c.peekSrc(n)
		if err != nil {
			return err
		}
		if len(b) == 0 {
			return fmt.Errorf("%w: its chunk ends %d rows too early", ErrCorrupt, c.unseen)
		}
		var size int
		c.header, size, err = parseHeader(b)
		if err == nil {
			c.src.advance(size)
			break
		}
		if errors.Is(err, errShort) && len(b) >= maxHeader && c.src.remains() > int64(len(b)) {
			return fmt.Errorf("%w: a page header of more than %d bytes: its statistics have long values", ErrUnsupported, maxHeader)
		}
		if !errors.Is(err, errShort) || int64(len(b)) == c.src.remains() {
			return fmt.Errorf("has a page header that %w", err)
		}
		n = min(max(2*len(b), 4096), maxHeader)
	}
	c.pageNo++
	h := &c.header
	h.hasCRC = h.hasCRC && !c.skipSums
	c.bodyAt = c.pieces.at - int64(c.src.w-c.src.r)
	left := c.src.remains()
	if int64(h.bytes) > left {
		return fmt.Errorf("has %d bytes where %d are left", h.bytes, left)
	}
	known := h.typ == format.DataPage || h.typ == format.DataPageV2 || h.typ == format.DictionaryPage
	if known && !h.hasBody {
		return errors.New("has a header without its counts")
	}
	codec := c.meta.codec
	if h.stored {
		codec = format.Uncompressed
	}
	if known && int64(h.raw) > maxRaw(codec, int64(h.bytes)) {
		return fmt.Errorf("claims %d bytes in %d of %s", h.raw, h.bytes, codecName(codec))
	}
	if known && codec == format.Uncompressed && h.raw != h.bytes {
		return fmt.Errorf("claims %d bytes in %d uncompressed", h.raw, h.bytes)
	}
	return nil
}

// peekSrc returns stored bytes, at least n where the chunk has them, growing the buffer to fit.
func (c *chunk) peekSrc(n int) ([]byte, error) {
	if n = int(min(int64(n), c.src.remains())); n > len(c.src.b) {
		b, err := c.acct.Alloc(n + slack)
		if err != nil {
			return nil, err
		}
		w := copy(b.Bytes(), c.src.b[c.src.r:c.src.w])
		c.srcBuf.Release()
		c.srcBuf = b
		c.src.b, c.src.r, c.src.w = b.Bytes()[:len(b.Bytes())-slack], 0, w
	}
	if n > len(c.src.b)-c.src.r && c.src.w-c.src.r < n {
		c.src.w = copy(c.src.b, c.src.b[c.src.r:c.src.w])
		c.src.r = 0
	}
	return c.src.peek(n)
}

// nextPage opens the next data page that has rows.
func (c *chunk) nextPage() error {
	for {
		if err := c.endPage(); err != nil {
			return err
		}
		if err := c.readHeader(); err != nil {
			return err
		}
		switch c.header.typ {
		case format.DictionaryPage:
			if err := c.readDict(); err != nil {
				return err
			}
		case format.DataPage, format.DataPageV2:
			if err := c.openPage(); err != nil {
				return err
			}
			if c.page > 0 {
				return nil
			}
		default:
			if err := c.skipBody(); err != nil {
				return err
			}
		}
	}
}

func (c *chunk) skipBody() error { return c.src.skip(int64(c.header.bytes)) }

// endPage leaves the open page.
func (c *chunk) endPage() error {
	if c.inPieces {
		return c.closePieces()
	}
	return nil
}

// atEnd leaves the last page and makes sure that no page with rows follows.
func (c *chunk) atEnd() error {
	if err := c.endPage(); err != nil {
		return err
	}
	if c.page > 0 || c.unseen > 0 {
		return fmt.Errorf("has %d rows more than its row group", int64(c.page)+c.unseen)
	}
	for c.src.remains() > 0 && !c.padded {
		if err := c.readHeader(); err != nil {
			return err
		}
		if h := &c.header; h.values > 0 && (h.typ == format.DataPage || h.typ == format.DataPageV2) {
			return fmt.Errorf("has %d rows more than its row group", h.values)
		}
		if err := c.skipBody(); err != nil {
			return err
		}
	}
	return nil
}

func (c *chunk) checkSum(sum uint32) error {
	if c.header.hasCRC && sum != c.header.crc {
		return fmt.Errorf("does not match its checksum: %08x, not %08x", sum, c.header.crc)
	}
	return nil
}
