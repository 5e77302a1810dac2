package cli_test

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Small things start at once: a version in a shell's prompt, a job of 1,000 rows in a loop. Measured in
// processor time, the least of a few, so that a busy machine does not matter.
func TestStartsInMilliseconds(t *testing.T) {
	if testing.Short() {
		t.Skip("measures, and the race detector is slow")
	}
	const most = 50 * time.Millisecond
	dir := diskDir(t)
	if out, err := exec.Command("pqjoin", "demo", "--rows", "1000", "--dir", dir).CombinedOutput(); err != nil {
		t.Fatalf("demo: %v\n%s", err, out)
	}
	for _, args := range [][]string{{"version"}, {"run", filepath.Join(dir, "job.yaml"), "--progress", "none"}} {
		least := time.Hour
		for range 5 {
			cmd := exec.Command("pqjoin", args...)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %v\n%s", args, err, out)
			}
			least = min(least, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
		}
		t.Logf("%s: %v", args[0], least)
		if least > most {
			t.Errorf("%v takes %v of the processor, over %v", args, least, most)
		}
	}
}
