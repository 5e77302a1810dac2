package gen

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Kind describes a table that can be made.
type Kind struct {
	Name  string
	About string   // its columns, and what its own parameters mean
	Uses  []string // the parameters of its own, by their names in JSON

	rowsPerFile int64 // default
	shape       string
	defaults    func(*Params)
	build       func(*Params) (*table, error)
}

// Tables returns the tables that can be made, in the order in which users read them.
func Tables() []Kind {
	all := []Kind{seedKind("seed-test", seedTest), seedKind("seed-test2", seedTest2), groupKind(), zipfKind(), wideKind(),
		tickKind("trades", "px double of cents; qty int32 in [1, 1000)", trades), tickKind("quotes", "bid and ask double of cents", quotes), h2oGroupKind()}
	all = append(all, h2oJoinKinds()...)
	return append(all, tpchKinds()...)
}

// kindOf finds a table by name.
func kindOf(name string) (Kind, error) {
	var names []string
	for _, k := range Tables() {
		if k.Name == name {
			return k, nil
		}
		names = append(names, k.Name)
	}
	return Kind{}, fmt.Errorf("there is no table %q: it is one of %s", name, strings.Join(names, ", "))
}

// resolve sets defaults and checks everything.
func (p *Params) resolve() (*table, error) {
	k, err := kindOf(p.Table)
	if err != nil {
		return nil, err
	}
	if p.Rows < 0 || p.Rows > maxRows || p.RowsPerFile < 0 {
		return nil, fmt.Errorf("%d rows, %d a file: between 0 and %d", p.Rows, p.RowsPerFile, int64(maxRows))
	}
	if name := p.foreign(k.Uses); name != "" {
		return nil, fmt.Errorf("table %s has no parameter %s", p.Table, name)
	}
	setDefault(&p.RowsPerFile, k.rowsPerFile)
	setDefault(&p.Shape, k.shape)
	if !slices.Contains([]string{Fastparquet, FastparquetPlain, Pyarrow, Pqjoin}, p.Shape) {
		return nil, fmt.Errorf("there is no shape %q: it is %s, %s, %s or %s", p.Shape, Fastparquet, FastparquetPlain, Pyarrow, Pqjoin)
	}
	if k.defaults != nil {
		k.defaults(p)
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	t, err := k.build(p)
	if err != nil {
		return nil, err
	}
	return t, p.fitsShape(t)
}

// foreign returns a parameter that is set and is not one of uses.
func (p *Params) foreign(uses []string) string {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"keys", p.Keys != 0}, {"unique", p.Unique}, {"groups", p.Groups != 0}, {"nulls", p.Nulls != 0}, {"sorted", p.Sorted},
		{"theta", p.Theta != 0}, {"columns", p.Columns != 0}, {"types", p.Types != ""}, {"order", p.Order != ""},
	} {
		if f.set && !slices.Contains(uses, f.name) {
			return f.name
		}
	}
	return ""
}

// check checks what holds for all tables.
func (p *Params) check() error {
	switch {
	case p.Keys < 0 || p.Keys > maxRows:
		return fmt.Errorf("%d keys: between 1 and %d", p.Keys, int64(maxRows))
	case p.Nulls < 0 || p.Nulls > 100:
		return fmt.Errorf("%d percent of nulls: between 0 and 100", p.Nulls)
	case p.Groups < 0 || p.Columns < 0:
		return errors.New("groups and columns are not negative")
	case !(p.Theta >= 0 && p.Theta <= 10):
		return fmt.Errorf("theta %v: between 0 and 10", p.Theta)
	}
	return nil
}

// fitsShape refuses what files of fastparquet's shape, which we write as plain pages, cannot hold.
func (p *Params) fitsShape(t *table) error {
	if !plain(p.Shape) {
		return nil
	}
	for i := range t.cols {
		if c := &t.cols[i]; !c.plain() {
			return fmt.Errorf("shape %s is for tables of int64 and double columns without nulls, and column %s of %s is none", p.Shape, c.name, p.Table)
		}
	}
	if len(t.sortBy) > 0 {
		return fmt.Errorf("shape %s is not for sorted tables", p.Shape)
	}
	return nil
}

func plain(shape string) bool { return shape == Fastparquet || shape == FastparquetPlain }

// setDefault gives *p the value where it is the zero value.
func setDefault[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}
