package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"pqjoin/expr"
)

// The JSON Schema of job files, for editors. Names and words come from the tables that the decoder reads by; what is said
// about each stands here. It accepts every job that the decoder accepts, and refuses unknown keys and words.

// obj is a schema, or a part of one.
type obj = map[string]any

// schemas makes parts of the schema.
type schemas struct{}

// JSONSchema returns the JSON Schema (draft 2020-12) of job files, indented.
func JSONSchema() []byte {
	j := schemas{}
	root := j.object(jobKeys, obj{
		"name":    j.described(j.text(), "A name for messages and reports."),
		"vars":    j.described(j.mapping(j.scalar()), "Variables: ${name} in any text is replaced by --set name=value, else by the value here. ${env:NAME} reads the environment."),
		"inputs":  j.described(j.filled(j.mapping(j.input())), "The tables that are read from files, by name."),
		"tables":  j.described(j.filled(j.mapping(j.pipeline())), "The tables that the job makes, by name: each a list of verbs, top to bottom, that begins with from."),
		"outputs": j.described(j.filled(j.mapping(j.output())), "Where tables are written, by table or by any label."),
		"run":     j.described(j.runDefaults(), "Defaults for the flags of the same names."),
	}, "inputs", "outputs")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "pqjoin job"
	root["description"] = "A job of pqjoin: inputs, tables made of them by pipelines of verbs, and outputs."
	root["$defs"] = obj{"step": j.step()}
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil { // not reached: maps of texts
		panic(err)
	}
	return append(out, '\n')
}

func (j schemas) described(s obj, text string) obj { s["description"] = text; return s }

// object describes a mapping of known keys, each of which has its schema in props.
func (j schemas) object(keys []string, props obj, required ...string) obj {
	o := obj{"type": "object", "properties": obj{}, "additionalProperties": false}
	for _, k := range keys {
		s, ok := props[k].(obj)
		if !ok { // TestEveryKeyIsDescribed finds it
			s = obj{}
		}
		o["properties"].(obj)[k] = s
	}
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

func (j schemas) mapping(of obj) obj { return obj{"type": "object", "additionalProperties": of} }

func (j schemas) filled(s obj) obj { s["minProperties"] = 1; return s }

// scalar is anything that is no list and no mapping.
func (j schemas) scalar() obj { return obj{"type": []string{"string", "number", "boolean"}} }

// text is a string; a number without quotes counts as one.
func (j schemas) text() obj { return obj{"type": []string{"string", "number"}, "minLength": 1} }

func (j schemas) texts() obj { return j.anyOf(j.text(), j.list(j.text())) }

func (j schemas) list(of obj) obj { return obj{"type": "array", "items": of, "minItems": 1} }

func (j schemas) anyOf(list ...obj) obj { return obj{"anyOf": list} }

// orVariable accepts a text with ${...} for what is no text.
func (j schemas) orVariable(s obj) obj { return j.anyOf(s, obj{"type": "string", "pattern": `\$\{`}) }

func (j schemas) choice(words []string) obj { return j.orVariable(obj{"enum": words}) }

func (j schemas) whole(least int64) obj {
	return j.orVariable(obj{"type": "integer", "minimum": least})
}

func (j schemas) flag() obj { return j.orVariable(obj{"type": "boolean"}) }

// expression is one of SQL's; YAML may read it as a number or a flag.
func (j schemas) expression() obj { return j.scalar() }

// call is a text that begins with one of the functions, in any case, and a parenthesis.
func (j schemas) call(functions []string) obj {
	functions = slices.Sorted(slices.Values(functions))
	return obj{
		"type": "string", "pattern": `^\s*(` + strings.Join(each(functions, anyCase), "|") + `)\s*\(|\$\{`,
		"examples": each(functions, func(f string) string { return f + "(x)" }),
	}
}

func each(list []string, f func(string) string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = f(s)
	}
	return out
}

// anyCase returns a pattern of a word in upper and lower case, of which JSON Schema has no flag.
func anyCase(word string) string {
	var b strings.Builder
	for _, r := range word {
		if lower, upper := strings.ToLower(string(r)), strings.ToUpper(string(r)); lower != upper {
			fmt.Fprintf(&b, "[%s%s]", lower, upper)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (j schemas) columnType() obj {
	names := expr.TypeNames()
	return obj{
		"type": "string", "pattern": `^\s*(` + strings.Join(each(names, anyCase), "|") + `)\s*(\(.*\))?\s*$|\$\{`,
		"examples": typeWords(),
	}
}

func (j schemas) format(what string) obj {
	return j.described(j.choice(builtFormats), what+": "+strings.Join(builtFormats, ", ")+". Default: by the path's extension.")
}

func (j schemas) input() obj {
	paths := j.described(j.texts(), "A directory, a file, a pattern such as data/**/*.parquet, or a list of those.")
	return j.described(j.anyOf(paths, j.object(inputKeys, obj{
		"path":        j.described(j.texts(), "A directory, a file, a pattern such as data/**/*.parquet, or a list of those."),
		"format":      j.format("What the files are"),
		"columns":     j.described(j.list(j.text()), "The columns that are read, in this order. Default: all."),
		"where":       j.described(j.expression(), "Keeps the rows for which this is true; row groups that cannot have any are not read."),
		"schema":      j.described(j.choice(schemaModes), "strict (default): all files must have the same columns; union: what a file lacks is null."),
		"types":       j.described(j.mapping(j.columnType()), "Decides types: of text, of hive directories, and where files disagree."),
		"nan_as_null": j.described(j.flag(), "Reads NaN in float columns as null, as pandas means it."),
	}, "path")), "An input: paths, or a mapping with path and options.")
}

func (j schemas) output() obj {
	path := j.described(j.text(), "A directory of part files; one file where it ends in .parquet, .csv and the like.")
	return j.described(j.anyOf(path, j.object(outputKeys, obj{
		"table":          j.described(j.text(), "The table that is written. Default: the label."),
		"path":           j.described(j.text(), "A directory of part files; one file where it ends in .parquet, .csv and the like."),
		"format":         j.format("How the files are written"),
		"compression":    j.described(j.choice(compressions), "Default: snappy for Parquet, none for text and Arrow."),
		"row_group_rows": j.described(j.whole(1), "The most rows of a row group. Default: 1048576."),
		"files": j.described(j.object(filesKeys, obj{
			"size":  j.described(j.text(), "Bytes of a file, such as 512MB."),
			"rows":  j.described(j.whole(1), "Rows of a file."),
			"count": j.described(j.whole(1), "How many files."),
		}), "Where part files are cut: one of size, rows and count."),
		"partition_by": j.described(j.texts(), "The columns whose values become directories: day=2024-01-02/."),
		"bloom":        j.described(j.texts(), "Columns that get Bloom filters, by which readers pass over row groups."),
		"pandas_index": j.described(j.flag(), "Writes the index into the files' metadata, so that pandas and Dask set it."),
		"if_exists":    j.described(j.choice(ifExists), "error (default): the run is refused where the path exists; replace: it is replaced once the run has succeeded."),
	}, "path")), "An output: a path, or a mapping with path and options.")
}

func (j schemas) runDefaults() obj {
	return j.object(runKeys, obj{
		"mem":         j.described(j.text(), "The memory bound of the whole process: 4GB, 512MiB, 50% or auto."),
		"threads":     j.described(j.whole(1), "Worker threads."),
		"spill_dir":   j.described(j.text(), "Where spill files go."),
		"spill_limit": j.described(j.text(), "The most bytes of spill files at one time; 0: never spill."),
	})
}
