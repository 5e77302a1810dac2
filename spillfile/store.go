package spillfile

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/s2"

	"pqjoin/batch"
	"pqjoin/mem"
)

const (
	maxChunk  = 256 << 10
	maxGroups = 8  // files a store has at most
	perGroup  = 8  // partitions that share a file at least
	fewFiles  = 16 // a kept store, whose files nobody shares, has at most 1/fewFiles of those that may be open, and one at least
)

// Spec says what a store holds and what it may use.
type Spec struct {
	Name       string // for messages: "index test by col1"
	Schema     *batch.Schema
	Partitions int // 1..65536
	Workers    int // that append
	// BlockBytes is how many raw bytes one worker gathers for one partition before it
	// seals a block of them: 64 KiB is a good value, 16 KiB where memory is short.
	BlockBytes int
	Acct       *mem.Account // of tails and sealed blocks
	// Codes says that columns which come with dictionaries may come back with one, that of the store.
	Codes bool
	Dir   *Dir // nil: nothing is ever spilled
	// Keep is the stage that the store is to be for later runs once it is sealed, in a Keep beside Dir; nil: it goes with its owner.
	Keep *Stage
	// Verified is told by Restore, from its workers, of rows and their bytes on disk that are verified, and how many rows there are in
	// all; may be nil.
	Verified func(rows, bytes, of int64)
}

// PartStats describes a partition. Raw is the bytes of its values when loaded
// (4 a row where they come back as codes); Spilled is the bytes of its blocks that lie on disk.
type PartStats struct {
	Rows    int64
	Raw     int64
	Blocks  int
	Spilled int64
}

// Stats describes a store. RowsIn was appended; RowsOut was loaded or streamed, every
// time counted. Raw is the bytes of what was appended, as loaded; Encoded the bytes of its
// blocks; Spilled the bytes written to disk.
type Stats struct {
	RowsIn, RowsOut int64
	Raw             int64
	Encoded         int64
	Spilled         int64
	Blocks          int64
	Files           int
}

// Store is a partition store. See the package's documentation for its life.
type Store struct {
	spec       Spec
	cols       []colSpec
	vars       int           // columns of KindBytes
	dicts      []*dictionary // of them; nil: all values go flat
	id         uint64
	chunkBytes int
	nullable   []atomic.Bool
	workers    []worker
	parts      []partition
	remove     func() // the reclaimer
	isSealed   atomic.Bool
	rowsOut    atomic.Int64

	spillMu   sync.Mutex // one spills at a time; also holds stage, recordBuf, pages, files, refused and untried
	stage     *mem.Buf   // where blocks are compressed, and encoded when there is no memory for them
	recordBuf []byte     // where the record of a chunk is made
	pages     *mem.Buf   // a page of each partition's ledger, and sparePage
	sparePage []byte     // for a record that goes over several
	groups    []group
	spilled   atomic.Int64
	files     int
	freed     atomic.Int64
	ahead     atomic.Int64 // bytes asked for that nobody has read yet
	refused   int          // by the chunks last tried with the codec: how many will not be tried after the next that does not shrink
	untried   int          // chunks to come that are not tried

	closeOnce sync.Once
	closeErr  error
}

// partition is what the store knows of one partition; its mutex guards it and its chunks.
type partition struct {
	mu       sync.Mutex
	chunks   []*chunk // in memory
	ledger   ledger   // of those on disk
	blocks   int
	vars     []int64 // bytes of each column of variable width, flat
	coded    []int64 // rows of each that are codes
	rows     int64
	bytes    int64 // of blocks, encoded
	onDisk   int64
	readers  int
	cached   cached
	dropped  bool
	inMemory atomic.Int64
}

// group is the partitions that share a file.
type group struct {
	file *spillFile
	live int // partitions not dropped
}

