package plan

import (
	"path/filepath"
	"strings"
)

// The formats of inputs and outputs.
const (
	FormatParquet = "parquet"
	FormatCSV     = "csv"
	FormatTSV     = "tsv"
	FormatJSONL   = "jsonl"
	FormatArrow   = "arrow"
)

// builtFormats are the formats that there are.
var builtFormats = []string{FormatParquet, FormatCSV, FormatTSV, FormatJSONL, FormatArrow}

// format takes the name of a format.
func (d *decoder) format(n *yamlNode) string {
	return d.choice(n, "format", builtFormats, nil)
}

// pathFormat returns the format that the extension of a path names, and the compression for one of text: none,
// gzip or zstd. Both are empty where it names none. A format that is not built yet is refused.
func (d *decoder) pathFormat(t Text) (format, compression string) {
	path := strings.ToLower(t.Value)
	compression = "none"
	for ext, c := range map[string]string{".gz": "gzip", ".zst": "zstd", ".bz2": "bzip2"} {
		if rest, ok := strings.CutSuffix(path, ext); ok {
			path, compression = rest, c
			break
		}
	}
	switch ext := filepath.Ext(path); ext {
	case ".parquet":
		if compression == "none" {
			return FormatParquet, ""
		}
	case ".csv", ".tsv", ".jsonl", ".ndjson":
		if compression == "bzip2" {
			d.job.unsupported(t.Pos, "compress it with gzip or zstd", "bzip2")
		}
		if ext == ".ndjson" {
			ext = ".jsonl"
		}
		return ext[1:], compression
	case ".arrow", ".feather", ".arrows", ".ipc":
		if compression == "none" {
			return FormatArrow, ""
		}
	}
	return "", ""
}
