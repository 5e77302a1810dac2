package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pqjoin/internal/testkit/jobgen"
	"pqjoin/internal/vfs"
	"pqjoin/internal/vfs/faultfs"
	"pqjoin/mem"
	"pqjoin/monitor"
	"pqjoin/spillfile"
)

// behindFirst is a call at which the first output is filled, and the second is not.
func (r *resumed) behindFirst(t *testing.T) (nth int) {
	t.Helper()
	f := faultfs.New(hasty(), func(n int, op faultfs.Op, name string) error {
		if op == "create" && strings.HasSuffix(name, ".pqjoin-done") {
			nth = n
		}
		return nil
	})
	if _, err := r.run(t, Config{FS: f}); err != nil || nth == 0 {
		t.Fatalf("no output is kept: %v", err)
	}
	r.clear(t)
	return nth + 8
}

func TestAFilledOutputIsNotWrittenAgain(t *testing.T) {
	r := newResumed(t, plain)
	nth := r.behindFirst(t)
	r.die(t, nth)
	created := 0
	f := faultfs.New(hasty(), func(_ int, op faultfs.Op, name string) error {
		if op == "create" && strings.Contains(name, ".r.pqjoin-new") {
			created++
		}
		return nil
	})
	if _, err := r.run(t, Config{FS: f}); err != nil || created > 0 {
		t.Errorf("%v, %d files of the filled output are written again", err, created)
	}
	if contents(t, r.dir) != r.want {
		t.Error("the outputs are others than those of a run that is not interrupted")
	}
	if said := r.said.String(); !strings.Contains(said, `stage="output r"`) {
		t.Errorf("nothing is said of it:\n%s", said)
	}

	r.clear(t)
	r.die(t, nth)
	name := filepath.Join(r.dir, "out", ".r.pqjoin-new", "part-00000.parquet")
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	r.finish(t, "with a byte flipped in an output")
	if said := r.said.String(); !strings.Contains(said, "written again") {
		t.Errorf("nothing is said of it:\n%s", said)
	}

	r.clear(t)
	r.die(t, nth)
	if _, err := open(t, r.c, r.dir, Config{Tuning: r.cond.tuning}).Execute(context.Background()); err != nil {
		t.Error(err)
	}
	if err := leftovers(filepath.Join(r.dir, "out")); err != nil || contents(t, r.dir) != r.want {
		t.Errorf("a run without resume, afterwards: %v", err)
	}
}

func TestANoteThatSaysOfRulesWhatCannotBeIsDamage(t *testing.T) {
	r := newResumed(t, plain)
	for note, damaged := range map[string]bool{
		`null`: false, `{}`: false, `{"Rules": [{"At": 0, "State": "passed"}, {"At": 99, "State": "passed"}]}`: false,
		`{"Rules": [{"At": 0, "State": "warned", "Rows": 5, "Samples": [""]}, {"At": 0, "State": "passed"}]}`: false,
		``: true, `[]`: true, `{"Rules": [{}]}`: true, `{"Rules": [{"At": 0, "State": "not reached"}]}`: true, `{"Rules": [{"At": 0, "State": "\u0000"}]}`: true,
		`{"Rules": [{"At": -1, "State": "passed"}]}`: true, `{"Rules": [{"At": 0, "State": "warned", "Rows": -5}]}`: true,
	} {
		n, err := readNote([]byte(note))
		if errors.Is(err, spillfile.ErrCorrupt) != damaged {
			t.Errorf("%s: %v", note, err)
		}
		if err != nil {
			continue
		}
		run := open(t, r.c, r.dir, Config{})
		run.rules = newRuleBook(run.plan)
		run.rules.resettle(n.Rules) // one that is not of the job is nobody's
	}
}

func TestWhatWasKeptIsVerifiedInAStageOfItsOwn(t *testing.T) {
	r := newResumed(t, plain)
	for _, nth := range []int{r.late(), r.behindFirst(t)} {
		r.die(t, nth)
		board := monitor.NewBoard(0, time.Now)
		run := open(t, r.c, r.dir, Config{Resume: true, Board: board, Tuning: r.cond.tuning})
		if _, err := run.Execute(context.Background()); err != nil {
			t.Fatal(err)
		}
		seen := 0
		for _, s := range board.Snapshot().Stages {
			if !strings.HasPrefix(s.Name, verifyKept) {
				continue
			}
			seen++
			if s.State != "done" || s.BytesIn == 0 || s.RowsIn != s.ExpectRows {
				t.Errorf("%+v", s)
			}
		}
		if seen == 0 {
			t.Errorf("died at %d: no stage is verified", nth)
		}
		r.clear(t)
	}
}

