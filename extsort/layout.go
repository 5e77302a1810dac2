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
	wordBytes    = 20        // bytes a row while words of key and id are sorted
	pairBytes    = 36        // and pairs of them
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
// workers: partitions that fit the cache where memory allows; where it is short fewer
// workers, then fewer partitions and smaller blocks. Floor of the result is at most share unless share is hopelessly small.
func Plan(schema *batch.Schema, keys []batch.SortKey, est Estimate, share int64, workers int) Layout {
	bytes := est.Bytes
	if bytes == 0 {
		bytes = est.Rows * int64(schema.RowWidth(varBytes))
	}
	workers = max(workers, 1)
	for workers > 1 && share/int64(workers) < minWorker(schema) {
		workers--
	}
	l := Layout{Workers: workers}
	own := share / int64(workers)
	l.MaxLoad = max(own-outputBytes(schema, own), minLoad)
	width := max(bytes/max(est.Rows, 1), 1)
	rows := min(cacheRows, cacheBytes/width)
	target := min(l.MaxLoad/2, loadBytes(schema, keys, rows, rows*width, keyData(schema, keys, rows)))
	parts := loadBytes(schema, keys, est.Rows, bytes, keyData(schema, keys, est.Rows))/max(target, 1) + 1
	if est.Rows > fewRows {
		parts = max(parts, int64(workers))
	}
	if est.Rows == 0 && est.Bytes == 0 {
		parts = 64 // nothing is known
	}
	l.fit(schema, share, int(min(parts, maxFan)))
	return l
}

// fit chooses the partitions, at most parts, and their blocks so that scattering stays
// within share: blocks shrink first, to a size that is still worth a write, then partitions go.
func (l *Layout) fit(schema *batch.Schema, share int64, parts int) {
	for l.Partitions = parts; ; l.Partitions = max(l.Partitions*3/4, 1) {
		for l.BlockBytes = maxBlock; ; l.BlockBytes /= 2 {
			if l.Floor(schema) <= share {
				return
			}
			if int64(l.BlockBytes)/2 < blockFloor(schema) {
				break
			}
		}
		if l.Partitions == 1 {
			return
		}
	}
}

// Floor returns what a sort by the layout needs.
func (l Layout) Floor(schema *batch.Schema) int64 {
	return Floor(Spec{Schema: schema, Workers: l.Workers, Partitions: l.Partitions, BlockBytes: l.BlockBytes, MaxLoad: l.MaxLoad})
}

// blockFloor is the smallest sensible block: some rows of every column.
func blockFloor(schema *batch.Schema) int64 {
	return max(minBlock, int64(16*schema.RowWidth(varBytes)))
}

// minWorker is what one worker should have before there is another.
func minWorker(schema *batch.Schema) int64 {
	return 2*minFan*blockFloor(schema) + 2*minLoad
}

// outputBytes is a batch being put out by one that may take own bytes.
func outputBytes(schema *batch.Schema, own int64) int64 {
	return min(int64(batch.Rows*schema.RowWidth(varBytes))*classNum/classDen, own/8)
}

// Floor returns the bytes without which a sort of spec cannot run: the store's buffers
// while scattering, or the loaded units of all workers, whichever is more, and a batch a
// worker. The batches that come in are their sender's.
func Floor(spec Spec) int64 {
	workers := int64(max(spec.Workers, 1))
	scatter := spillfile.Floor(spillfile.Spec{
		Schema: spec.Schema, Partitions: max(spec.Partitions, 1), Workers: int(workers), BlockBytes: spec.BlockBytes, Codes: true,
	})
	return max(scatter, workers*(spec.MaxLoad+outputBytes(spec.Schema, spec.MaxLoad)))
}

// loadBytes bounds the pool bytes of a partition that is loaded, sorted and put out.
// data is the bytes of its keys' values of variable width.
func loadBytes(schema *batch.Schema, keys []batch.SortKey, rows, raw, data int64) int64 {
	perRow, strings := int64(wordBytes), int64(0)
	if width := keyBytes(schema, keys); width < 0 {
		perRow, strings = pairBytes, 2*data+int64(8*len(keys))*rows // escaped key bytes and their offsets
	} else if len(keys) > 1 || width > 9 {
		perRow = pairBytes + width + 4 // they may or may not fit a word
	}
	return (raw+rows*perRow+strings)*classNum/classDen + heapEstimate
}

// keyData estimates the bytes of the keys' values of variable width.
func keyData(schema *batch.Schema, keys []batch.SortKey, rows int64) (n int64) {
	for _, k := range keys {
		if schema.Fields[k.Column].Type.Kind() == batch.KindBytes {
			n += rows * varBytes
		}
	}
	return n
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
