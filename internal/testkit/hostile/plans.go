package hostile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/expr"
	"pqjoin/internal/testkit/mutate"
	"pqjoin/internal/testkit/refexpr"
	"pqjoin/plan"
)

// texts are the schemas of inputs by the names that jobs of the golden tests give them.
type texts map[string]*batch.Schema

// Schema returns the columns of an input by its last name.
func (t texts) Schema(in *plan.Input) (*batch.Schema, error) {
	if s := t[filepath.Base(in.Paths[0])]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("open %s: %w", in.Show[0], fs.ErrNotExist)
}

func inputs() texts {
	f := func(name string, t batch.Type, nullable bool) batch.Field {
		return batch.Field{Name: name, Type: t, Nullable: nullable}
	}
	i64, f64, str := batch.Of(batch.Int64), batch.Of(batch.Float64), batch.Of(batch.String)
	return texts{
		"test":  batch.NewSchema(f("col1", i64, false), f("col2", f64, true), f("col3", f64, false)),
		"test2": batch.NewSchema(f("col1", i64, false), f("col4", f64, false)),
		"trades": batch.NewSchema(f("sym", str, false), f("ts", batch.TimestampOf(batch.Micro, true), false), f("px", f64, true),
			f("size", batch.Of(batch.Int32), true), f("amount", batch.DecimalOf(12, 2), true), f("ok", batch.Of(batch.Bool), false)),
		"symbols": batch.NewSchema(f("sym", str, false), f("name", str, true), f("px", f64, false), f("id", i64, false), f("small", batch.Of(batch.Uint16), false)),
	}
}

// jobs reads job files: text to plan.
type jobs struct{ texts texts }

func (j jobs) read(_ *trial, b []byte) error {
	job, err := plan.Parse(inputPath, b, plan.Options{Env: func(string) (string, bool) { return "", false }})
	if err != nil {
		return j.placed(err)
	}
	p, err := plan.Resolve(job, j.texts)
	if err == nil {
		p, err = plan.Rewrite(p)
	}
	if err != nil {
		return j.placed(err)
	}
	if p.String() == "" {
		return wrongf("the plan is empty")
	}
	return nil
}

// placed checks that an error has its place.
func (jobs) placed(err error) error {
	var e *plan.Error
	if !errors.As(err, &e) || e.Msg == "" || e.Line < 0 || e.Line > 0 && (e.Column < 1 || e.Column > len(e.Text)+1) || !strings.Contains(err.Error(), inputPath) {
		return wrongf("an error of a job without its place: %v", err)
	}
	e.Detail()
	return err
}

// expressions reads expressions: text to values.
type expressions struct {
	schema *batch.Schema
	in     *batch.Batch
}

func newExpressions() (*expressions, error) {
	x := &expressions{schema: batch.NewSchema(
		batch.Field{Name: "a", Type: batch.Of(batch.Int64), Nullable: true},
		batch.Field{Name: "f", Type: batch.Of(batch.Float64)},
		batch.Field{Name: "s", Type: batch.Of(batch.String)},
		batch.Field{Name: "d", Type: batch.DecimalOf(20, 2), Nullable: true},
		batch.Field{Name: "t", Type: batch.TimestampOf(batch.Micro, false), Nullable: true},
		batch.Field{Name: "b", Type: batch.Of(batch.Bool)},
	)}
	r := rand.New(rand.NewPCG(5, 5))
	var err error
	x.in, err = batchtest.Batch(nil, x.schema, batchtest.Table(r, x.schema, 5), func(int) batchtest.Layout { return 0 })
	return x, err
}

func (x *expressions) read(t *trial, b []byte) (err error) {
	text := string(b)
	tree, err := expr.Parse(text)
	var bound *expr.Bound
	if err == nil {
		bound, err = expr.Bind(tree, x.schema)
	}
	if err != nil {
		var e *expr.Error
		if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(text) || e.Msg == "" {
			return wrongf("an error of an expression without its place: %v", err)
		}
		return err
	}
	if _, err := expr.Parse(bound.String()); err != nil {
		return wrongf("it is written as %q, which is no expression: %v", bound, err)
	}
	acct := t.pool.Account("input", 0)
	defer func() {
		if e := acct.Close(); e != nil {
			err = wrongf("memory was not given back: %v (after %v)", e, err)
		}
	}()
	out, err := expr.Compile([]*expr.Bound{bound}).Eval(acct, x.in)
	if err != nil {
		return err
	}
	if out[0].Type != bound.Type || out[0].N != x.in.N {
		err = wrongf("%s of %d rows came of it, not %s of %d", out[0].Type, out[0].N, bound.Type, x.in.N)
	}
	for _, c := range out {
		c.Release()
	}
	return err
}

// goldenJobs are the jobs of the plan's tests.
func goldenJobs(root string) (out []seedFile, err error) {
	files, err := filepath.Glob(filepath.Join(root, "plan/testdata/golden/*"))
	if err != nil || len(files) == 0 {
		return nil, errors.Join(err, fmt.Errorf("no jobs below %s", root))
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		for block := range strings.SplitSeq(string(text), "\n\n") {
			body, _, ok := strings.Cut(block, "\n----\n")
			if _, job, found := strings.Cut(body, "\ninputs:"); ok && found {
				job = strings.NewReplacer("\n.\n", "\n\n", "→", "\t").Replace("inputs:" + job)
				out = append(out, seedFile{filepath.Base(f), []byte(job)})
			}
		}
	}
	return bySize(out), nil
}

var jobTokens = []string{"", "\"", "'", ":", ": ", "\n", " ", "  ", "-", "- ", "[", "]", "{", "}", "#", " #", ",", "|", ">", "${", "${env:X}", "}", "&a", "*a", "\t", "null", "~", "é", "\xff", "---", "!!str",
	"from: trades", "index: [sym, ts]", "where: px > 1", "lag:", "window:", "join:", "with: symbols", "how: asof", "groupby:", "on: sym", "head: 3", "union: [test, test2]", "if_exists: replace", "1e999",
	"18446744073709551616", "-1", "true", "tables:", "inputs:", "outputs:", "vars:", "select:", "drop:", "distinct:", "check:", "partition_by: [sym]"}

func planFamilies(root, _ string) ([]*Family, int, error) {
	seeds, err := goldenJobs(root)
	if err != nil {
		return nil, 0, err
	}
	x, err := newExpressions()
	if err != nil {
		return nil, 0, err
	}
	var exprs []seedFile
	for i, text := range refexpr.Forms() {
		exprs = append(exprs, seedFile{fmt.Sprintf("expression %03d", i), []byte(text)})
	}
	exprs = bySize(exprs)
	rd := jobs{inputs()}
	return []*Family{
		bits("job", 10, seeds, rd),
		other("job", "words changed", 50, rd, func(r *rand.Rand) []byte { return mutate.Tokens(r, pick(r, seeds), pick(r, seeds), jobTokens) }),
		other("job", "bytes moved", 10, rd, func(r *rand.Rand) []byte { return mutate.Splice(r, pick(r, seeds), pick(r, seeds)) }),
		bits("expression", 10, exprs, x),
		other("expression", "words changed", 100, x, func(r *rand.Rand) []byte { return mutate.Tokens(r, pick(r, exprs), pick(r, exprs), exprTokens) }),
		other("expression", "bytes moved", 20, x, func(r *rand.Rand) []byte { return mutate.Splice(r, pick(r, exprs), pick(r, exprs)) }),
	}, len(seeds) + len(exprs), nil
}
