package cli

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"pqjoin/batch"
	"pqjoin/engine"
	"pqjoin/tableio"
)

func (e *env) inspectCommand() *cli.Command {
	return &cli.Command{
		Name: "inspect", Usage: "show schema, files, row groups, sizes and nulls; with --key how a key is distributed", ArgsUsage: "PATH...",
		Flags: jobFlags(
			&cli.StringSliceFlag{Name: "key", Usage: "count the distinct keys of these columns, and their skew"},
			&cli.BoolFlag{Name: "files", Usage: "list every file"},
		),
		Action: e.inspect,
	}
}

// inspection is what inspect prints.
type inspection struct {
	Rows      int64             `json:"rows"`
	About     bool              `json:"estimated,omitempty"` // Rows of text are estimated where it is long
	Files     int               `json:"files"`
	RowGroups int               `json:"row_groups"`
	Bytes     int64             `json:"bytes"`
	Raw       int64             `json:"raw_bytes"`
	Writers   []string          `json:"created_by"`
	PerFile   spread            `json:"rows_per_file"`
	PerGroup  spread            `json:"rows_per_row_group"`
	Columns   []inspectedColumn `json:"columns"`
	List      []inspectedFile   `json:"file_list,omitempty"`
	Key       *engine.KeyInfo   `json:"key,omitempty"`
}

type inspectedFile struct {
	Path      string `json:"path"`
	Rows      int64  `json:"rows"`
	RowGroups int    `json:"row_groups"`
	Bytes     int64  `json:"bytes"`
	CreatedBy string `json:"created_by"`
}

type inspectedColumn struct {
	engine.ColumnInfo
	Nulls int64        `json:"nulls"` // -1: the footers do not say
	Bytes int64        `json:"raw_bytes"`
	Min   *engine.Cell `json:"min,omitempty"` // bounds, where the footers have them
	Max   *engine.Cell `json:"max,omitempty"`
}

// spread is how even partitions are: rows of the smallest, the median and the largest.
type spread struct {
	Min    int64 `json:"min"`
	Median int64 `json:"median"`
	Max    int64 `json:"max"`
}

func spreadOf(v []int64) spread {
	if len(v) == 0 {
		return spread{}
	}
	v = slices.Sorted(slices.Values(v))
	return spread{v[0], v[len(v)/2], v[len(v)-1]}
}

func (e *env) inspect(c *cli.Context) error {
	run, err := e.openPaths(c)
	if err != nil {
		return err
	}
	for _, why := range run.LeftOutFiles() {
		e.warn(why)
	}
	x := inspectTable(run.Tables()["input"], c.Bool("files"))
	if keys := c.StringSlice("key"); len(keys) > 0 {
		if x.Key, err = inspectKey(c, run, keys); err != nil {
			return err
		}
	}
	if !c.Bool("json") {
		return x.text(e.out)
	}
	for i := range x.List {
		if x.List[i].Path, err = filepath.Abs(x.List[i].Path); err != nil {
			return err
		}
	}
	return e.json(x)
}

func inspectKey(c *cli.Context, run *engine.Run, keys []string) (*engine.KeyInfo, error) {
	node, err := run.Table("")
	if err != nil {
		return nil, err
	}
	cols := make([]int, len(keys))
	for i, k := range keys {
		if cols[i] = node.Schema.Index(k); cols[i] < 0 {
			return nil, usagef("--key %s: there is no such column; the columns are %s", k, strings.Join(node.Schema.Names(), ", "))
		}
	}
	return run.Keys(c.Context, node, cols)
}

