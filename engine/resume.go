package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"pqjoin/hashjoin"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/plan"
	"pqjoin/spillfile"
	"pqjoin/tableio/publish"
)

// about is all that a kept stage depends on, each as a hash: what differs in one of these is redone.
type about struct {
	Build  string
	Job    string   // its text and its variables
	Plan   string   // what was made of it
	Inputs []string // in the order of the job; empty where the plan reads nothing of it
}

// about returns what the run's stages depend on.
func (r *Run) about() (about, error) {
	job, text := r.job.Fingerprint(), sha256.Sum256([]byte(r.plan.String()))
	a := about{Build: r.cfg.Version + " " + r.cfg.Build, Job: hex.EncodeToString(job[:]), Plan: hex.EncodeToString(text[:])}
	for _, in := range r.job.Inputs {
		t := r.tables[in]
		if t == nil {
			a.Inputs = append(a.Inputs, "")
			continue
		}
		id, err := t.Identity(r.cfg.FS)
		if err != nil {
			return a, fmt.Errorf("input %s: %w", in.Name, err)
		}
		a.Inputs = append(a.Inputs, hex.EncodeToString(id[:]))
	}
	return a, nil
}

// keepSpec names the directory of the run's stages; nothing where it keeps none. The job is known by where it writes. It is made once:
// an input that changes later fails the run before a stage or an output is kept (keeper.note), as one does that changes while it is read.
func (r *Run) keepSpec() (spec spillfile.KeepSpec, err error) {
	if !r.cfg.Resume || r.keep.Key != "" {
		return r.keep, nil
	}
	a, err := r.about()
	if err != nil {
		return spec, err
	}
	if spec.About, err = json.Marshal(a); err != nil {
		return spec, err
	}
	h := sha256.New()
	for _, o := range r.plan.Outputs {
		path, err := filepath.Abs(o.Path)
		if err != nil {
			return spec, err
		}
		fmt.Fprintf(h, "%q\n", path)
	}
	key := sha256.Sum256(spec.About)
	spec.Job, spec.Key = hex.EncodeToString(h.Sum(nil)[:8]), hex.EncodeToString(key[:16])
	r.keep = spec
	return spec, nil
}

// differs says what of a kept stage's about is not what it is now, both as a KeepSpec has them.
func (r *Run) differs(was, is []byte) string {
	var a, now about
	if json.Unmarshal(was, &a) != nil || json.Unmarshal(is, &now) != nil {
		return "what they were made of cannot be told"
	}
	switch {
	case a.Build != now.Build:
		return "another version of the program made them"
	case a.Job != now.Job:
		return "the job has changed"
	}
	for i, in := range r.job.Inputs {
		if i < len(a.Inputs) && a.Inputs[i] != now.Inputs[i] {
			return fmt.Sprintf("the input %s has changed", in.Name)
		}
	}
	return "the plan is another"
}

// spools says whether a node's table is made once and stored: for several readers, or, with Resume, for later runs.
func (r *Run) spools(p *phys) bool {
	if p.shared() {
		return true
	}
	_, persist := p.node.Op.(*plan.Persist)
	return r.cfg.Resume && (persist || p.right && p.laborious())
}

// toKeep estimates the bytes of the stages that the run keeps.
func (r *Run) toKeep() (n int64) {
	if !r.cfg.Resume {
		return 0
	}
	for _, p := range r.nodes {
		if p.strategy == externalSort {
			n = addSat(n, p.in[0].stored())
		}
		if r.spools(p) {
			n = addSat(n, p.stored())
		}
	}
	return n
}

// alreadyKept returns the bytes on disk of stages that an earlier run kept, which this one need not write.
func (r *Run) alreadyKept() int64 {
	spec, err := r.keepSpec()
	if err != nil || spec.Key == "" {
		return 0
	}
	return spillfile.KeptBytes(r.cfg.FS, r.spillParent(), spec)
}

// laborious says that a table takes more than reading files or what is kept anyway. A right side that does is
// kept, as it is used up long before its join has ended.
func (p *phys) laborious() bool {
	for first := true; first || !p.shared(); first = false {
		switch p.node.Op.(type) {
		case *plan.Scan, *plan.Index, *plan.Persist:
			return false
		case *plan.GroupBy, *plan.Join, *plan.Union:
			return true
		}
		p = p.in[0]
	}
	return false
}

