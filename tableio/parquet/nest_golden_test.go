package parquet

import (
	"fmt"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/nested"
)

// TestNestedFilesOfEveryWriter reads what pyarrow, DuckDB and Polars write of nested columns (testdata/nested/make.py).
func TestNestedFilesOfEveryWriter(t *testing.T) { allAsPyarrowReads(t, "testdata/nested") }

// renderNested writes a value as testdata/golden.py does.
func renderNested(t batch.Type, v []byte) string {
	typ, err := nested.Of(t)
	if err != nil {
		return err.Error()
	}
	r := &nestRender{}
	if err := nested.NewWalker(typ).Walk(v, r); err != nil {
		return err.Error()
	}
	return r.String()
}

type nestRender struct{ strings.Builder }

func (r *nestRender) Begin(t *nested.Type, _ int) error {
	r.WriteString([...]string{nested.List: "[", nested.Map: "<", nested.Struct: "{"}[t.Kind])
	return nil
}

func (r *nestRender) End(t *nested.Type) error {
	r.WriteString([...]string{nested.List: "]", nested.Map: ">", nested.Struct: "}"}[t.Kind])
	return nil
}

func (r *nestRender) Item(t *nested.Type, i int) error {
	switch {
	case t.Kind == nested.Map && i%2 == 1:
		r.WriteByte(':')
	case i > 0:
		r.WriteByte(',')
	}
	if t.Kind == nested.Struct {
		fmt.Fprintf(r, "%s:", t.Fields[i].Name)
	}
	return nil
}

func (r *nestRender) Null(*nested.Type) error {
	r.WriteByte('-')
	return nil
}

func (r *nestRender) Leaf(_ *nested.Type, c *batch.Column) error {
	r.WriteString(render(c, 0))
	return nil
}
