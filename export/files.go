package export

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"pqjoin/batch"
	"pqjoin/plan"
)

// head writes what stands above the steps.
func (w *writer) head() {
	job := w.plan.Job
	w.printf("-- %s as SQL for DuckDB 2.0, made by pqjoin export.\n", spaced(filepath.Base(job.File)))
	w.printf(`--
-- It gives the same rows, with these differences:
--   Sums, means and deviations of floats may differ in their last digits: pqjoin's do not depend on the order of the rows, DuckDB's do.
--   Functions such as ln, exp and sin may differ in the last digit: the two have different math libraries.
--   A sum of whole numbers that does not fit 64 bits is an error in both. Where pqjoin stops at a value (1 // 0, a cast that does not fit), so does
--   DuckDB, with a message of its own; it may do so for rows that a later step leaves out.
--   Casts of texts: DuckDB reads some that are errors in pqjoin and null of try_cast ('1_000', '0x1F', a date with a time behind it).
--   0.0 and -0.0 are one key in both; which of them a group shows may differ.
--   Rows are numbered in the column %s where their order matters. Checks are statements of their own and read the data again.
--   Outputs are written as DuckDB cuts files and row groups.
`, strings.Trim(w.row, `"`))
	if strings.Contains(job.Redact(w.paths()), "${env:") {
		w.printf("-- Replace ${env:NAME} by the values of the environment before running it.\n")
	}
	w.printf("SET TimeZone = 'UTC';\nSET ieee_floating_point_ops = true;\nSET preserve_insertion_order = true;\n")
	if w.readsFloats() {
		w.printf("-- A condition must not be decided by the statistics of files, which leave NaN out. Without NaN in the data, drop this line.\n" +
			"SET disabled_optimizers = 'statistics_propagation,filter_pushdown';\n")
	}
}

// readsFloats says whether an input has a column that may hold NaN.
func (w *writer) readsFloats() bool {
	return slices.ContainsFunc(w.plan.Nodes, func(n *plan.Node) bool {
		_, scan := n.Op.(*plan.Scan)
		return scan && slices.ContainsFunc(n.Schema.Fields, func(f batch.Field) bool { return f.Type.IsFloat() })
	})
}

func (w *writer) paths() string {
	var s []string
	for _, in := range w.plan.Job.Inputs {
		s = append(s, in.Paths...)
	}
	for _, o := range w.plan.Job.Outputs {
		s = append(s, o.Path)
	}
	return strings.Join(s, "\n")
}

// spaced makes line ends spaces: they end comments.
func spaced(s string) string { return strings.NewReplacer("\n", " ", "\r", " ").Replace(s) }

// wildcards are characters of a path that DuckDB takes for a pattern; in brackets they are themselves.
var wildcards = strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]")

// scan reads an input: its files in pqjoin's order, as the columns and types that the job gives them.
func (w *writer) scan(n *plan.Node, op *plan.Scan) string {
	in := op.Input
	found := w.found[in]
	paths := make([]string, len(found.Files))
	for i, f := range found.Files {
		paths[i] = text(wildcards.Replace(w.plan.Job.Redact(f)))
	}
	source, dirs := "["+commas(paths)+"]", w.hive(op)
	if found.Format != plan.FormatParquet {
		source = w.readText(in, source, dirs)
	} else {
		if source = "read_parquet(" + source; len(paths) > 1 {
			source += ", union_by_name = true"
		}
		source += dirs + ")"
	}
	var cols []string
	for i, c := range op.Columns {
		if f := in.Schema.Fields[c]; found.Format == plan.FormatParquet && cutShort(f.Type) {
			panic(w.plan.Job.ErrorAt(in.Pos, "leave it out with columns", fmt.Sprintf("a column of type %s, %q, of which DuckDB reads no nanoseconds, cannot be exported to DuckDB", f.Type, f.Name)))
		}
		cols = append(cols, scanColumn(in, found, in.Schema.Fields[c], n.Schema.Fields[i].Name))
	}
	if w.needs[n] {
		w.has[n] = true
		cols = append(cols, "row_number() OVER () AS "+w.row)
	}
	s := "SELECT " + commas(cols) + "\nFROM " + source
	if op.Where == nil {
		return s
	}
	return "SELECT * FROM " + subselect(s) + "\nWHERE " + w.expression(n, op.Where)
}

// hive reads columns from the names of directories, as texts, where the scan has any.
func (w *writer) hive(op *plan.Scan) string {
	in, found := op.Input, w.found[op.Input]
	fromDir := func(c int) bool { return slices.Contains(found.Dirs, in.Schema.Fields[c].Name) }
	if !slices.ContainsFunc(op.Columns, fromDir) {
		return ", hive_partitioning = false"
	}
	for _, c := range op.Columns {
		w.sameDirs(in, in.Schema.Fields[c].Name, fromDir(c))
	}
	return ", hive_partitioning = true, hive_types_autocast = false"
}

// sameDirs refuses a column of directories that DuckDB does not read as that: it takes all directories of a path for columns, those
// above the job too, names as they are written, and refuses files without.
func (w *writer) sameDirs(in *plan.Input, column string, fromDir bool) {
	for _, file := range w.found[in].Files {
		n := 0
		for dir := range strings.SplitSeq(filepath.Dir(file), "/") {
			if name, value, ok := strings.Cut(dir, "="); ok && strings.EqualFold(name, column) && !strings.Contains(value, "=") {
				n++
			}
		}
		what := ""
		switch {
		case fromDir && n == 0:
			what = "which the directories of some file do not give, or not as it is written,"
		case fromDir && n > 1:
			what = "which two directories give, one above the job,"
		case !fromDir && n > 0:
			what = "which a directory above the job gives as well,"
		default:
			continue
		}
		panic(w.plan.Job.ErrorAt(in.Pos, "leave it out with columns", fmt.Sprintf("a column, %q, %s cannot be exported to DuckDB", column, what)))
	}
}

