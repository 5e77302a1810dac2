package hashjoin

import (
	"context"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

// Store is what a join needs of a partition store; *spillfile.Store is one.
type Store interface {
	// Append scatters b, which it takes over, by the partition of each row.
	Append(ctx context.Context, worker, unit int, part []uint16, b *batch.Batch) error
	// Seal ends writing; reading begins after it.
	Seal(ctx context.Context) error
	// Part returns the rows of partition p and the bytes that they take when loaded.
	Part(p int) spillfile.PartStats
	// Load returns the columns cols of partition p (nil: all) as one batch, in sequence order.
	Load(ctx context.Context, p int, acct *mem.Account, cols []int) (*batch.Batch, error)
	// Stream reads the columns cols (nil: all) of partition p in sequence order, as often as it is called.
	Stream(ctx context.Context, p int, acct *mem.Account, cols []int, batchRows int) (batch.Stream, error)
	// Drop gives back partition p.
	Drop(p int)
	Close() error
}

// StoreFactory makes a store of partitions that workers write at once. name appears in
// errors. It is called from several goroutines: a partition that is too large is cut again through it.
type StoreFactory func(name string, schema *batch.Schema, partitions, workers int) (Store, error)

// part is one partition of a store.
type part struct {
	st Store
	p  int
}

func (x part) rows() int64 { return x.st.Part(x.p).Rows }

// tableBytes bounds what loading x and building its table takes.
func (x part) tableBytes() int64 {
	s := x.st.Part(x.p)
	return s.Raw + s.Rows*tableRowBytes
}

func (x part) load(ctx context.Context, acct *mem.Account) (*batch.Batch, error) {
	return x.st.Load(ctx, x.p, acct, nil)
}

func (x part) stream(ctx context.Context, acct *mem.Account, rows int) (batch.Stream, error) {
	return x.st.Stream(ctx, x.p, acct, nil, rows)
}
