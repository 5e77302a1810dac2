package expr

import (
	"pqjoin/batch"
	"pqjoin/mem"
)

// Parse parses one expression. Errors are *Error.
func Parse(text string) (*Tree, error) { panic("expr: being built") }

// Bind resolves columns and types against a schema. Errors are *Error, with a hint of the nearest name.
func Bind(t *Tree, schema *batch.Schema) (*Bound, error) { panic("expr: being built") }

// Bound is an expression over the columns of a schema, by position.
type Bound struct {
	Type     batch.Type
	Nullable bool
	Tree     *Tree // columns by name; after Remap the names are the old ones
}

// Columns returns the positions that b reads, ascending and unique.
func (b *Bound) Columns() []int { panic("expr: being built") }

// Column returns the position and true where b is just a column.
func (b *Bound) Column() (int, bool) { panic("expr: being built") }

// String returns b as normalised SQL.
func (b *Bound) String() string { panic("expr: being built") }

// ColumnRef returns the bare column at position i.
func ColumnRef(schema *batch.Schema, i int) *Bound { panic("expr: being built") }

// Remap returns b with every column position replaced by to(position).
func (b *Bound) Remap(to func(old int) int) *Bound { panic("expr: being built") }

// NullIfNull returns null wherever column col of the schema is null, else b.
func NullIfNull(b *Bound, schema *batch.Schema, col int) *Bound { panic("expr: being built") }

// Substitute returns b with every column i replaced by exprs[i].
func (b *Bound) Substitute(exprs []*Bound) *Bound { panic("expr: being built") }

// MayBeTrue says whether a bool expression can be true for any of the rows that stats describes.
// stats is called with column positions; the zero Stats says that nothing is known.
func (b *Bound) MayBeTrue(stats func(col int) Stats) bool { panic("expr: being built") }

// Program is several expressions compiled together: common parts are computed once.
type Program struct{}

// Compile compiles expressions bound to one schema.
func Compile(bs []*Bound) *Program { panic("expr: being built") }

// Eval returns one column an expression; the caller owns them. A bare column is retained, not
// copied. Errors are *RowError or wrap mem.ErrLimit.
func (p *Program) Eval(acct *mem.Account, b *batch.Batch) ([]*batch.Column, error) {
	panic("expr: being built")
}

// Filter returns the rows of b for which the program's single bool expression is true, as a
// batch that the caller owns; b stays the caller's (all of b retained where every row passes).
func (p *Program) Filter(acct *mem.Account, b *batch.Batch) (*batch.Batch, error) {
	panic("expr: being built")
}

// Functions returns the functions of the language, by name.
func Functions() []FunctionDoc { panic("expr: being built") }
