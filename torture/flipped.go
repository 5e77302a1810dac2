package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// keptFile is a file that a killed run with --resume left for the next one.
type keptFile struct {
	path     string
	of       string // the stage, or the last name of the output, as the program's messages have it
	finished bool   // the stage or output is
}

// keptFiles are all of them that have bytes.
func (l *long) keptFiles() (files []keptFile, err error) {
	names, _ := filepath.Glob(l.path("long", "spill", "pqjoin-keep-*", "*.*"))
	for _, name := range names {
		of, _, _ := strings.Cut(filepath.Base(name), ".")
		files = append(files, keptFile{path: name, of: of, finished: exists(filepath.Join(filepath.Dir(name), of+".stage"))})
	}
	for _, out := range [...]string{"r", "g.parquet"} {
		names, _ := filepath.Glob(l.path("long", "."+out+".pqjoin-new", "*"))
		for _, suffix := range [...]string{".pqjoin-new", ".pqjoin-done"} {
			names = append(names, l.path("long", "."+out+suffix))
		}
		for _, name := range names {
			files = append(files, keptFile{path: name, of: out, finished: exists(l.path("long", "."+out+".pqjoin-done"))})
		}
	}
	some := files[:0]
	for _, f := range files {
		st, err := os.Stat(f.path)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		if err == nil && st.Mode().IsRegular() && st.Size() > 0 {
			some = append(some, f)
		}
	}
	return some, nil
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// flipped kills a run late, flips a bit of a file that it kept, and lets the next one find it.
func (l *long) flipped(ctx context.Context, r *result, rng *rand.Rand) error {
	enough := 1 + rng.IntN(4)
	more := time.Duration(rng.Int64N(1 + int64(l.whole.took)/20))
	first, err := l.startUntil(ctx, func(ended <-chan struct{}) bool { return l.waitForKept(ended, enough) && waited(ended, more) }, "--resume")
	if err != nil {
		return err
	}
	files, err := l.keptFiles()
	if err != nil {
		return err
	}
	var file keptFile
	byteAt := int64(0)
	if len(files) > 0 {
		file = files[rng.IntN(len(files))]
		if byteAt, err = flip(file.path, rng); err != nil {
			return err
		}
	}
	next, err := l.start(ctx, 0, "--resume")
	if err != nil {
		return err
	}
	wrong, err := l.wrong(next)
	if err != nil {
		return err
	}
	how := "nothing was kept yet"
	switch {
	case wrong == "" && len(files) > 0:
		how, wrong = file.became(next.said)
	case !first.signaled:
		how = "had ended before it was killed"
	}
	if wrong != "" {
		r.refute("killed with %d stages and outputs kept, byte %d of %s flipped: %s", enough, byteAt, filepath.Base(file.path), wrong)
		return nil
	}
	r.end(how)
	return nil
}

// waitForKept waits until so many stages and outputs are finished; false where the run ends before.
func (l *long) waitForKept(ended <-chan struct{}, enough int) bool {
	for len(l.kept()) < enough {
		if !waited(ended, 2*time.Millisecond) {
			return false
		}
	}
	return true
}

// waited waits for a while; false where the run ends before.
func waited(ended <-chan struct{}, while time.Duration) bool {
	select {
	case <-ended:
		return false
	case <-time.After(while):
		return true
	}
}

// became says what became of a flipped bit in the file, by what the next run said; or what is wrong with that.
func (f *keptFile) became(said string) (how, wrong string) {
	if !f.finished {
		return "a flipped bit in what was not finished, and is made again in any case", ""
	}
	found := false
	for line := range strings.Lines(said) {
		found = found || strings.Contains(line, "is computed again") || strings.Contains(line, "is written again")
		if strings.Contains(line, "is taken over") && strings.HasSuffix(strings.TrimSpace(line), fmt.Sprint("kept=", f.of)) {
			return "", "the next run says that it takes it over"
		}
	}
	if found {
		return "a flipped bit found, the stage computed again", ""
	}
	return "a flipped bit in a finished stage that was not needed any more", ""
}

// flip flips a bit of a file that has some, and says in which byte.
func flip(name string, rng *rand.Rand) (at int64, err error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	at = rng.Int64N(st.Size())
	one := make([]byte, 1)
	if _, err := f.ReadAt(one, at); err != nil {
		return at, err
	}
	one[0] ^= 1 << rng.IntN(8)
	_, err = f.WriteAt(one, at)
	return at, err
}