func TestAFinishedOutputWhoseNoteCannotBeReadIsWrittenAgain(t *testing.T) {
	r := newResumed(t, plain)
	nth := r.behindFirst(t)
	for _, note := range []string{"", "no note", `{"Rules": 1}`} {
		r.clear(t)
		r.die(t, nth)
		name, magic := filepath.Join(r.dir, "out", ".r.pqjoin-done"), "pqjoin done 1 "
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		body, ok := vfs.Unseal(magic, raw)
		var done map[string]any
		if err := json.Unmarshal(body, &done); err != nil || !ok {
			t.Fatal(err, ok)
		}
		done["Note"] = []byte(note)
		if body, err = json.Marshal(done); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, vfs.Seal(magic, body), 0o600); err != nil {
			t.Fatal(err)
		}
		r.finish(t, "with the note "+note)
		if said := r.said.String(); !strings.Contains(said, "written again") || strings.Contains(said, `stage="output r"`) {
			t.Errorf("of the note %q it is said:\n%s", note, said)
		}
	}
}

func TestWhatWasKeptAndCannotBeReadStays(t *testing.T) {
	r := newResumed(t, plain)
	for name, died := range map[string]int{"late": r.late(), "behind the first output": r.behindFirst(t)} {
		injected := &fs.PathError{Op: "read", Path: "a file", Err: syscall.EIO}
		for nth := 1; ; nth++ {
			r.clear(t)
			r.die(t, died)
			stages, filled, seen := r.stages(t), r.filled(), 0
			f := faultfs.New(hasty(), func(_ int, op faultfs.Op, name string) error {
				if (op == "open" || op == "readat" || op == "fstat") && (strings.Contains(name, "pqjoin-keep-") || strings.Contains(name, ".pqjoin-new")) {
					seen++
				}
				if seen == nth {
					seen++
					return injected
				}
				return nil
			})
			_, err := r.run(t, Config{FS: f})
			if f.Faults() == 0 {
				break
			}
			if err == nil && f.Leaked() == 0 { // it was read ahead, and again when it was due
				if contents(t, r.dir) != r.want {
					t.Errorf("%s, fault %d: the outputs are others", name, nth)
				}
				continue
			}
			if !errors.Is(err, injected) || f.Leaked() > 0 {
				t.Errorf("%s, fault %d: %v, %d files are open", name, nth, err, f.Leaked())
			}
			for _, s := range stages {
				if _, err := os.Stat(s); err != nil {
					t.Errorf("%s, fault %d: %v", name, nth, err)
				}
			}
			if r.filled() < filled {
				t.Errorf("%s, fault %d: a finished output is gone", name, nth)
			}
		}
		if len(r.stages(t))+r.filled() > 0 {
			t.Errorf("%s: stages are left", name)
		}
	}
}

func TestOnlyDamageRemovesAStage(t *testing.T) {
	r := newResumed(t, plain)
	k := &keeper{run: open(t, r.c, r.dir, Config{})}
	parent := t.TempDir()
	dir, err := spillfile.OpenDir(hasty(), parent, 0, spillfile.AllowMemory())
	if err != nil {
		t.Fatal(err)
	}
	keep, _, err := spillfile.OpenKeep(dir, spillfile.KeepSpec{Job: "0a", Key: "1b"})
	if err != nil {
		t.Fatal(err)
	}
	stage, name := keep.Stage("one", nil), filepath.Join(parent, "pqjoin-keep-0a-1b", "one.stage")
	for _, c := range []struct {
		why   error
		as    *spillfile.Stage
		want  error
		stays bool
	}{
		{spillfile.ErrNotKept, stage, nil, true},
		{mem.ErrLimit, nil, nil, true}, // done again, beside what is kept
		{spillfile.ErrQuota, nil, spillfile.ErrQuota, true},
		{os.ErrPermission, nil, os.ErrPermission, true},
		{spillfile.ErrCorrupt, stage, nil, false},
		{spillfile.ErrLost, stage, nil, false},
	} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		as, ok, err := k.takeOver(context.Background(), stage, "a stage", func() (stageNote, error) { return stageNote{}, c.why })
		if as != c.as || ok || !errors.Is(err, c.want) {
			t.Errorf("%v: %v, %v, %v", c.why, as, ok, err)
		}
		if _, err := os.Stat(name); (err == nil) != c.stays {
			t.Errorf("%v: the stage stays: %v", c.why, err == nil)
		}
	}
	if err := errors.Join(keep.Close(false), dir.Close()); err != nil {
		t.Error(err)
	}
}

