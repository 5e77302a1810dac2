package jobgen

import (
	"slices"
	"strings"

	"pqjoin/batch"
	"pqjoin/tableio"
)

// textCompression is how text is compressed where Parquet is compressed so; else not at all.
var textCompression = map[string]string{"zstd": "zstd", "gzip": "gzip", "snappy": "none", "lz4": "none", "none": "none", "": "none"}

// asText makes some inputs text where that holds them: of types that are read from it, with no empty text, which is null there.
func (g *gen) asText(in *Input) {
	switch g.r.IntN(10) {
	case 0:
		g.asArrow(in)
		return
	case 1, 2:
	default:
		return
	}
	for i, f := range in.Schema.Fields {
		switch f.Type.ID {
		case batch.Binary, batch.Fixed, batch.UUID, batch.Float16, batch.Nested, batch.Time:
			return
		}
		for _, r := range in.Rows {
			switch v := r[i].(type) {
			case string:
				if v == "" || strings.ContainsRune(v, 0) {
					return
				}
			case []byte:
				if len(v) == 0 {
					return
				}
			}
		}
	}
	in.Format = []string{tableio.CSV, tableio.TSV, tableio.JSONL}[g.r.IntN(3)]
	if in.Format == tableio.JSONL && len(in.Rows) == 0 {
		in.Format = tableio.CSV // an empty file of objects has its columns by name
	}
	for i := range in.Schema.Fields {
		in.Schema.Fields[i].Nullable = true
	}
}

// asArrow makes an input an Arrow file.
func (g *gen) asArrow(in *Input) {
	in.Format = tableio.Arrow
	for i := range in.Schema.Fields {
		in.Schema.Fields[i].Nullable = true
	}
}

// arrowCompression is how Arrow files are compressed where Parquet is compressed so.
var arrowCompression = map[string]string{"zstd": "zstd", "lz4": "lz4", "gzip": "lz4", "snappy": "none", "none": "none", "": "none"}

func (in *Input) format() string {
	if in.Format == "" {
		return tableio.Parquet
	}
	return in.Format
}

// types is the option that gives the types of text, and of what directories say.
func (in *Input) types() string {
	if in.Format == "" && len(in.Hive) == 0 {
		return ""
	}
	var s []string
	for i, f := range in.Schema.Fields {
		if in.Format == "" && !slices.Contains(in.Hive, i) {
			continue
		}
		if f.Type.ID == batch.Nested { // which no option decides
			continue
		}
		s = append(s, quote(f.Name)+": "+quote(f.Type.String()))
	}
	if len(s) == 0 {
		return ""
	}
	return ", types: {" + strings.Join(s, ", ") + "}"
}