func inspectTable(t *tableio.Table, list bool) *inspection {
	x := &inspection{Rows: t.Rows(), About: !t.Exact(), Files: len(t.Files()), RowGroups: len(t.Units())}
	var files, groups []int64
	for _, f := range t.Files() {
		x.Bytes += f.Size
		files = append(files, f.Rows)
		if list {
			x.List = append(x.List, inspectedFile{f.Path, f.Rows, f.RowGroups, f.Size, f.CreatedBy})
		}
		if !slices.Contains(x.Writers, f.CreatedBy) {
			x.Writers = append(x.Writers, f.CreatedBy)
		}
	}
	for _, u := range t.Units() {
		x.Raw += u.Raw
		groups = append(groups, u.Rows)
	}
	x.PerFile, x.PerGroup = spreadOf(files), spreadOf(groups)
	for i, f := range t.Schema().Fields {
		s := t.ColumnStats(i)
		col := inspectedColumn{
			ColumnInfo: engine.ColumnInfo{Name: f.Name, Type: typeText(t, f), Nullable: f.Nullable},
			Nulls:      s.Nulls, Bytes: int64(s.MeanBytes * float64(t.Rows())),
		}
		if least, most, ok := engine.Bounds(t, i); ok {
			col.Min, col.Max = &least, &most
		}
		x.Columns = append(x.Columns, col)
	}
	return x
}

func (x *inspection) text(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	size := func(n int64) string { return humanize.Bytes(uint64(n)) }
	rows := humanize.Comma(x.Rows)
	if x.About {
		rows = "about " + rows
	}
	fmt.Fprintf(w, "rows\t%s\n", rows)
	fmt.Fprintf(w, "files\t%s, %s (%s uncompressed)\n", humanize.Comma(int64(x.Files)), size(x.Bytes), size(x.Raw))
	fmt.Fprintf(w, "row groups\t%s\n", humanize.Comma(int64(x.RowGroups)))
	fmt.Fprintf(w, "rows per file\t%s\n", x.PerFile)
	fmt.Fprintf(w, "rows per row group\t%s\n", x.PerGroup)
	if by := strings.Join(x.Writers, "; "); by != "" {
		fmt.Fprintf(w, "written by\t%s\n", clean(by))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\ncolumn\ttype\tnulls\tbytes\tmin\tmax")
	for _, c := range x.Columns {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", clean(c.Name), c.Type, countText(c.Nulls), size(c.Bytes), boundText(c.Min), boundText(c.Max))
	}
	for _, f := range x.List {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", clean(f.Path), plural(int(f.Rows), "row"), plural(f.RowGroups, "row group"), size(f.Bytes))
	}
	if x.Key != nil {
		keyText(w, x.Key)
	}
	return w.Flush()
}

func (s spread) String() string {
	return fmt.Sprintf("%s to %s, median %s", humanize.Comma(s.Min), humanize.Comma(s.Max), humanize.Comma(s.Median))
}

func countText(n int64) string {
	if n < 0 {
		return "unknown"
	}
	return humanize.Comma(n)
}

func boundText(c *engine.Cell) string {
	if c == nil {
		return ""
	}
	return clean(c.Text)
}

func keyText(w io.Writer, k *engine.KeyInfo) {
	fmt.Fprintf(w, "\nkey %s\n", strings.Join(k.Columns, ", "))
	fmt.Fprintf(w, "distinct keys\t%s in %s rows\n", humanize.Comma(k.Distinct), humanize.Comma(k.Rows))
	fmt.Fprintf(w, "null keys\t%s rows\n", humanize.Comma(k.Nulls))
	fmt.Fprintf(w, "rows per key\t%s on average, %s at most\n", humanize.CommafWithDigits(k.Mean, 1), humanize.Comma(k.MostRows))
	s := spreadOf(k.Partitions)
	fmt.Fprintf(w, "partitions\t%d by hash of the key: %s rows; the largest has %.2f times the mean\n", len(k.Partitions), s,
		float64(s.Max)*float64(len(k.Partitions))/float64(cmp.Or(k.Rows, 1)))
	for _, h := range k.Heaviest {
		fmt.Fprintf(w, "heavy key\t%s: %s rows (%.1f %%)\n", clean(h.Key), humanize.Comma(h.Rows), 100*float64(h.Rows)/float64(cmp.Or(k.Rows, 1)))
	}
}

// typeText returns a column's type, or what it is where it is not read.
func typeText(t *tableio.Table, f batch.Field) string {
	if why, _ := t.Unread(f.Name); why != "" {
		return why
	}
	return f.Type.String()
}
