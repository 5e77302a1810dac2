package hostile

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"pqjoin/internal/testkit/mutate"
	"pqjoin/tableio"
)

// New makes a suite. Its inputs are what we write, the tests' files below root, the module's folder, and the small files of a copy of
// apache/parquet-testing at corpus, where there is one.
func New(root, corpus string, seed uint64) (*Suite, error) {
	var all []*Family
	seeds := 0
	for _, add := range []func(root, corpus string) (families []*Family, seeds int, err error){
		parquetFamilies, arrowFamilies, textFamilies, planFamilies, spillFamilies, keptFamilies, publishedFamilies,
	} {
		f, n, err := add(root, corpus)
		if err != nil {
			return nil, fmt.Errorf("hostile: %w", err)
		}
		all, seeds = append(all, f...), seeds+n
	}
	s := newSuite(seed, all)
	s.Seeds = seeds
	return s, nil
}

// bits are every single bit of the small seeds, and then several of any.
func bits(reader string, share int, seeds []seedFile, r reader) *Family {
	total := uint64(0)
	for _, s := range small(seeds) {
		total += 8 * uint64(len(s.b))
	}
	return &Family{Reader: reader, Mutator: "bits flipped", Share: share, Every: total, reader: r, mutant: func(n uint64, rnd *rand.Rand) []byte {
		for _, s := range small(seeds) {
			if k := 8 * uint64(len(s.b)); n < k {
				return mutate.Flip(s.b, int(n))
			} else {
				n -= k
			}
		}
		return mutate.Flips(rnd, pick(rnd, seeds))
	}}
}

// cuts are the small seeds cut off everywhere, and then any anywhere.
func cuts(reader string, share int, seeds []seedFile, r reader) *Family {
	total := uint64(0)
	for _, s := range small(seeds) {
		total += uint64(len(s.b))
	}
	return &Family{Reader: reader, Mutator: "cut off", Share: share, Every: total, reader: r, mutant: func(n uint64, rnd *rand.Rand) []byte {
		for _, s := range small(seeds) {
			if k := uint64(len(s.b)); n < k {
				return mutate.Cut(s.b, int(n))
			} else {
				n -= k
			}
		}
		b := mutate.Flips(rnd, pick(rnd, seeds))
		return mutate.Cut(b, rnd.IntN(len(b)+1))
	}}
}

func small(seeds []seedFile) []seedFile {
	n := slices.IndexFunc(seeds, func(s seedFile) bool { return len(s.b) > smallSeed })
	if n < 0 {
		n = len(seeds)
	}
	return seeds[:n]
}

// other are mutants that random numbers alone decide.
func other(reader, mutator string, share int, r reader, mutant func(r *rand.Rand) []byte) *Family {
	return &Family{Reader: reader, Mutator: mutator, Share: share, reader: r, mutant: func(_ uint64, rnd *rand.Rand) []byte { return mutant(rnd) }}
}

func parquetFamilies(root, corpus string) ([]*Family, int, error) {
	seeds, err := ownFiles(tableio.Parquet, "none", "snappy", "zstd", "gzip", "lz4")
	if err != nil {
		return nil, 0, err
	}
	for _, dir := range []string{filepath.Join(root, "tableio/parquet/testdata"), corpus} {
		files, err := filesBelow(dir, ".parquet")
		if err != nil {
			return nil, 0, err
		}
		seeds = append(seeds, files...)
	}
	seeds = bySize(seeds)
	var parsed []*mutate.ParquetFile
	for _, s := range seeds {
		if p := mutate.ParseParquet(s.b); p != nil {
			parsed = append(parsed, p)
		}
	}
	file := func(r *rand.Rand) *mutate.ParquetFile {
		x := r.Float64()
		return parsed[int(x*x*float64(len(parsed)))]
	}
	rd := tables{tableio.Parquet}
	return []*Family{
		bits("parquet", 110, seeds, rd),
		cuts("parquet", 20, seeds, rd),
		other("parquet", "footer changed", 100, rd, func(r *rand.Rand) []byte {
			f := file(r)
			if r.IntN(4) == 0 {
				return f.Footer(r, file(r))
			}
			return f.Footer(r, f)
		}),
		other("parquet", "page changed", 120, rd, func(r *rand.Rand) []byte { return file(r).Page(r) }),
		other("parquet", "bytes moved", 20, rd, func(r *rand.Rand) []byte { return mutate.Splice(r, pick(r, seeds), pick(r, seeds)) }),
	}, len(seeds), nil
}

func arrowFamilies(root, _ string) ([]*Family, int, error) {
	seeds, err := ownFiles(tableio.Arrow, "none", "lz4", "zstd")
	if err != nil {
		return nil, 0, err
	}
	files, err := filesBelow(filepath.Join(root, "tableio/arrow/testdata"), ".arrow", ".arrows")
	if err != nil {
		return nil, 0, err
	}
	seeds = bySize(append(seeds, files...))
	rd := tables{tableio.Arrow}
	return []*Family{
		bits("arrow", 50, seeds, rd),
		cuts("arrow", 10, seeds, rd),
		other("arrow", "numbers changed", 90, rd, func(r *rand.Rand) []byte { b := pick(r, seeds); return mutate.Words(r, b, 0, len(b)) }),
		other("arrow", "numbers of one message changed", 40, rd, func(r *rand.Rand) []byte {
			b := pick(r, seeds)
			return mutate.Words(r, b, r.IntN(len(b))&^7, 256)
		}),
		other("arrow", "bytes moved", 20, rd, func(r *rand.Rand) []byte { return mutate.Splice(r, pick(r, seeds), pick(r, seeds)) }),
	}, len(seeds), nil
}
