package plan

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

var outputKeys = []string{"table", "path", "format", "compression", "row_group_rows", "files", "partition_by", "bloom", "pandas_index", "if_exists"}

// maxOutputs is how many outputs a job may have.
const maxOutputs = 256

func (d *decoder) decodeOutputs(n *yamlNode) {
	entries := d.section(n, "outputs", "an output")
	if len(entries) > maxOutputs {
		d.job.fail(entries[maxOutputs].name.Pos, "", "a job has at most %d outputs, not %d", maxOutputs, len(entries))
	}
	for _, e := range entries {
		out := d.decodeOutput(e)
		for _, other := range d.job.Outputs {
			if Overlap(out.Path, other.Path) {
				d.job.fail(out.pathPos, "give each output a place of its own",
					"the outputs %q and %q both write to %s", other.Label, out.Label, out.Show)
			}
		}
		d.job.Outputs = append(d.job.Outputs, out)
	}
	d.checkInputsKept()
}

func (d *decoder) decodeOutput(e namedEntry) *Output {
	out := &Output{Label: e.name.Value, Table: e.name.Value,
		RowGroupRows: DefaultRowGroupRows, Pos: e.name.Pos, tablePos: e.name.Pos}
	what := fmt.Sprintf("the output %q", e.name.Show)
	if e.value.kind == yamlNull {
		d.job.fail(e.value.pos, "write "+e.name.Show+": path/", "%s has no path", what)
	}
	if e.value.kind != yamlMap {
		d.outputPath(out, d.text(e.value, "the path of "+what))
		return out
	}
	o := d.object(e.value, what, outputKeys...)
	if t := o.get("table"); t != nil {
		out.Table, out.tablePos = d.text(t, "table").Value, t.pos
	}
	if f := o.get("format"); f != nil {
		out.Format, out.formatPos = d.format(f), f.pos
	}
	d.outputPath(out, d.text(o.need("path", "write path: result/"), "path"))
	if c := o.get("compression"); c != nil {
		d.outputCompression(out, c)
	}
	if r := o.get("row_group_rows"); r != nil {
		out.RowGroupRows = d.whole(r, "row_group_rows", 1)
	}
	if p := o.get("partition_by"); p != nil {
		d.outputPartition(out, p, o.keys["partition_by"])
	}
	if f := o.get("files"); f != nil {
		d.outputFiles(out, f)
	}
	if b := o.get("bloom"); b != nil {
		d.outputBloom(out, b, o.keys["bloom"])
	}
	if i := o.get("pandas_index"); i != nil {
		d.parquetOnly(out, "pandas_index", o.keys["pandas_index"])
		out.NoPandasIndex = !d.boolean(i, "pandas_index")
	}
	if i := o.get("if_exists"); i != nil {
		out.Replace = d.choice(i, "if_exists", ifExists, nil) == IfExistsReplace
	}
	return out
}

func (d *decoder) outputPath(out *Output, t Text) {
	out.Path, out.Show, out.pathPos = d.path(t), t.Show, t.Pos
	if strings.ContainsAny(t.Value, "*?") {
		d.job.fail(t.Pos, "", "the path of an output cannot hold a pattern")
	}
	d.outputFormat(out, t)
	if out.Path == filepath.Dir(out.Path) {
		d.job.fail(t.Pos, "", "an output cannot be the root folder")
	}
	if Within(d.job.Dir, out.Path) {
		d.job.fail(t.Pos, "write to a folder of its own", "the output would replace the job file's own folder")
	}
}

// outputFormat settles format, compression and whether the output is one file: a path that ends in a format's extension is.
func (d *decoder) outputFormat(out *Output, t Text) {
	named, compression := d.pathFormat(t)
	if strings.HasSuffix(strings.ToLower(t.Value), ".arrows") {
		d.job.unsupported(t.Pos, "write a file, which ends in .arrow", "writing an Arrow stream")
	}
	if strings.HasSuffix(t.Value, "/") {
		named, compression = "", ""
	}
	switch {
	case named != "" && out.Format != "" && named != out.Format:
		d.job.fail(out.formatPos, "end the path with / for a folder of part files", "the format is %s, and the path %s ends as %s does", out.Format, t.Show, named)
	case out.Format == "" && named == "":
		out.Format = FormatParquet
	case out.Format == "":
		out.Format = named
	}
	out.SingleFile = named != ""
	switch {
	case out.Format == FormatParquet:
		out.Compression = "snappy"
	case compression != "":
		out.Compression = compression
	default:
		out.Compression = "none"
	}
}

