package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pqjoin/internal/testkit/jobgen"
	"pqjoin/internal/vfs"
)

// states returns what became of the rules, in the order of the plan.
func states(run *Run) []RuleState {
	var out []RuleState
	for _, r := range run.Rules() {
		out = append(out, r.State)
	}
	return out
}

// validated is a case of two joins that say the same of their keys, of which the second's right side has a key twice.
func validated(second [][]any) *jobgen.Case {
	rows := generated(60, func(i int64) []any { return []any{i, i} })
	join := func(with string) string { return "join: {with: " + with + ", on: k, how: left, validate: \"m:1\"}" }
	return one([]string{join("s"), join("u")}, table("t", "k v", rows...), table("s", "k w", rows...), table("u", "k x", second...))
}

func TestAFailedValidateIsThatOfTheJoinThatFailed(t *testing.T) {
	c := validated(generated(60, func(i int64) []any { return []any{i % 59, i} }))
	dir := written(t, c)
	for _, cond := range []condition{plain, hard(2, 7, 3)} {
		run := open(t, c, dir, Config{Threads: cond.threads, Tuning: cond.tuning})
		if _, err := run.Execute(context.Background()); err == nil {
			t.Fatal("the run succeeds")
		}
		if diff := cmp.Diff([]RuleState{RuleNotReached, RuleFailed}, states(run)); diff != "" {
			t.Errorf("%v: %s", cond, diff)
		}
	}
}

// unpublished is a filesystem on which nothing gets its final name.
type unpublished struct{ vfs.FS }

func (unpublished) RenameNew(string, string) error { return errors.New("injected") }

func TestJoinsHavePassedWhereOnlyPublishingFails(t *testing.T) {
	c := validated(generated(60, func(i int64) []any { return []any{i, i} }))
	run := open(t, c, written(t, c), Config{FS: unpublished{hasty()}})
	if _, err := run.Execute(context.Background()); err == nil {
		t.Fatal("the run succeeds")
	}
	if diff := cmp.Diff([]RuleState{RulePassed, RulePassed}, states(run)); diff != "" {
		t.Error(diff)
	}
}

// TestSamplesAreTheFirstKeysOfTheTable repeats many keys, which several workers find in many units.
func TestSamplesAreTheFirstKeysOfTheTable(t *testing.T) {
	rows := generated(3000, func(i int64) []any { return []any{i % 1000, i} })
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	for _, verb := range []string{"index: {by: k, unique: true}", "check: {unique: [k]}"} {
		c := one([]string{verb}, table("t", "k v", rows...))
		dir := written(t, c)
		for _, cond := range []condition{plain, hard(4, 2, 40), hard(2, 33, 7), hard(3, 1000, 1)} {
			run := open(t, c, dir, Config{Threads: cond.threads, Tuning: cond.tuning})
			if _, err := run.Execute(context.Background()); !errors.Is(err, ErrCheck) {
				t.Fatal(err)
			}
			r := run.Rules()[0]
			var keys []string
			for _, s := range r.Samples {
				var k, n int
				if _, err := fmt.Sscanf(s, "{k: %d, count: %d}", &k, &n); err != nil {
					_, _ = fmt.Sscanf(s, "{k: %d}", &k)
				}
				keys = append(keys, fmt.Sprint(k))
			}
			if diff := cmp.Diff([]string{"0", "1", "2", "3", "4"}, keys); diff != "" {
				t.Errorf("%s, %v: samples %q", verb, cond, r.Samples)
			}
		}
	}
}

func TestSamplesDoNotDependOnWhichUnitComesFirst(t *testing.T) {
	found := []sample{{0, "a"}, {1, "b"}, {1, "a"}, {2, "c"}, {3, "d"}, {3, "e"}, {3, "c"}, {4, "f"}, {5, "b"}}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		all, once := &samples{}, &samples{once: true}
		units := r.Perm(6)
		for _, u := range units {
			for _, f := range found {
				if f.unit == u && !all.full(u) {
					all.add(u, f.text)
				}
				if f.unit == u && !once.full(u) {
					once.add(u, f.text)
				}
			}
		}
		if got := all.texts(); !slices.Equal(got, []string{"a", "b", "a", "c", "d"}) {
			t.Fatalf("units %v: %v", units, got)
		}
		if got := once.texts(); !slices.Equal(got, []string{"a", "b", "c", "d", "e"}) {
			t.Fatalf("units %v: each once: %v", units, got)
		}
	}
}
