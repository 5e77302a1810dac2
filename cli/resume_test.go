package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// keptJob persists a table quickly, and then joins every row with every row.
const keptJob = `
inputs: {test: d/test}
tables:
  one:
    - from: test
    - select: {k: col1 * 0, x: col2}
    - persist: true
  r:
    - from: one
    - join: {with: one, on: k, suffix: _b}
    - where: x + x_b < 3
    - index: [x, x_b]
outputs:
  r: {path: out/, if_exists: replace}
`

// keptRun is a folder with the job above.
type keptRun struct{ dir string }

func newKeptRun(t *testing.T) *keptRun {
	t.Helper()
	k := &keptRun{diskDir(t)}
	if out, err := k.command("demo", "--rows", "4000", "--dir", "d").CombinedOutput(); err != nil {
		t.Fatalf("demo: %v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(k.dir, "job.yaml"), []byte(keptJob), 0o666); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *keptRun) command(args ...string) *exec.Cmd {
	cmd := exec.Command("pqjoin", args...)
	cmd.Dir = k.dir
	return cmd
}

// run runs the job to its end and returns what it says and the output.
func (k *keptRun) run(t *testing.T, more ...string) (said, result string) {
	t.Helper()
	out, err := k.command(append([]string{"run", "job.yaml", "--mem", "256MB", "--progress", "none"}, more...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	raw, err := os.ReadFile(filepath.Join(k.dir, "out/part-00000.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	return string(out), string(raw)
}

// kill starts the job with --resume and kills it when the table is kept.
func (k *keptRun) kill(t *testing.T) {
	t.Helper()
	cmd := k.command("run", "job.yaml", "--mem", "256MB", "--progress", "none", "--resume")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); len(k.stages()) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || len(k.stages()) == 0 {
		t.Fatalf("the run was not killed with a stage kept: %v, %v", err, k.stages())
	}
}

func (k *keptRun) stages() []string {
	names, _ := filepath.Glob(filepath.Join(k.dir, "pqjoin-keep-*/*.stage"))
	return names
}

func TestAKilledRunIsResumed(t *testing.T) {
	k := newKeptRun(t)
	_, want := k.run(t)
	k.kill(t)
	said, got := k.run(t, "--resume", "--threads", "1")
	if got != want {
		t.Error("the output is another than that of a run that was not killed")
	}
	if !strings.Contains(said, "an earlier run had finished table one") || strings.Contains(said, "keep one") {
		t.Errorf("nothing was taken over:\n%s", said)
	}
	if left := leftovers(k.dir); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestKeptStagesStayUntilTheyAreUsedOrCleaned(t *testing.T) {
	k := newKeptRun(t)
	k.kill(t)
	if said, _ := k.run(t); strings.Contains(said, "resume") || len(k.stages()) == 0 {
		t.Errorf("a run without the flag touches what is kept: %v\n%s", k.stages(), said)
	}
	out, err := k.command("clean").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "pqjoin-keep-") || len(k.stages()) > 0 {
		t.Errorf("%v %v\n%s", err, k.stages(), out)
	}
	if left := leftovers(k.dir); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestResumeNeedsSpilling(t *testing.T) {
	k := newKeptRun(t)
	out, err := k.command("run", "job.yaml", "--resume", "--spill-limit", "0").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--resume keeps stages on disk") {
		t.Errorf("%v\n%s", err, out)
	}
}
