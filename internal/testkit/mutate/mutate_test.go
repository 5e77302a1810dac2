package mutate

import (
	"bytes"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// files are Parquet files of several writers, codecs and page versions.
func files(t *testing.T) map[string][]byte {
	names, err := filepath.Glob("../../../tableio/parquet/testdata/writers/*.parquet")
	if err != nil || len(names) < 10 {
		t.Fatal(names, err)
	}
	out := map[string][]byte{}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(n)] = b
	}
	return out
}

func TestUnchangedFootersAndPageHeadersAreTheSameBytes(t *testing.T) {
	for name, b := range files(t) {
		f := ParseParquet(b)
		if f == nil {
			t.Errorf("%s: no footer", name)
			continue
		}
		if got := f.with(b[:f.footer], f.parsed()); !bytes.Equal(got, b) {
			t.Errorf("%s: another footer", name)
		}
		pages := 0
		for _, p := range f.pages {
			head, n, err := parseThrift(b[p.at:p.body])
			if err != nil || n != p.body-p.at || !bytes.Equal(head.append(nil), b[p.at:p.body]) {
				t.Errorf("%s: another header at byte %d: %v", name, p.at, err)
			}
			pages += p.end - p.at
		}
		if pages < f.footer/2 && len(f.pages) > 0 {
			t.Errorf("%s: pages of %d bytes were found before the footer at %d", name, pages, f.footer)
		}
	}
}

// Most changed pages are found again where the footer says, with the sizes and checksums of what they hold: or nobody would look into them.
func TestChangedPagesAreFoundWithTheirChecksums(t *testing.T) {
	found, tried := 0, 0
	for name, b := range files(t) {
		f := ParseParquet(b)
		if f == nil || len(f.pages) == 0 {
			continue
		}
		for seed := range uint64(40) {
			m := f.Page(rand.New(rand.NewPCG(seed, 1)))
			if again := f.Page(rand.New(rand.NewPCG(seed, 1))); !bytes.Equal(m, again) {
				t.Errorf("%s: two files of one seed", name)
			}
			tried++
			g := ParseParquet(m)
			if g == nil || len(g.pages) != len(f.pages) {
				continue
			}
			good := true
			for _, p := range g.pages {
				head, _, err := parseThrift(m[p.at:p.body])
				crc := head.get(pageCRC)
				good = good && err == nil && (crc == nil || uint32(crc.n) == crc32.ChecksumIEEE(m[p.body:p.end]))
			}
			if good {
				found++
			}
		}
	}
	if found < tried/2 {
		t.Errorf("of %d files with a changed page %d have all their pages", tried, found)
	}
}

func TestInputsAreNotChanged(t *testing.T) {
	b := []byte("PAR1 some words, 12 numbers\n{\"a\": [1, 2]}\n")
	was := bytes.Clone(b)
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 2))
		Flip(b, int(seed))
		Flips(r, b)
		Words(r, b, 0, len(b))
		Splice(r, b, b)
		Tokens(r, b, b, []string{"", "\"", "null"})
		Spilled(r, b)
		if !bytes.Equal(b, was) {
			t.Fatalf("seed %d changed its input to %q", seed, b)
		}
	}
}