// New returns an empty store. It takes a fixed buffer from the account at once, and the rest as rows come.
func New(spec Spec) (*Store, error) {
	if spec.Partitions < 1 || spec.Partitions > math.MaxUint16+1 || spec.Workers < 1 {
		panic(fmt.Sprintf("spillfile: %d partitions, %d workers", spec.Partitions, spec.Workers))
	}
	s := &Store{spec: spec, chunkBytes: chunkSize(spec)}
	s.spec.BlockBytes = blockBytes(spec)
	s.cols, s.vars = columnsOf(spec.Schema)
	s.dicts = newDicts(s.spec, s.cols, s.vars)
	s.nullable = makeNullable(nil, len(s.cols))
	s.parts = make([]partition, spec.Partitions)
	s.makeWorkers()
	s.makeGroups(spec.files())
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, s.named(err)
	}
	s.id = binary.LittleEndian.Uint64(id[:])
	var err error
	if s.stage, err = spec.Acct.Alloc(stageSize(spec)); err != nil {
		return nil, s.named(err)
	}
	if err = s.makeLedgers(); err != nil {
		s.stage.Release()
		return nil, s.named(err)
	}
	s.remove = func() {}
	if pool := spec.Acct.Pool(); pool != nil && spec.Dir != nil {
		s.remove = pool.AddReclaimer(s.spill)
	}
	return s, nil
}

// makeWorkers makes what the workers own; it takes no memory from the account.
func (s *Store) makeWorkers() {
	s.workers = make([]worker, s.spec.Workers)
	for i := range s.workers {
		n := len(s.cols)
		w := &s.workers[i]
		*w = worker{
			nullable: make([]bool, n), tails: make([]tail, s.spec.Partitions), counts: make([]uint32, s.spec.Partitions),
			in: make([]uint64, n), sealed: make([]uint64, n), plans: make([]colPlan, n),
			codes: make([]bool, s.vars), flat: make([]bool, s.vars), maps: make([]mapping, s.vars),
			lens: make([][]uint32, s.vars), heaps: make([][]byte, s.vars),
		}
		w.lay = newLayout(s.cols, w.nullable, w.codes, s.spec.BlockBytes)
	}
}

// files returns how many files the store may have.
func (spec *Spec) files() int {
	n := min(maxGroups, (spec.Partitions+perGroup-1)/perGroup)
	if spec.Keep != nil {
		n = min(n, max(1, spec.Dir.most/fewFiles))
	}
	return n
}

// makeGroups deals the partitions out to so many files.
func (s *Store) makeGroups(files int) {
	s.groups = make([]group, files)
	for p := range s.spec.Partitions {
		s.groups[s.groupOf(p)].live++
	}
}

func makeNullable(is []bool, columns int) []atomic.Bool {
	out := make([]atomic.Bool, columns)
	for i := range min(len(is), columns) {
		out[i].Store(is[i])
	}
	return out
}

func blockBytes(spec Spec) int { return max(spec.BlockBytes, 4<<10) }

// chunkSize is the most that is spilled at a time, but for single blocks that are larger.
func chunkSize(spec Spec) int {
	n := maxChunk
	if spec.Acct != nil {
		n = min(n, int(min(spec.Acct.Limit()/int64(8*spec.Partitions), maxChunk)))
	}
	return mem.ClassSize(max(n, blockBytes(spec), 64<<10))
}

func stageSize(spec Spec) int { return s2.MaxEncodedLen(chunkSize(spec)) + 4<<10 }

// Floor returns the pool bytes that a store needs to work at a good speed: full tails for
// every worker and partition, scratch, and a chunk for each worker. Loading a
// partition needs its PartStats.Raw and a chunk or two besides.
func Floor(spec Spec) int64 {
	cols, vars := columnsOf(spec.Schema)
	nullable := make([]bool, len(cols))
	for i, f := range spec.Schema.Fields {
		nullable[i] = f.Nullable
	}
	lay := newLayout(cols, nullable, make([]bool, vars), blockBytes(spec))
	tailBytes := mem.ClassSize(lay.row * lay.rows)
	scratch := mem.ClassSize(4 * batch.Rows)
	if vars > 0 {
		tailBytes += mem.ClassSize(blockBytes(spec))
		scratch *= 2
	}
	perWorker := int64(spec.Partitions)*int64(tailBytes) + int64(scratch) + int64(chunkSize(spec))
	return int64(spec.Workers)*perWorker + int64(mem.ClassSize(stageSize(spec))) + int64(mem.ClassSize(ledgerBytes(spec))) + dictBytes(spec, vars) + 1<<20
}