// keeper keeps the stages that a run finishes, and takes over those that an earlier run of the same job
// kept. A nil keeper does neither.
type keeper struct {
	run   *Run
	keep  *spillfile.Keep // nil where others have its place: then outputs alone are kept
	given map[string]bool // names of stages
}

// openKeeper begins keeping. Where another run of the job is at work, or somebody else owns the place, stages are not kept.
func (x *exec) openKeeper(spec spillfile.KeepSpec) error {
	if spec.Key == "" {
		return nil
	}
	keep, replaced, err := spillfile.OpenKeep(x.dir, spec)
	if errors.Is(err, vfs.ErrLocked) || errors.Is(err, spillfile.ErrForeign) {
		x.run.cfg.Log.Warn("resume: no stage is kept or taken over", "why", err)
		x.keeper = &keeper{run: x.run}
		return nil
	}
	if err != nil {
		return err
	}
	for _, was := range replaced {
		x.run.cfg.Log.Warn("resume: kept stages are not used and removed", "why", x.run.differs(was.About, spec.About))
	}
	x.keeper = &keeper{run: x.run, keep: keep, given: map[string]bool{}}
	return nil
}

// close ends the run with err. Stages stay where it failed, unless what failed is that rows were damaged or lost on their way.
func (k *keeper) close(set *publish.Set, err error) {
	if k == nil {
		return
	}
	doubt := errors.Is(err, spillfile.ErrCorrupt) || errors.Is(err, spillfile.ErrLost) || errors.Is(err, hashjoin.ErrSelfCheck)
	if doubt {
		set.Forget()
	}
	if k.keep == nil {
		return
	}
	if cerr := k.keep.Close(err != nil && !doubt); cerr != nil {
		k.run.cfg.Log.Warn("resume: kept stages could not be removed; `pqjoin clean` does", "why", cerr)
	}
}

// stageNote is what is noted of a finished stage, or of an output.
type stageNote struct {
	Rules  []settledRule
	Output OutputSummary
}

// settledRule is what became of a rule of the job while the stage was made.
type settledRule struct {
	At      int // in the rule book
	State   RuleState
	Rows    int64
	Samples []string
}

// stage names what a node's table is kept as; nil where nothing is kept.
func (k *keeper) stage(ctx context.Context, p *phys, what string) *spillfile.Stage {
	name := fmt.Sprintf("%d-%s", p.node.ID, what)
	if k == nil || k.keep == nil || k.given[name] { // what is made twice is kept once
		return nil
	}
	k.given[name] = true
	return k.keep.Stage(name, func() ([]byte, error) { return k.note(ctx, p.node, OutputSummary{}) })
}

// finishOutput says that output i is filled: it stays where the run dies later.
func (k *keeper) finishOutput(ctx context.Context, i int, o *plan.Output, set *publish.Set, sum OutputSummary) error {
	if k == nil {
		return nil
	}
	note, err := k.note(ctx, o.Node, sum)
	if err != nil {
		return err
	}
	return set.Finish(ctx, i, note)
}

// finishedOutput says whether an earlier run has filled output i, and what it wrote.
func (k *keeper) finishedOutput(ctx context.Context, i int, o *plan.Output, set *publish.Set, read func(bytes int64)) (sum OutputSummary, ok bool, err error) {
	if k == nil {
		return sum, false, nil
	}
	name := "output " + o.Label
	raw, ok, why, err := set.Reuse(ctx, i, read)
	var note stageNote
	if ok && err == nil {
		if note, why = readNote(raw); why != nil {
			ok, err = false, set.Discard(i)
		}
	}
	if why != nil {
		k.run.cfg.Log.Warn("resume: a finished output is written again", "output", name, "why", why)
	}
	if !ok || err != nil {
		return sum, false, err
	}
	k.takenOver(name, filepath.Base(o.Path), note)
	return note.Output, true, nil
}

// note is made when a stage of the node is finished: its inputs are still what they were.
func (k *keeper) note(ctx context.Context, n *plan.Node, sum OutputSummary) ([]byte, error) {
	if err := k.run.verifyInputs(ctx); err != nil {
		return nil, err
	}
	return json.Marshal(stageNote{Rules: k.run.rules.settled(upstream(n)), Output: sum})
}

