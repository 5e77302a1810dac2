package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/microbench"
	"pqjoin/mem"
)

// sink keeps the compiler from leaving work out.
var sink uint64

func benchCopy(b *testing.B, size int) {
	from, to := make([]byte, size), make([]byte, size)
	for i := range from { // every page of both is there before the first copy
		from[i], to[i] = byte(i), 1
	}
	cost := microbench.Start(b)
	for b.Loop() {
		copy(to, from)
	}
	cost.Rows(int64(size/8), int64(2*size))
}

// benchRead looks for a byte that is not there: the library reads 32 at a time, and nothing but reads.
func benchRead(b *testing.B, size int) {
	v := make([]byte, size)
	for i := range v {
		v[i] = 2 // every page is there, and not the one of zeros
	}
	cost := microbench.Start(b)
	for b.Loop() {
		if bytes.IndexByte(v, 1) >= 0 {
			b.Fatal("found")
		}
	}
	cost.Rows(int64(size/8), int64(size))
}

// benchRandom reads at places that do not depend on what was read, as probes of a batch do: the processor waits for
// many at once.
func benchRandom(b *testing.B, size int) {
	pool := mem.NewPool(int64(size)) // pages as kernels have them
	buf, err := pool.Account("bench", 0).Alloc(size)
	if err != nil {
		b.Fatal(err)
	}
	defer buf.Release()
	v, at := batch.View[uint64](buf.Bytes()), make([]uint32, 1<<16)
	for i := range v {
		v[i] = uint64(i)
	}
	r := rand.New(rand.NewPCG(1, 1))
	shift := uint32(0)
	for i := range at {
		at[i] = r.Uint32()
	}
	mask := uint32(len(v) - 1)
	cost := microbench.Start(b)
	for b.Loop() {
		shift += 0x9e3779b9 // other places each time
		var s uint64
		for _, a := range at {
			s += v[(a+shift)&mask]
		}
		sink += s
	}
	cost.Rows(int64(len(at)), int64(8*len(at)))
}

func BenchmarkLimit(b *testing.B) {
	b.Run(memoryCopy, func(b *testing.B) { benchCopy(b, 64<<20) })
	b.Run(memoryRead, func(b *testing.B) { benchRead(b, 64<<20) })
	b.Run(memoryRandom, func(b *testing.B) { benchRandom(b, 256<<20) })
	b.Run(cacheCopy, func(b *testing.B) { benchCopy(b, 256<<10) })
	b.Run(cacheRead, func(b *testing.B) { benchRead(b, 256<<10) })
	b.Run(cacheRandom, func(b *testing.B) { benchRandom(b, 8<<20) })
}

// A figure without its limit says little: every benchmark of a kernel has one.
func TestEveryBenchmarkHasALimit(t *testing.T) {
	const root = "../.."
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || path == filepath.Join(root, "bench") || path == filepath.Join(root, "internal")) {
			return fs.SkipDir // no kernels there
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv != nil {
				continue
			}
			name, isBench := strings.CutPrefix(fn.Name.Name, "Benchmark")
			if _, known := limitOf(dir + "." + name + "/"); isBench && !known {
				t.Errorf("%s: %s has no limit: add it to bench/micro/limits.go", path, fn.Name.Name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
