package plan

import "pqjoin/tableio/format"

// The formats of inputs and outputs.
const (
	FormatParquet = format.Parquet
	FormatCSV     = format.CSV
	FormatTSV     = format.TSV
	FormatJSONL   = format.JSONL
	FormatArrow   = format.Arrow
)

// builtFormats are the formats that there are.
var builtFormats = []string{FormatParquet, FormatCSV, FormatTSV, FormatJSONL, FormatArrow}

// format takes the name of a format.
func (d *decoder) format(n *yamlNode) string {
	return d.choice(n, "format", builtFormats, nil)
}

// pathFormat returns the format that the extension of a path names, and the compression of one of text, as
// format.OfName does. One that is not built yet is refused.
func (d *decoder) pathFormat(t Text) (named, compression string) {
	named, compression = format.OfName(t.Value)
	if compression == "bzip2" || compression == "xz" {
		d.job.unsupported(t.Pos, "compress it with gzip or zstd", compression)
	}
	return named, compression
}