// outputCompression takes compression; that of one file of text must be what its name says.
func (d *decoder) outputCompression(out *Output, n *yamlNode) {
	if out.Format == FormatParquet {
		out.Compression = d.choice(n, "compression", compressions, nil)
		return
	}
	if out.Format == FormatArrow {
		out.Compression = d.choice(n, "compression", []string{"zstd", "lz4", "none"}, []string{"snappy", "gzip"})
		return
	}
	c := d.choice(n, "compression", []string{"zstd", "gzip", "none"}, []string{"snappy", "lz4"})
	if out.SingleFile && c != out.Compression {
		d.job.fail(n.pos, "end the path in .gz for gzip, in .zst for zstd, in neither for none", "the compression is %s, and the path %s says %s", c, out.Show, out.Compression)
	}
	out.Compression = c
}

// Extension returns how the names of the output's part files end: .parquet, .csv, .csv.gz.
func (o *Output) Extension() string {
	ext := "." + o.Format
	if o.Format != FormatParquet && o.Format != FormatArrow {
		ext += map[string]string{"gzip": ".gz", "zstd": ".zst"}[o.Compression]
	}
	return ext
}

func (d *decoder) outputFiles(out *Output, n *yamlNode) {
	o := d.object(n, "files", filesKeys...)
	if len(o.fields) != 1 {
		d.job.fail(n.pos, "", "files takes one of size, rows and count")
	}
	if out.SingleFile {
		d.job.fail(n.pos, "end the path with / for a folder of part files", "files has no meaning for an output that is one file")
	}
	if s := o.get("size"); s != nil {
		out.FilesSize = d.size(s, "files: size")
	}
	if r := o.get("rows"); r != nil {
		out.FilesRows = d.whole(r, "files: rows", 1)
	}
	if c := o.get("count"); c != nil {
		v := d.whole(c, "files: count", 1)
		if v > 99999 {
			d.job.fail(c.pos, "", "files: count must be at most 99999, not %d", v)
		}
		out.FilesCount = int(v)
	}
}

// Overlap says whether two clean absolute paths are the same or one lies within the other.
func Overlap(a, b string) bool { return Within(a, b) || Within(b, a) }

// Within says whether the clean absolute path is dir or lies in it.
func Within(path, dir string) bool {
	if path == dir {
		return true
	}
	sep := string(os.PathSeparator)
	return strings.HasPrefix(path, strings.TrimSuffix(dir, sep)+sep)
}

// Meets says whether the output is, holds or lies within what an input's absolute path or pattern names. A caller that has
// resolved links asks it.
func (o *Output) Meets(pattern string) bool { return reads(pattern, o) }

// checkInputsKept refuses outputs that are, hold, or lie within an input.
func (d *decoder) checkInputsKept() {
	for _, out := range d.job.Outputs {
		for _, in := range d.job.Inputs {
			for i, p := range in.Paths {
				if reads(p, out) {
					d.job.fail(out.pathPos, "write somewhere else", "the output %q would overwrite or feed the input %q (%s)", out.Label, in.Name, in.Show[i])
				}
			}
		}
	}
}

// reads says whether the pattern may match what out writes, or out replace what the pattern matches.
func reads(pattern string, out *Output) bool {
	if !strings.ContainsAny(pattern, "*?[") {
		return Overlap(pattern, out.Path)
	}
	parts := strings.Split(pattern, "/")
	fixed := 0
	for fixed < len(parts) && !strings.ContainsAny(parts[fixed], "*?[") {
		fixed++
	}
	base := strings.Join(parts[:fixed], "/")
	if Within(base, out.Path) {
		return true
	}
	if !Within(out.Path, base) {
		return false
	}
	target := strings.Split(out.Path, "/")
	for range out.partitionBy {
		target = append(target, anyDirectory)
	}
	if !out.SingleFile {
		target = append(target, "part-00000"+out.Extension())
	}
	for n := 1; n <= len(target); n++ {
		if matchParts(parts, target[:n]) {
			return true
		}
	}
	return false
}

// anyDirectory is a path element whose name is not known: every pattern may match it.
const anyDirectory = "/"

// matchParts matches path elements; ** stands for any number of them.
func matchParts(pattern, path []string) bool {
	// row[i] says whether pattern[:k] matches path[:i].
	row := make([]bool, len(path)+1)
	row[0] = true
	for _, p := range pattern {
		next := make([]bool, len(path)+1)
		if p == "**" {
			next[0] = row[0]
		}
		for i := range path {
			if p == "**" {
				next[i+1] = row[i+1] || next[i]
			} else if ok, err := filepath.Match(p, path[i]); row[i] && (ok || err != nil || path[i] == anyDirectory) {
				next[i+1] = true
			}
		}
		row = next
	}
	return row[len(path)]
}
