package hostile

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"

	"pqjoin/internal/testkit/mutate"
	"pqjoin/tableio"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// csvTokens and jsonTokens are pieces that readers of text trip over.
var (
	csvTokens = []string{",", "\t", "\"", "\"\"", "\n", "\r\n", "\r", "\n\n", "", " ", "\xef\xbb\xbf", "\x00", "\xff", "é", "nan", "-inf", "1e999", "-0", "0x1", "9223372036854775808",
		"18446744073709551616", "2024-02-30", "0001-01-01T00:00:00Z", "true", "null", "'", "\"a\nb\"", ";"}
	jsonTokens = []string{"{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "\\ud83d", "\\ude00", "\\u0000", "\n", "\r\n", "{}", "null", "true", "false", "NaN", "Infinity", "-", "1e999", "01", "1.",
		"\"a\":", "{\"a\":1}", "\xff", "\x00", "\xef\xbb\xbf", "9223372036854775808", "1e-400", "[[[[[[", "{\"a\":{\"a\":{\"a\":"}
)

func textFamilies(root, _ string) (out []*Family, seeds int, err error) {
	formats := []struct {
		format, reader, dir string
		share               int
		tokens              []string
	}{
		{tableio.CSV, "csv", "csv", 80, csvTokens}, {tableio.TSV, "tsv", "csv", 20, csvTokens}, {tableio.JSONL, "jsonl", "jsonl", 90, jsonTokens},
	}
	for _, f := range formats {
		files, err := ownFiles(f.format, "none")
		if err != nil {
			return nil, 0, err
		}
		golden, err := filesBelow(filepath.Join(root, "tableio", f.dir, "testdata"), "."+f.format)
		if err != nil {
			return nil, 0, err
		}
		files = bySize(append(files, golden...))
		packed, err := packedSeeds(files)
		if err != nil {
			return nil, 0, err
		}
		rd := tables{f.format}
		out = append(out,
			bits(f.reader, f.share/5, files, rd),
			cuts(f.reader, f.share/10, files, rd),
			other(f.reader, "words changed", f.share-f.share/5-2*(f.share/10), rd, func(r *rand.Rand) []byte {
				return mutate.Tokens(r, pick(r, files), pick(r, files), f.tokens)
			}),
			other(f.reader, "compressed, and damaged", f.share/10, rd, func(r *rand.Rand) []byte {
				if b := pick(r, packed); r.IntN(2) == 0 {
					return mutate.Flips(r, b)
				} else {
					return mutate.Splice(r, b, pick(r, packed))
				}
			}))
		seeds += len(files) + len(packed)
	}
	return out, seeds, nil
}

// packedSeeds are the seeds compressed.
func packedSeeds(seeds []seedFile) (out []seedFile, err error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<17))
	if err != nil {
		return nil, err
	}
	for _, s := range seeds {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		if _, err := w.Write(s.b); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		out = append(out, seedFile{s.name + ".gz", b.Bytes()}, seedFile{s.name + ".zst", enc.EncodeAll(s.b, nil)})
	}
	return bySize(out), enc.Close()
}
