package engine

import (
	"bytes"
	"context"
	"errors"
	"runtime/pprof"
	"runtime/trace"
	"testing"
)

// What a stage does, in goroutines of its own too, must be found under its name in a profile and in a trace.
func TestStagesAreNamedInProfilesAndTraces(t *testing.T) {
	var out bytes.Buffer
	if err := trace.Start(&out); err != nil {
		t.Skipf("somebody else traces: %v", err)
	}
	boom := errors.New("boom")
	err := observe(t.Context(), "read the seed", func(ctx context.Context) error {
		if name, _ := pprof.Label(ctx, "stage"); name != "read the seed" {
			t.Errorf("the label is %q", name)
		}
		observeUnit(ctx, 3, 17).End()
		observeWait(ctx, "turn to write").End()
		return boom
	})
	trace.Stop()
	if !errors.Is(err, boom) {
		t.Errorf("the stage's error is %v", err)
	}
	for _, want := range []string{"read the seed", "17 by worker 3", "wait: turn to write"} {
		if !bytes.Contains(out.Bytes(), []byte(want)) {
			t.Errorf("the trace lacks %q", want)
		}
	}
}