func (s *Store) groupOf(p int) int { return p * len(s.groups) / s.spec.Partitions }

// Seal says that all rows have been appended: it flushes the tails and compares what
// came in with what was sealed. The error wraps ErrLost where they differ. With Spec.Keep the store then is
// a finished stage: durable, with all blocks on disk.
func (s *Store) Seal(ctx context.Context) error {
	for i := range s.workers {
		w := &s.workers[i]
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.flushTails(w); err != nil {
			return s.named(err)
		}
		w.scratch.Release()
		w.scratch, w.scratchN, w.tails = nil, 0, nil
		for v := range w.maps {
			w.maps[v].release()
		}
	}
	for _, d := range s.dicts {
		d.seal()
	}
	s.isSealed.Store(true)
	if err := s.checkSealed(); err != nil || s.spec.Keep == nil {
		return err
	}
	if err := s.keep(ctx); err != nil {
		return s.named(err)
	}
	return nil
}

// checkSealed compares what came in with what was sealed.
func (s *Store) checkSealed() error {
	in, out := s.rowsIn(), int64(0)
	for p := range s.parts {
		out += s.parts[p].rows
	}
	if in != out {
		return s.named(fmt.Errorf("%d rows came in and %d were sealed: %w", in, out, ErrLost))
	}
	for c := range s.cols {
		sum := uint64(0)
		for i := range s.workers {
			sum += s.workers[i].in[c] - s.workers[i].sealed[c]
		}
		if sum != 0 {
			return s.named(fmt.Errorf("column %s: %w", s.spec.Schema.Fields[c].Name, ErrLost))
		}
	}
	return nil
}

func (s *Store) rowsIn() (n int64) {
	for i := range s.workers {
		n += s.workers[i].rows
	}
	return n
}

// Schema returns the schema of the rows.
func (s *Store) Schema() *batch.Schema { return s.spec.Schema }

// Partitions returns how many partitions there are.
func (s *Store) Partitions() int { return s.spec.Partitions }

// Part describes partition p. It is complete after Seal.
func (s *Store) Part(p int) PartStats {
	part := &s.parts[p]
	part.mu.Lock()
	defer part.mu.Unlock()
	return PartStats{Rows: part.rows, Raw: s.raw(part), Blocks: part.blocks, Spilled: part.onDisk}
}

// DataBytes returns the bytes of the values of the columns at cols in partition p, those of variable width.
func (s *Store) DataBytes(p int, cols []int) (n int64) {
	part := &s.parts[p]
	part.mu.Lock()
	defer part.mu.Unlock()
	for _, c := range cols {
		if v := s.cols[c].varIdx; v >= 0 && part.vars != nil {
			n += part.vars[v]
		}
	}
	return n
}

// allCodes says that a column comes back as codes.
func (part *partition) allCodes(v int) bool { return part.rows > 0 && part.coded[v] == part.rows }

// raw returns the bytes of the partition's values when they are loaded.
func (s *Store) raw(part *partition) int64 {
	n := int64(0)
	for c := range s.cols {
		n += part.rows * int64(s.cols[c].width)
		if s.nullable[c].Load() {
			n += (part.rows + 7) / 8
		}
	}
	for v, bytes := range part.vars {
		if !part.allCodes(v) {
			n += bytes + 4
		}
	}
	return n
}

// Stats describes the store.
func (s *Store) Stats() Stats {
	st := Stats{RowsIn: s.rowsIn(), RowsOut: s.rowsOut.Load(), Spilled: s.spilled.Load()}
	for p := range s.parts {
		part := &s.parts[p]
		part.mu.Lock()
		st.Raw += s.raw(part)
		st.Encoded += part.bytes
		st.Blocks += int64(part.blocks)
		part.mu.Unlock()
	}
	s.spillMu.Lock()
	st.Files = s.files
	s.spillMu.Unlock()
	return st
}
