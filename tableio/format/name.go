package format

import (
	"path/filepath"
	"strings"
)

// The formats of table files.
const (
	Parquet = "parquet"
	CSV     = "csv"
	TSV     = "tsv"
	JSONL   = "jsonl"
	Arrow   = "arrow"
)

// extensions are those of the formats.
var extensions = map[string]string{".parquet": Parquet, ".parq": Parquet, ".pq": Parquet, ".csv": CSV, ".tsv": TSV, ".jsonl": JSONL, ".ndjson": JSONL,
	".arrow": Arrow, ".arrows": Arrow, ".feather": Arrow, ".ipc": Arrow}

// compressions are those of files of text, by their extension.
var compressions = map[string]string{".gz": "gzip", ".zst": "zstd", ".bz2": "bzip2", ".xz": "xz"}

// Textual says whether a format is one of text.
func Textual(format string) bool { return format == CSV || format == TSV || format == JSONL }

// OfName returns the format that a file's name tells, in letters of any case, and how its text is compressed: gzip, zstd,
// bzip2 or xz (which nobody reads or writes yet) or none. Both are empty where it tells no format, as files of the other formats
// are not compressed as a whole: x.parquet.gz is no Parquet file.
func OfName(name string) (format, compression string) {
	name = strings.ToLower(name)
	ext := filepath.Ext(name)
	packed := compressions[ext]
	if packed != "" {
		ext = filepath.Ext(strings.TrimSuffix(name, ext))
	}
	switch format = extensions[ext]; {
	case format == "" || packed != "" && !Textual(format):
		return "", ""
	case packed != "":
		return format, packed
	}
	return format, "none"
}
