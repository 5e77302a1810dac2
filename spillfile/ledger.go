package spillfile

import (
	"encoding/binary"
	"math"
)

// To know where everything lies on disk is no small thing: a block of 8 KiB needs some ten bytes to be found again, and a table of fifty
// times the memory has a great many blocks. So they are spilled themselves: each partition has a ledger, which grows by a record
// for each chunk, and of which one page is in memory.
const (
	minPage   = 512 // bytes of a ledger's page, its header included
	maxPage   = 4 << 10
	pageShare = 256 // of a store's memory is for pages
)

// ledger says where the chunks of a partition lie on disk: a sequence of bytes that is cut into pages. The partition's mutex guards
// it, and the store's spillMu whoever changes it.
type ledger struct {
	file  *spillFile
	pages []ledgerPage
	page  []byte // the one being filled, behind room for its header: part of the store's pages
	n     int    // bytes in it
	low   int32  // the least unit of the records that begin in it
}

// ledgerPage is a page on disk. It is all that is kept in memory of what was spilled: 16 bytes for each 0.1 to 4 MB.
type ledgerPage struct {
	off  int64
	size int32 // header included
	low  int32 // the least unit of the records that begin in it; noUnit where none does
}

const noUnit = math.MaxInt32

// pageSize returns the bytes of a page of places.
func pageSize(spec Spec) int {
	size := maxPage
	if spec.Acct != nil {
		for size > minPage && int64(size)*int64(spec.Partitions) > spec.Acct.Limit()/pageShare {
			size /= 2
		}
	}
	return size
}

// ledgerBytes returns what the pages in memory take, with one to spare.
func ledgerBytes(spec Spec) int { return (spec.Partitions + 1) * pageSize(spec) }

// makeLedgers gives each partition its page.
func (s *Store) makeLedgers() (err error) {
	if s.spec.Dir == nil {
		return nil
	}
	if s.pages, err = s.spec.Acct.Alloc(ledgerBytes(s.spec)); err != nil {
		return err
	}
	size := pageSize(s.spec)
	for p := range s.parts {
		s.parts[p].ledger = ledger{page: s.pages.Bytes()[p*size:][:size:size], low: noUnit}
	}
	s.sparePage = s.pages.Bytes()[len(s.parts)*size:][:size:size]
	return nil
}

// entry is what a ledger becomes by a record: it is written first, and then entered under the partition's lock.
type entry struct {
	file  *spillFile
	pages []ledgerPage // written meanwhile
	rest  []byte       // what comes to lie in the open page
	from  int          // where
	low   int32        // of the open page
}

// record writes to the ledger of p that k lies on disk, and returns what is to be entered. spillMu is held.
func (s *Store) record(p int, k *chunk) (entry, error) {
	l := &s.parts[p].ledger
	s.recordBuf = appendRecord(s.recordBuf[:0], k)
	low := k.low()
	if room := len(l.page) - blockHeader - l.n; len(s.recordBuf) <= room {
		return entry{file: k.file, rest: s.recordBuf, from: l.n, low: min(l.low, low)}, nil
	}
	return s.overflow(p, k.file, low)
}

// overflow writes the full pages of a ledger, with s.recordBuf behind the open one's bytes.
func (s *Store) overflow(p int, f *spillFile, low int32) (entry, error) {
	l := &s.parts[p].ledger
	e := entry{file: f, low: noUnit}
	page, at, rest := l.page, blockHeader+l.n, s.recordBuf
	lows := []int32{min(l.low, low), noUnit}
	if at == len(page) { // the record begins in the next
		lows = []int32{l.low, low}
	}
	for at+len(rest) > len(page) {
		n := copy(page[at:], rest)
		place, err := s.writePage(p, f, page, len(l.pages)+len(e.pages))
		if err != nil {
			return e, err
		}
		place.low = lows[0]
		e.pages, rest = append(e.pages, place), rest[n:]
		lows = append(lows[1:], noUnit)
		page, at = s.sparePage, blockHeader
	}
	e.rest, e.low = rest, lows[0]
	return e, nil
}

// writePage writes a page, whose content lies behind room for its header.
func (s *Store) writePage(p int, f *spillFile, page []byte, number int) (ledgerPage, error) {
	h := s.pageHeader(p, number, len(page)-blockHeader)
	h.put(page[:blockHeader], page[blockHeader:])
	off, err := f.append(page)
	if err == nil {
		s.spilled.Add(int64(len(page)))
	}
	return ledgerPage{off: off, size: int32(len(page)), low: noUnit}, err
}

func (s *Store) pageHeader(p, number, size int) header {
	h := s.header(p, number, 0, size)
	h.codec = codecLedger
	return h
}

// enter makes the ledger what e says. The partition's lock is held, and spillMu.
func (l *ledger) enter(e entry) {
	l.file, l.low, l.n = e.file, e.low, e.from+len(e.rest)
	l.pages = append(l.pages, e.pages...)
	copy(l.page[blockHeader+e.from:], e.rest)
}

// flush writes the open page. spillMu is held, and nobody else uses the partition.
func (s *Store) flush(p int) error {
	l := &s.parts[p].ledger
	if l.n == 0 {
		return nil
	}
	place, err := s.writePage(p, l.file, l.page[:blockHeader+l.n], len(l.pages))
	if err != nil {
		return err
	}
	place.low = l.low
	l.pages, l.n, l.low = append(l.pages, place), 0, noUnit
	return nil
}

const (
	recordHead = 4        // bytes of the length before a record
	maxRecord  = 16 << 20 // bytes of one: a chunk of maxSegs and a block's segments, and of as many blocks as fit one, takes less
	maxSegs    = 1 << 16  // with which nothing more comes to a chunk
)

// appendRecord appends the places of a chunk on disk to dst, some ten bytes a block:
//
//	length of what follows (4 bytes), then as varints: offset, bytes on disk, 2*blocks + 1 for S2, and for each block in the order
//	in which they lie: sequence (as a difference), bytes, segments; for each of these unit (as a difference) and rows.
func appendRecord(dst []byte, k *chunk) []byte {
	from := len(dst)
	dst = append(dst, make([]byte, recordHead)...)
	dst = binary.AppendUvarint(dst, uint64(k.off))
	dst = binary.AppendUvarint(dst, uint64(k.stored))
	packed := 0
	if k.s2 {
		packed = 1
	}
	dst = binary.AppendUvarint(dst, uint64(2*len(k.blocks)+packed))
	seq, unit := int32(0), int32(0)
	for _, b := range k.blocks {
		dst = binary.AppendVarint(dst, int64(b.seq)-int64(seq))
		dst = binary.AppendUvarint(dst, uint64(b.size))
		dst = binary.AppendUvarint(dst, uint64(b.segs))
		seq = b.seq
		for _, g := range k.segs[b.seg : b.seg+b.segs] {
			dst = binary.AppendVarint(dst, int64(g.unit)-int64(unit))
			dst = binary.AppendUvarint(dst, uint64(g.rows))
			unit = g.unit
		}
	}
	binary.LittleEndian.PutUint32(dst[from:], uint32(len(dst)-from-recordHead))
	return dst
}

// low returns the least unit of a chunk's rows.
func (k *chunk) low() int32 {
	low := int32(noUnit)
	for _, g := range k.segs {
		low = min(low, g.unit)
	}
	return low
}
