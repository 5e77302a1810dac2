package plan

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/mem"
)

// DefaultRowGroupRows is the most rows of a row group where the job says nothing.
const DefaultRowGroupRows = 1 << 20

// MaxThreads is the most threads that a run may have.
const MaxThreads = 1024

func parseJob(file string, data []byte, opts Options) (job *Job, err error) {
	j := &Job{File: file}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *Error:
			job, err = nil, e
		default:
			panic(e)
		}
	}()
	if len(data) > maxFile {
		j.fail(Pos{}, "", "the job file has %d bytes, at most %d are read", len(data), maxFile)
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, &Error{File: file, Msg: err.Error(), Err: err}
	}
	j.Dir, j.lines = filepath.Dir(abs), splitLines(data)
	root, err := parseYAML(j.lines)
	if err != nil {
		var y *yamlError
		if errors.As(err, &y) {
			j.fail(y.pos, y.hint, "%s", y.msg)
		}
		return nil, err
	}
	if root == nil {
		j.fail(Pos{}, "it needs inputs: and outputs:", "the job file is empty")
	}
	d := &decoder{job: j, vars: &variables{job: j, opts: opts, values: map[string]Text{}, used: map[string]bool{}}}
	d.decodeJob(root)
	return j, nil
}

func (d *decoder) decodeJob(root *yamlNode) {
	o := d.object(root, "the job", jobKeys...)
	d.decodeVars(o.get("vars"))
	if n := o.get("name"); n != nil {
		d.job.Name = d.text(n, "name")
	}
	d.decodeInputs(o.need("inputs", "name at least one: inputs: {test: data/test}"))
	if n := o.get("tables"); n != nil {
		d.decodeTables(n)
	}
	d.decodeOutputs(o.need("outputs", "name at least one: outputs: {table: path/}"))
	if n := o.get("run"); n != nil {
		d.decodeRun(n)
	}
	d.checkSet()
}

// entries is named for a section that must not be empty.
func (d *decoder) section(n *yamlNode, what, one string) []namedEntry {
	if n.kind == yamlNull || n.kind == yamlMap && len(n.entries) == 0 {
		d.job.fail(n.pos, "", "%s is empty", what)
	}
	return d.named(n, what, one)
}

func (d *decoder) decodeInputs(n *yamlNode) {
	for _, e := range d.section(n, "inputs", "an input") {
		d.job.Inputs = append(d.job.Inputs, d.decodeInput(e))
	}
}

var inputKeys = []string{"path", "format", "columns", "where", "schema", "types", "nan_as_null"}

func (d *decoder) decodeInput(e namedEntry) *Input {
	in := &Input{Name: e.name.Value, SchemaMode: SchemaStrict, Pos: e.name.Pos}
	what := fmt.Sprintf("the input %q", e.name.Show)
	if e.value.kind != yamlMap {
		d.inputPaths(in, e.value, what)
		return in
	}
	o := d.object(e.value, what, inputKeys...)
	if f := o.get("format"); f != nil {
		in.Format = d.format(f)
	}
	d.inputPaths(in, o.need("path", "write path: data/"), what)
	if c := o.get("columns"); c != nil {
		in.columns = d.list(c, "columns")
		for _, t := range in.columns {
			in.Columns = append(in.Columns, t.Value)
		}
	}
	if w := o.get("where"); w != nil {
		in.where = d.expression(w, "where")
		in.Where = in.where.Value
	}
	if s := o.get("schema"); s != nil {
		in.SchemaMode = d.choice(s, "schema", schemaModes, nil)
	}
	d.inputTypes(in, o.get("types"))
	in.NanAsNull = d.boolean(o.get("nan_as_null"), "nan_as_null")
	return in
}

func (d *decoder) inputTypes(in *Input, n *yamlNode) {
	if n == nil {
		return
	}
	in.Types = map[string]batch.Type{}
	for _, e := range d.named(n, "types", "a column") {
		t := d.text(e.value, "the type of "+e.name.Show)
		typ, err := expr.ParseType(t.Value)
		if err != nil {
			d.job.fail(t.Pos, hintName(t.Value, typeWords()), "unknown type %q", t.Show)
		}
		in.Types[e.name.Value] = typ
		in.types = append(in.types, e.name)
	}
}

