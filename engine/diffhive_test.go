package engine

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"pqjoin/internal/testkit/jobgen"
	"pqjoin/internal/testkit/ref"
	"pqjoin/plan"
)

// readPartitions reads an output in hive directories: the rows of each, without the columns that its directories name.
func readPartitions(ctx context.Context, o *plan.Output) (*output, error) {
	out := &output{files: map[string][32]byte{}, parts: map[string]*output{}}
	err := filepath.WalkDir(o.Path, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, _ := filepath.Rel(o.Path, path)
		p := out.parts[filepath.Dir(name)]
		if p == nil {
			p = &output{files: map[string][32]byte{}}
			out.parts[filepath.Dir(name)] = p
		}
		before := len(p.rows)
		if err := p.readFile(ctx, path); err != nil {
			return err
		}
		out.files[name] = p.files[filepath.Base(path)]
		out.rows = append(out.rows, p.rows[before:]...)
		return nil
	})
	return out, err
}

// comparePartitions compares a table with what lies in hive directories.
func comparePartitions(want *ref.Table, got *output, o *plan.Output) error {
	if len(want.Rows) == 0 {
		if len(got.parts) != 1 || got.parts["."] == nil {
			return fmt.Errorf("no rows are %d partitions, not one file", len(got.parts))
		}
		return compareTable(want, got.parts["."], o.Node.Ordered)
	}
	parts := map[string]*ref.Table{}
	keep := []int{}
	for i := range want.Schema.Fields {
		if !slices.Contains(o.PartitionBy, i) {
			keep = append(keep, i)
		}
	}
	for r, row := range want.Rows {
		dir := ""
		for _, c := range o.PartitionBy {
			dir = filepath.Join(dir, want.Schema.Fields[c].Name+"="+jobgen.HiveDir(want.Schema.Fields[c].Type, row[c]))
		}
		p := parts[dir]
		if p == nil {
			p = &ref.Table{Schema: want.Schema.Select(keep)}
			for _, c := range keep {
				p.Loose = append(p.Loose, want.Loose[c])
			}
			parts[dir] = p
		}
		rest := []any{}
		for _, c := range keep {
			rest = append(rest, row[c])
		}
		p.Rows, p.Rank = append(p.Rows, rest), append(p.Rank, want.Rank[r])
	}
	if len(parts) != len(got.parts) {
		return fmt.Errorf("%d partitions, want %d", len(got.parts), len(parts))
	}
	for dir, p := range parts {
		if got.parts[dir] == nil {
			return fmt.Errorf("there is no partition %s", dir)
		}
		if err := compareTable(p, got.parts[dir], o.Node.Ordered); err != nil {
			return fmt.Errorf("partition %s: %w", dir, err)
		}
	}
	return nil
}

// unfit says whether a table has a value that no directory can be named after.
func unfit(want *ref.Table, o *plan.Output) bool {
	for _, row := range want.Rows {
		for _, c := range o.PartitionBy {
			if name := want.Schema.Fields[c].Name + "=" + jobgen.HiveDir(want.Schema.Fields[c].Type, row[c]); len(name) > 255 || row[c] != nil && strings.HasSuffix(name, jobgen.HiveNull) {
				return true
			}
		}
	}
	return false
}
