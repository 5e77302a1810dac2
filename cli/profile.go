package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/pprof"
	"runtime/trace"

	"pqjoin/internal/vfs"
	"pqjoin/tableio/publish"
)

// A recorder is one of the runtime's ways to watch a run.
type recorder struct {
	flag  string
	magic string // with which its files begin
	start func(w io.Writer) error
	stop  func()
}

func recorders() []recorder {
	return []recorder{
		{"cpuprofile", "\x1f\x8b", pprof.StartCPUProfile, pprof.StopCPUProfile},
		{"trace", "go 1.", trace.Start, trace.Stop},
	}
}

// recording is a recorder at work. Its file appears as outputs do, whole or not at all, also
// when the job fails or is interrupted.
type recording struct {
	recorder
	path string
	set  *publish.Set
	file vfs.File
	err  error // the first of Write
}

// Write remembers the first error: the runtime ignores it.
func (r *recording) Write(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.file.Write(p)
	r.err = err
	return n, err
}

// startRecording starts what the flags ask for; path returns a flag's value. stop ends it and
// publishes the files.
func (e *env) startRecording(path func(flag string) string) (stop func() error, err error) {
	var all []*recording
	for _, kind := range recorders() {
		if path(kind.flag) == "" {
			continue
		}
		r, err := e.begin(kind, path(kind.flag))
		if err != nil {
			for _, r := range all {
				err = errors.Join(err, r.end())
				r.set.Abort()
			}
			return nil, usageError{fmt.Errorf("--%s: %w", kind.flag, err)}
		}
		all = append(all, r)
	}
	return func() error {
		var errs []error
		for _, r := range all {
			errs = append(errs, r.publish())
		}
		return errors.Join(errs...)
	}, nil
}

func (e *env) begin(kind recorder, path string) (*recording, error) {
	if err := e.mayReplace(path, kind.magic); err != nil {
		return nil, err
	}
	set, err := publish.Begin(e.fs, []publish.Target{{Path: path, SingleFile: true, Replace: true}})
	if err != nil {
		return nil, err
	}
	r := &recording{recorder: kind, path: path, set: set}
	if r.file, err = e.fs.Create(set.Temp(0)); err == nil {
		if err = kind.start(r); err != nil {
			err = errors.Join(err, r.file.Close())
		}
	}
	if err != nil {
		set.Abort()
		return nil, err
	}
	return r, nil
}

// mayReplace refuses a path in a folder that is not there, and one at which something else than an earlier such file, known by
// its magic, lies: a job file, say, whose own name was forgotten on the command line, or a link of the machine such as /dev/stdout.
func (e *env) mayReplace(path, magic string) error {
	if _, err := e.fs.Stat(filepath.Dir(path)); err != nil {
		return fmt.Errorf("%s: its folder: %w", path, err)
	}
	info, err := os.Lstat(path) // what a rename replaces
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%s is a symbolic link: name the file itself", path)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", path)
	}
	f, err := e.fs.Open(path)
	if err != nil {
		return err
	}
	head := make([]byte, len(magic))
	n, err := f.ReadAt(head, 0)
	if err = errors.Join(err, f.Close()); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if info.Size() > 0 && !bytes.Equal(head[:n], []byte(magic)) {
		return fmt.Errorf("%s exists and is not an earlier one: remove it, or choose another name", path)
	}
	return nil
}

// end ends the recording and closes its file.
func (r *recording) end() error {
	r.stop()
	return errors.Join(r.err, r.file.Close())
}

// publish ends the recording and gives its file its name, whatever became of the job.
func (r *recording) publish() error {
	defer r.set.Abort()
	err := r.end()
	if err == nil {
		err = r.set.Commit(context.Background())
	}
	if err != nil {
		return fmt.Errorf("--%s: %s was not written: %w", r.flag, r.path, err)
	}
	return nil
}