// upstream returns the IDs of a node and of all that it is made of.
func upstream(n *plan.Node) (ids []int) {
	seen := map[int]bool{}
	var walk func(*plan.Node)
	walk = func(n *plan.Node) {
		if seen[n.ID] {
			return
		}
		seen[n.ID] = true
		ids = append(ids, n.ID)
		for _, in := range n.Inputs {
			walk(in)
		}
	}
	walk(n)
	return ids
}

// takeOver tries to take a stage over with restore, and says whether that was possible; where not, as what the table is to be kept
// when it is made. What is damaged is removed, to be redone. What merely cannot be read, or needs more than this run
// has, stays for a run that can: of the former the error tells, the latter is redone and not kept.
func (k *keeper) takeOver(ctx context.Context, stage *spillfile.Stage, name string, restore func() (note stageNote, err error)) (as *spillfile.Stage, ok bool, err error) {
	if stage == nil {
		return nil, false, nil
	}
	note, err := restore()
	switch {
	case errors.Is(err, spillfile.ErrNotKept):
		return stage, false, nil
	case ctx.Err() != nil:
		return nil, false, errors.Join(context.Cause(ctx), err)
	case errors.Is(err, spillfile.ErrCorrupt), errors.Is(err, spillfile.ErrLost):
		k.run.cfg.Log.Warn("resume: a kept stage is computed again", "stage", name, "kept", stage.Name(), "why", err)
		return stage, false, stage.Remove()
	case errors.Is(err, mem.ErrLimit):
		k.run.cfg.Log.Warn("resume: a kept stage is computed again, and stays for a run with more memory", "stage", name, "why", err)
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("%s, which an earlier run finished and which stays until `pqjoin clean`: %w", k.run.job.Redact(name), err)
	}
	k.takenOver(name, stage.Name(), note)
	return stage, true, nil
}

// readNote reads what was noted of a stage or an output.
func readNote(raw []byte) (note stageNote, err error) {
	if err := json.Unmarshal(raw, &note); err != nil {
		return note, fmt.Errorf("what was noted of it: %w: %w", err, spillfile.ErrCorrupt)
	}
	for _, s := range note.Rules {
		if s.At < 0 || s.Rows < 0 || !slices.Contains([]RuleState{RulePassed, RuleFailed, RuleWarned}, s.State) {
			return note, fmt.Errorf("what was noted of its rules: %w", spillfile.ErrCorrupt)
		}
	}
	return note, nil
}

// takenOver tells of a stage or an output, kept in files whose names have kept in them, and repeats what was said of the data
// while it was made.
func (k *keeper) takenOver(name, kept string, note stageNote) {
	r := k.run
	r.cfg.Log.Info("resume: a kept stage is taken over", "stage", name, "kept", kept)
	if b := r.cfg.Board; b != nil {
		b.Note(r.job.Redact("resume: an earlier run had finished " + name))
	}
	for _, e := range r.rules.resettle(note.Rules) {
		r.cfg.Warn(e.Error())
	}
}

// settled returns the rules of the nodes that have been settled.
func (b *ruleBook) settled(nodes []int) (out []settledRule) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, r := range b.rules {
		if r.State != RuleNotReached && slices.Contains(nodes, b.nodes[i]) {
			out = append(out, settledRule{At: i, State: r.State, Rows: r.Rows, Samples: r.Samples})
		}
	}
	return out
}

// resettle enters rules that were settled in an earlier run, and returns the warnings among them that are new to this one.
func (b *ruleBook) resettle(rules []settledRule) (warned []*CheckError) {
	b.mu.Lock()
	defer b.mu.Unlock()
	of := map[int]*CheckError{} // by node
	for _, s := range rules {
		if s.At < 0 || s.At >= len(b.rules) || b.rules[s.At].State != RuleNotReached {
			continue
		}
		r := &b.rules[s.At]
		b.told[s.At] = true
		r.State, r.Rows, r.Samples = s.State, s.Rows, s.Samples
		if s.State != RuleWarned {
			continue
		}
		node := b.nodes[s.At]
		if of[node] == nil {
			of[node] = &CheckError{Table: r.Table}
			warned = append(warned, of[node])
		}
		of[node].Failures = append(of[node].Failures, CheckFailure{Rule: r.Rule, Rows: s.Rows, Samples: s.Samples})
	}
	return warned
}
