package extsort

import (
	"pqjoin/batch"
	"pqjoin/spillfile"
)

const (
	minFan       = 8         // partitions a large one is cut into, at least
	maxFan       = 1024      // partitions in all, at most
	cacheRows    = 800_000   // rows of a partition that sorts and gathers within the cache
	cacheBytes   = 16 << 20  // and its bytes
	minBlock     = 8 << 10   // bytes of a block
	maxBlock     = 256 << 10 // more gains nothing
	minLoad      = 1 << 20   // bytes a unit may take, at least
	fewRows      = 100_000   // not worth a second partition
	pairBytes    = 36        // bytes a row while (key, id) pairs are sorted
	varBytes     = 24        // what a string is taken for where nothing is known
	classNum     = 5         // pool buffers are up to 5/4 of what is asked for
	classDen     = 4
	heapEstimate = 64 << 10
)

// Layout is how a sort divides its memory. Bytes throughout.
type Layout struct {
	Workers    int
	Partitions int
	BlockBytes int
	MaxLoad    int64
}

// Estimate is what is known of a table before it is sorted; 0 where unknown.
type Estimate struct {
	Rows  int64
	Bytes int64 // as columns in memory
}

// Plan divides share bytes of memory for sorting a table of about est by up to workers
// workers: partitions that fit the cache where memory allows, fewer partitions, smaller
// blocks and then fewer workers where it is short. The result's Floor may still exceed a very small share.
func Plan(schema *batch.Schema, keys []batch.SortKey, est Estimate, share int64, workers int) Layout {
	bytes := est.Bytes
	if bytes == 0 {
		bytes = est.Rows * int64(schema.RowWidth(varBytes))
	}
	workers = max(workers, 1)
	for workers > 1 && share/int64(workers) < 2*minWorker(schema) {
		workers--
	}
	l := Layout{Workers: workers}
	l.MaxLoad = max(share/int64(workers)-outputBytes(schema), minLoad)
	need := loadBytes(schema, keys, est.Rows, bytes)
	target := min(l.MaxLoad/2, loadBytes(schema, keys, cacheRows, cacheRows*max(bytes/max(est.Rows, 1), 1)))
	if b := loadBytes(schema, keys, cacheRows, cacheBytes); b < target {
		target = b
	}
	parts := need/max(target, 1) + 1
	if parts < int64(workers) && est.Rows > fewRows {
		parts = int64(workers)
	}
	if est.Rows == 0 && est.Bytes == 0 {
		parts = 64 // nothing is known
	}
	l.fit(schema, share, min(parts, maxFan))
	return l
}

// fit chooses the partitions, at most parts, and the blocks so that scattering takes at most half of share.
func (l *Layout) fit(schema *batch.Schema, share, parts int64) {
	spend := share / 2 / int64(l.Workers)
	parts = max(min(parts, spend/blockFloor(schema)), 1)
	l.Partitions = int(parts)
	l.BlockBytes = int(max(min(spend/parts, maxBlock), blockFloor(schema))) &^ 4095
}

// blockFloor is the smallest sensible block: some rows of every column.
func blockFloor(schema *batch.Schema) int64 {
	return max(minBlock, int64(16*schema.RowWidth(varBytes)+4095)&^4095)
}

// minWorker is what one worker cannot do without.
func minWorker(schema *batch.Schema) int64 {
	return max(minFan*blockFloor(schema), minLoad) + outputBytes(schema)
}

// outputBytes is a batch being put out, and one being scattered.
func outputBytes(schema *batch.Schema) int64 {
	return int64(batch.Rows*schema.RowWidth(varBytes)) * classNum / classDen
}

// Floor returns the bytes without which a sort of spec cannot run: the store's buffers,
// or the loaded units of all workers, whichever is more, and a batch a worker.
func Floor(spec Spec) int64 {
	workers := int64(max(spec.Workers, 1))
	scatter := spillfile.Floor(spillfile.Spec{
		Schema: spec.Schema, Partitions: spec.Partitions, Workers: int(workers), BlockBytes: spec.BlockBytes,
	})
	scatter = max(scatter, workers*int64(spec.Partitions)*int64(spec.BlockBytes))
	return max(scatter, workers*spec.MaxLoad) + workers*outputBytes(spec.Schema)
}

// loadBytes bounds the pool bytes of a partition that is loaded, sorted and put out.
func loadBytes(schema *batch.Schema, keys []batch.SortKey, rows, raw int64) int64 {
	perRow, strings := int64(pairBytes), int64(0)
	if width := keyBytes(schema, keys); width < 0 {
		strings = 2*raw + int64(16)*rows // escaped key bytes and their offsets
	} else if width > 8 {
		perRow += width + 4
	}
	return (raw+rows*perRow+strings)*classNum/classDen + heapEstimate
}

// keyBytes returns the bytes of a key in words; negative where they vary.
func keyBytes(schema *batch.Schema, keys []batch.SortKey) int64 {
	n := int64(0)
	for _, k := range keys {
		f := schema.Fields[k.Column]
		w := f.Type.Kind().Width()
		if w == 0 && f.Type.StoredWidth() == 0 {
			return -1
		}
		n += int64(max(w, f.Type.StoredWidth()))
		if f.Nullable {
			n++
		}
	}
	return n
}
