// Package publish makes outputs appear whole or not at all.
package publish

import (
	"context"
	"errors"

	"pqjoin/internal/vfs"
)

// The sentinels of Begin; test with errors.Is.
var (
	ErrExists = errors.New("the output exists")
	ErrLocked = errors.New("the output is locked by another run")
)

// Target is one output: a directory of files, or one file.
type Target struct {
	Path       string
	SingleFile bool
	Replace    bool // an existing output is replaced; else it is an error
}

// Set is a number of outputs that appear together.
type Set struct{}

// Begin locks the targets, completes what a crashed run left half done, checks that they may be written and makes
// a temporary place beside each.
func Begin(fs vfs.FS, targets []Target) (*Set, error) { return nil, errors.ErrUnsupported }

// Temp returns where to write target i: an existing empty directory, or the path of a file to be created.
func (s *Set) Temp(i int) string { return "" }

// Commit makes everything durable and swaps it in.
func (s *Set) Commit(ctx context.Context) error { return errors.ErrUnsupported }

// Abort removes the temporary places and the locks. After Commit it does nothing.
func (s *Set) Abort() {}

// Recover completes or undoes what crashed runs left beside the paths (outputs, or directories that hold outputs).
func Recover(fs vfs.FS, paths ...string) error { return errors.ErrUnsupported }
