package plan

import (
	"crypto/sha256"
	"fmt"

	"pqjoin/batch"
	"pqjoin/expr"
)

// Pos is a place in the job file. Lines and columns count from 1, columns in
// characters; the zero Pos is no place.
type Pos struct{ Line, Column int }

// Text is a string of the job file after ${...} has been replaced.
type Text struct {
	Value string // what the job works with
	Show  string // what messages, plans and reports print: ${env:NAME} stays as it was written
	Pos   Pos
}

// Options are what a job file is read with.
type Options struct {
	// Set holds the values of --set, which win over the file's vars.
	Set map[string]string
	// Env looks up an environment variable for ${env:NAME}; nil knows none.
	Env func(name string) (value string, ok bool)
}

// Job is a parsed job file: everything checked that can be checked without the inputs' schemas.
type Job struct {
	File string // as it was given
	Dir  string // absolute folder of File: relative paths start here
	Name Text   // empty where the file gives none

	Inputs  []*Input
	Tables  []*Table
	Outputs []*Output
	Run     Run

	lines   []string    // the file's lines, for messages
	values  [32]byte    // a hash of all that stood for ${...}, in the order of decoding
	secrets []secret    // values of ${env:NAME}, for Redact
	exprs   []*exprText // in the order of decoding, for CallAt
}

// Fingerprint is a hash of what the job says: its text, where relative paths start, and what stands for ${...} in it.
func (j *Job) Fingerprint() [32]byte {
	h := sha256.New()
	for _, s := range append([]string{j.Dir}, j.lines...) {
		fmt.Fprintf(h, "%d %s\n", len(s), s)
	}
	h.Write(j.values[:])
	return [32]byte(h.Sum(nil))
}

// noteValue makes a text with ${...} replaced part of the fingerprint.
func (j *Job) noteValue(text string) {
	j.values = sha256.Sum256(append(j.values[:], text...))
}

// Line returns a line of the job file, from 1; empty where there is none.
func (j *Job) Line(n int) string {
	if n < 1 || n > len(j.lines) {
		return ""
	}
	return j.lines[n-1]
}

// Run holds the file's defaults for the flags of the same names. Empty or zero: not given.
type Run struct {
	Mem        string // 4GB, 4GiB, 50%, auto
	Threads    int
	SpillDir   string // absolute
	SpillLimit int64  // bytes; negative: never spill

	at map[string]Pos // of the keys that are there
}

// Schema modes of an input: what to do where files disagree on their columns.
const (
	SchemaStrict = "strict" // refuse
	SchemaUnion  = "union"  // missing columns are null
)

// Input is a table that is read from files.
type Input struct {
	Name string
	// Paths are absolute files, directories or patterns; Show is how messages print them.
	Paths, Show []string
	Format      string   // one of the formats, or empty: by extension
	Columns     []string // nil: all
	// Where is the text of the row filter, empty for none; Resolve binds it into Scan.Where.
	Where      string
	SchemaMode string // SchemaStrict or SchemaUnion
	// Types are the types that the job file decides for columns of files that disagree.
	Types     map[string]batch.Type
	NanAsNull bool
	// Schema holds every column that the files offer, with Types applied, before Columns. Resolve sets it.
	Schema *batch.Schema
	Pos    Pos

	where   *exprText
	columns []Text
	types   []Text // names of Types, with their places
}

// Table is a pipeline of verbs.
type Table struct {
	Name  string
	Pos   Pos
	Verbs []Verb
}

// Verb is one step of a pipeline.
type Verb struct {
	Name string // as in the file: select, lag, join, ...
	Pos  Pos
	spec any // *fromSpec, *selectSpec, ...
}

// What an output does where its path exists.
const (
	IfExistsError   = "error"
	IfExistsReplace = "replace"
)

// Output writes a table to files.
type Output struct {
	Label string
	Table string
	// Node makes the table; Resolve sets it.
	Node *Node
	// Path is absolute; Show is how messages print it.
	Path, Show string
	// SingleFile says that Path is one file, not a directory of part files.
	SingleFile  bool
	Format      string // one of the formats
	Compression string // zstd, snappy, lz4, gzip or none
	// RowGroupRows is the most rows of a row group.
	RowGroupRows int64
	// Where part files are cut; at most one of the three is above 0: bytes, rows, or the number of files.
	FilesSize, FilesRows int64
	FilesCount           int
	// PartitionBy are the columns, as positions in the node's schema, whose values name the directories in which the rows
	// lie; empty for none. The node's rows of a partition are next to each other. Resolve sets it.
	PartitionBy []int
	// Bloom are the columns, as positions in the node's schema, whose row groups get bloom filters. Resolve sets it.
	Bloom []int
	// NoPandasIndex says that the files' metadata do not make the leading column of the index that of a pandas frame.
	NoPandasIndex bool
	Replace       bool // if_exists: replace
	Pos           Pos

	tablePos, pathPos, formatPos Pos
	partitionBy, bloom           []Text
}

// SchemaSource tells which columns an input has. It expands the input's patterns and
// reads footers, never rows.
type SchemaSource interface {
	// Schema returns every column that the input's files offer, hive columns included,
	// with in.Types and in.SchemaMode applied, before in.Columns selects. An error that
	// wraps ErrNoMatch says that a path matches nothing.
	Schema(in *Input) (*batch.Schema, error)
}

// exprText is an expression of the job file with the places of its characters.
type exprText struct {
	Text
	tree *expr.Tree
	// at maps a byte offset of Value to its place in the file.
	at func(offset int) Pos
}
