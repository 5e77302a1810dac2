package cli

import (
	"testing"

	"pqjoin/engine"
	"pqjoin/plan"
)

// A refusal is one wherever it is found, also where the job file names an input.
func TestARefusalAtALineOfTheJobIsARefusal(t *testing.T) {
	if code := exitCode(&plan.Error{File: "job.yaml", Line: 1, Err: &engine.RefusedError{Reason: "--mem is too little"}}); code != exitRefused {
		t.Errorf("exit code %d", code)
	}
}