func (d *decoder) inputPaths(in *Input, n *yamlNode, what string) {
	if n.kind == yamlNull {
		d.job.fail(n.pos, "write a directory, a file or a pattern such as data/*.parquet", "%s has no path", what)
	}
	for _, t := range d.texts(n, "path") {
		in.Paths = append(in.Paths, d.path(t))
		in.Show = append(in.Show, t.Show)
		if in.Format == "" {
			d.pathFormat(t)
		}
	}
}

// shellWord is what a shell would expand at the beginning of a path.
var shellWord = regexp.MustCompile(`^(~|\$[A-Za-z_][A-Za-z0-9_]*)(/|$)`)

// path returns an absolute local path.
func (d *decoder) path(t Text) string {
	if scheme, _, ok := strings.Cut(t.Value, "://"); ok && len(scheme) > 0 && !strings.Contains(scheme, "/") {
		d.job.unsupported(t.Pos, "copy the files to a local folder", scheme+"://")
	}
	if strings.IndexByte(t.Value, 0) >= 0 {
		d.job.fail(t.Pos, "", "a path cannot hold a NUL byte")
	}
	if word := shellWord.FindString(t.Value); word != "" {
		word = strings.TrimSuffix(word, "/")
		name := strings.TrimPrefix(word, "$")
		if word == "~" {
			name = "HOME"
		}
		if t.Show != t.Value && strings.Contains(t.Show, "${env:") {
			d.job.fail(t.Pos, "give it a path as the system knows it", "%s begins with what only a shell expands", t.Show)
		}
		d.job.fail(t.Pos, fmt.Sprintf("write ${env:%s}, or ./%s for a folder of that name", name, word), "%s is not expanded in a path", word)
	}
	if filepath.IsAbs(t.Value) {
		return filepath.Clean(t.Value)
	}
	return filepath.Join(d.job.Dir, t.Value)
}

// FailedDefault places an error about what the job's run section has at the key: job.yaml:9:3: run: mem: ...
func (j *Job) FailedDefault(key string, err error) error {
	e := j.errorAt(j.Run.at[key], "", "run: %s: %s", key, err)
	e.Err, e.Running = err, true
	return e
}

func (d *decoder) decodeRun(n *yamlNode) {
	o := d.object(n, "run", runKeys...)
	r := &d.job.Run
	r.at = o.keys
	if m := o.get("mem"); m != nil {
		t := d.text(m, "mem")
		if _, err := mem.ParseBound(t.Value, mem.Host{}, 0); err != nil {
			d.job.fail(t.Pos, "write a size (4GB, 512MiB), a percentage (50%) or auto", "mem cannot be %q", t.Show)
		}
		r.Mem = t.Value
	}
	if t := o.get("threads"); t != nil {
		v := d.whole(t, "threads", 1)
		if v > MaxThreads {
			d.job.fail(t.pos, "", "threads must be at most %d, not %d", MaxThreads, v)
		}
		r.Threads = int(v)
	}
	if s := o.get("spill_dir"); s != nil {
		r.SpillDir = d.path(d.text(s, "spill_dir"))
	}
	if s := o.get("spill_limit"); s != nil {
		t := d.text(s, "spill_limit")
		limit, err := mem.ParseLimit(t.Value)
		if err != nil {
			d.job.fail(t.Pos, "write it like 4GB, 512MiB or 750000000", "spill_limit cannot be %q", t.Show)
		}
		r.SpillLimit = limit
	}
}

// size reads a number of bytes.
func (d *decoder) size(n *yamlNode, what string) int64 {
	t := d.text(n, what)
	v, err := mem.ParseSize(t.Value)
	if err != nil {
		d.job.fail(t.Pos, "write it like 4GB, 512MiB or 750000000", "%s cannot be %q", what, t.Show)
	}
	return v
}
