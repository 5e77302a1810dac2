package format

import "testing"

func TestTheNameOfAFileTellsItsFormat(t *testing.T) {
	for name, want := range map[string][2]string{
		"a.parquet": {Parquet, "none"}, "/x.csv/a.PARQUET": {Parquet, "none"}, "a.parq": {Parquet, "none"}, "a.pq": {Parquet, "none"},
		"a.csv": {CSV, "none"}, "a.CSV.GZ": {CSV, "gzip"}, "a.tsv.zst": {TSV, "zstd"}, "a.csv.bz2": {CSV, "bzip2"}, "a.csv.xz": {CSV, "xz"},
		"a.jsonl": {JSONL, "none"}, "a.ndjson.gz": {JSONL, "gzip"},
		"a.arrow": {Arrow, "none"}, "a.arrows": {Arrow, "none"}, "a.feather": {Arrow, "none"}, "a.ipc": {Arrow, "none"},
		"a.parquet.gz": {}, "a.arrow.zst": {}, "a.gz": {}, "a.csv.gz.gz": {}, "a.json": {}, "a": {}, "": {}, "csv": {}, "a.csv/": {},
	} {
		if format, compression := OfName(name); format != want[0] || compression != want[1] {
			t.Errorf("%q: %q and %q, want %q", name, format, compression, want)
		}
	}
}