// scanColumn reads a column as the type that the job decides, and NaN as null where it says so.
func scanColumn(in *plan.Input, found plan.Found, f batch.Field, as string) string {
	col := name(f.Name)
	_, decided := in.Types[f.Name]
	decided = decided && found.Format == plan.FormatParquet || slices.Contains(found.Dirs, f.Name)
	odd := f.Type.ID == batch.Timestamp && !f.Type.UTC && (f.Type.Unit == batch.Milli || f.Type.Unit == batch.Second) ||
		f.Type.ID == batch.Time && f.Type.UTC && found.Format == plan.FormatParquet // which DuckDB reads as TIMETZ
	if decided || odd {
		col = "CAST(" + col + " AS " + typeName(f.Type) + ")"
	}
	if in.NanAsNull && f.Type.IsFloat() {
		col = fmt.Sprintf("CASE WHEN NOT isnan(%s) THEN %s END", col, col)
	}
	if col != name(as) {
		col += " AS " + name(as)
	}
	return col
}

// readText reads files of text, whose types pqjoin has found.
func (w *writer) readText(in *plan.Input, source, dirs string) string {
	format := w.found[in].Format
	if _, separated := delimiters[format]; !separated && format != plan.FormatJSONL {
		panic(w.plan.Job.ErrorAt(in.Pos, "", "an input of the format "+format+" cannot be exported to DuckDB"))
	}
	var types []string
	for _, f := range in.Schema.Fields {
		if f.Type.ID == batch.Nested || format == plan.FormatJSONL && f.Type.ID == batch.Decimal && f.Type.Prec > 15 { // numbers of JSON are doubles there
			panic(w.plan.Job.ErrorAt(in.Pos, "leave it out with columns", fmt.Sprintf("a column of type %s, %q, of an input of the format %s cannot be exported to DuckDB", f.Type, f.Name, format)))
		}
		if !slices.Contains(w.found[in].Dirs, f.Name) {
			types = append(types, text(f.Name)+": "+text(typeName(f.Type)))
		}
	}
	if format != plan.FormatJSONL {
		return fmt.Sprintf("read_csv(%s, header = true, delim = %s, quote = '\"', escape = '\"', nullstr = '', union_by_name = true%s,\n    types = {%s})",
			source, text(delimiters[format]), dirs, commas(types))
	}
	return fmt.Sprintf("read_json(%s, format = 'newline_delimited'%s,\n    columns = {%s})", source, dirs, commas(types))
}

var delimiters = map[string]string{plan.FormatCSV: ",", plan.FormatTSV: "\t"}

// output writes a table to its path.
func (w *writer) output(o *plan.Output) {
	n := o.Node
	w.printf("\n-- the output %s: %s\n", spaced(o.Label), w.place(o.Pos))
	names, ordered := columns(n.Schema, seq(len(n.Schema.Fields))), w.has[n] && n.Ordered
	s := "SELECT " + commas(names) + " FROM " + w.names[n]
	if ordered {
		s += " ORDER BY " + w.row
	}
	path := o.Path
	options := w.copyOptions(o)
	switch {
	case o.SingleFile:
	case len(o.PartitionBy) > 0:
		options = append(options, "PARTITION_BY ("+strings.Join(columns(n.Schema, o.PartitionBy), ", ")+")")
		if o.Replace {
			options = append(options, "OVERWRITE true")
		}
	case ordered: // several files would not keep the order
		w.printf("-- The folder must be there: DuckDB writes the file alone.\n")
		path = filepath.Join(path, "part-00000"+o.Extension())
	default:
		options = append(options, "PER_THREAD_OUTPUT true")
		if o.FilesSize > 0 {
			options[len(options)-1] = fmt.Sprintf("FILE_SIZE_BYTES %d", o.FilesSize)
		}
		if o.Replace {
			options = append(options, "OVERWRITE true")
		}
	}
	w.printf("COPY (%s)\nTO %s (%s);\n", s, w.text(path), strings.Join(options, ", "))
}

func (w *writer) copyOptions(o *plan.Output) []string {
	compression := o.Compression
	if o.Format == plan.FormatParquet {
		if compression = map[string]string{"none": "uncompressed", "lz4": "lz4_raw"}[compression]; compression == "" {
			compression = o.Compression
		}
		return []string{"FORMAT parquet", "COMPRESSION " + compression, fmt.Sprintf("ROW_GROUP_SIZE %d", o.RowGroupRows)}
	}
	switch o.Format {
	case plan.FormatCSV, plan.FormatTSV:
		return []string{"FORMAT csv", "HEADER true", "DELIM " + text(delimiters[o.Format]), "COMPRESSION " + compression}
	case plan.FormatJSONL:
		return []string{"FORMAT json", "COMPRESSION " + compression}
	}
	panic(w.plan.Job.ErrorAt(o.Pos, "", "an output of the format "+o.Format+" cannot be exported to DuckDB"))
}

func seq(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