// forgeNote makes a stage's note one that no run wrote, with the right checksum.
func forgeNote(t *testing.T, name string) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := bytes.Cut(raw, []byte("\n"))
	var manifest struct {
		Index [sha256.Size]byte
		Note  []byte
	}
	if err := gob.NewDecoder(bytes.NewReader(body)).Decode(&manifest); err != nil {
		t.Fatal(err)
	}
	manifest.Note = []byte("{")
	var forged bytes.Buffer
	if err := gob.NewEncoder(&forged).Encode(manifest); err != nil {
		t.Fatal(err)
	}
	magic := head[:len(head)-2*sha256.Size]
	if err := os.WriteFile(name, fmt.Appendf(nil, "%s%x\n%s", magic, sha256.Sum256(forged.Bytes()), forged.Bytes()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAStageWhoseNoteCannotBeReadIsComputedAgain(t *testing.T) {
	r := newResumed(t, plain)
	for _, kind := range []string{"table", "index"} {
		r.clear(t)
		r.die(t, r.late())
		forged := 0
		for _, name := range r.stages(t) {
			if strings.HasSuffix(name, "-"+kind+".stage") {
				forgeNote(t, name)
				forged++
			} else if err := os.Remove(name); err != nil { // a later one would do without this
				t.Fatal(err)
			}
		}
		if err := os.RemoveAll(filepath.Join(r.dir, "out")); err != nil {
			t.Fatal(err)
		}
		f := faultfs.New(hasty(), nil)
		_, err := r.run(t, Config{FS: f})
		if said := r.said.String(); err != nil || f.Leaked() > 0 || strings.Contains(said, "computed again") != (forged > 0) {
			t.Errorf("%s: %v, %d files are open, %d notes forged\n%s", kind, err, f.Leaked(), forged, said)
		}
		if contents(t, r.dir) != r.want || forged == 0 {
			t.Errorf("%s: the outputs are others, or no note was forged", kind)
		}
	}
}

func TestOutputsAreTakenOverWhereStagesCannotBe(t *testing.T) {
	r := newResumed(t, plain)
	r.die(t, r.behindFirst(t))
	kept := filepath.Dir(r.stages(t)[0])
	if err := os.Chmod(kept, 0o755); err != nil { // it might be anybody's
		t.Fatal(err)
	}
	rows, err := r.run(t, Config{})
	if said := r.said.String(); err != nil || rows >= r.rows || contents(t, r.dir) != r.want || !strings.Contains(said, "no stage is kept") || !strings.Contains(said, `stage="output r"`) {
		t.Errorf("%v, %d rows read of %d\n%s", err, rows, r.rows, said)
	}
	if len(r.stages(t)) == 0 {
		t.Error("what is open to others was removed")
	}
}

func TestRightSidesThatTakeWorkAreKept(t *testing.T) {
	rows := generated(60, func(i int64) []any { return []any{i % 20, i} })
	for right, want := range map[string]int{
		"groupby: {by: [k], agg: {w: \"sum(w)\"}}": 2, // and the index
		"compute: {y: w + 1}":                      1,
	} {
		c := one([]string{"index: [k, v]", "join: {with: m, on: k, how: left}"}, table("t", "k v", rows...), table("s", "k w", rows...))
		c.Pipelines = append(c.Pipelines, &jobgen.Pipeline{Name: "m", From: "s", Verbs: []string{right}})
		r := &resumed{c: c, cond: plain}
		r.dir = written(t, c)
		kept := 0
		f := faultfs.New(hasty(), func(_ int, op faultfs.Op, name string) error {
			if op == "rename" && strings.HasSuffix(name, ".stage-half") {
				kept++
			}
			return nil
		})
		if _, err := r.run(t, Config{FS: f}); err != nil || kept != want {
			t.Errorf("%s: %d stages are kept, not %d, %v", right, kept, want, err)
		}
	}
}

func TestWhatIsKeptCountsAsSpillAndWhatWasKeptAsRoom(t *testing.T) {
	r := newResumed(t, plain)
	if n := open(t, r.c, r.dir, Config{}).Spill(); n != 0 {
		t.Errorf("%d bytes are spilled without being kept", n)
	}
	n := open(t, r.c, r.dir, Config{Resume: true}).Spill()
	if n == 0 {
		t.Error("what is kept is not expected on the disk")
	}
	free := crowded{hasty(), n/2 - 1}
	if err := open(t, r.c, r.dir, Config{FS: free, Resume: true}).checkSpill(); !errors.Is(err, ErrRefused) {
		t.Errorf("%d bytes to keep on a disk with %d free: %v", n, free.free, err)
	}
	r.die(t, r.late())
	if err := open(t, r.c, r.dir, Config{FS: free, Resume: true}).checkSpill(); err != nil {
		t.Errorf("with stages on that disk already: %v", err)
	}
}
