package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// slowJob joins every row with every row, twice: minutes of work that writes nothing.
const slowJob = `
inputs: {test: d/test}
tables:
  one:
    - from: test
    - select: {k: col1 * 0, x: col2}
  r:
    - from: one
    - join: {with: one, on: k, suffix: _b}
    - join: {with: one, on: k, suffix: _c}
    - where: x + x_b + x_c < 0
outputs:
  r: {path: out/, if_exists: replace}
`

// slowRun is a run that has begun to write its output and will not end by itself.
type slowRun struct {
	cmd            *exec.Cmd
	dir            string
	stdout, stderr bytes.Buffer
}

func startSlow(t *testing.T, more ...string) *slowRun {
	t.Helper()
	s := newSlow(t)
	s.begin(t, append([]string{"pqjoin", "run", "slow.yaml", "--mem", "256MB", "--force", "--progress", "none"}, more...)...)
	return s
}

// newSlow makes the folder with the job, its input and an old output.
func newSlow(t *testing.T) *slowRun {
	t.Helper()
	s := &slowRun{dir: diskDir(t)}
	if out, err := s.command("demo", "--rows", "3000", "--dir", "d").CombinedOutput(); err != nil {
		t.Fatalf("demo: %v\n%s", err, out)
	}
	for name, text := range map[string]string{"slow.yaml": slowJob, "out/part-00009.parquet.parquet": "the old output"} {
		name = filepath.Join(s.dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// begin starts the run and waits until it is at work.
func (s *slowRun) begin(t *testing.T, command ...string) {
	t.Helper()
	s.cmd = exec.Command(command[0], command[1:]...)
	s.cmd.Dir = s.dir
	s.cmd.Stdout, s.cmd.Stderr = &s.stdout, &s.stderr
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill() })
	for deadline := time.Now().Add(20 * time.Second); len(leftovers(s.dir)) < 3; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the run has not begun: %v\n%s", leftovers(s.dir), &s.stderr)
		}
	}
}

func (s *slowRun) command(args ...string) *exec.Cmd {
	cmd := exec.Command("pqjoin", args...)
	cmd.Dir = s.dir
	return cmd
}

// stop sends the signal and returns how the process ended, and how long that took.
func (s *slowRun) stop(t *testing.T, sig syscall.Signal) (*os.ProcessState, time.Duration) {
	t.Helper()
	begin := time.Now()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := s.cmd.Wait(); !errors.As(err, &exit) {
		t.Fatalf("the run ended with %v", err)
	}
	return s.cmd.ProcessState, time.Since(begin)
}

func (s *slowRun) wantOldOutput(t *testing.T) {
	t.Helper()
	if b, err := os.ReadFile(filepath.Join(s.dir, "out/part-00009.parquet.parquet")); err != nil || string(b) != "the old output" {
		t.Errorf("the old output: %q, %v", b, err)
	}
}

func TestSignalStopsARunCleanly(t *testing.T) {
	for sig, want := range map[syscall.Signal]struct {
		code int
		said string
	}{
		syscall.SIGINT:  {130, "pqjoin: interrupted; nothing was changed"},
		syscall.SIGTERM: {143, "pqjoin: terminated; nothing was changed"},
		syscall.SIGHUP:  {129, "pqjoin: the terminal was closed; nothing was changed"},
	} {
		t.Run(sig.String(), func(t *testing.T) {
			if signal.Ignored(sig) {
				t.Skip("it is ignored here, as under nohup")
			}
			s := startSlow(t, "--json", "--junit", "report.xml")
			state, took := s.stop(t, sig)
			if state.ExitCode() != want.code {
				t.Errorf("exit %d, not %d", state.ExitCode(), want.code)
			}
			if got := strings.TrimSpace(s.stderr.String()); !strings.HasSuffix(got, want.said) {
				t.Errorf("stderr ends in %q, not %q", got, want.said)
			}
			var told struct {
				Error string
				Exit  int
			}
			if err := json.Unmarshal(s.stdout.Bytes(), &told); err != nil || "pqjoin: "+told.Error != want.said || told.Exit != want.code {
				t.Errorf("--json tells of exit %d, %q, %v", told.Exit, told.Error, err)
			}
			if b, err := os.ReadFile(filepath.Join(s.dir, "report.xml")); err != nil || !strings.Contains(string(b), `<error message="`+strings.TrimPrefix(want.said, "pqjoin: ")) {
				t.Errorf("the JUnit report tells of %s, %v", b, err)
			}
			if took > 2*time.Second {
				t.Errorf("stopping took %v", took)
			}
			if left := leftovers(s.dir); len(left) > 0 {
				t.Errorf("left over: %v", left)
			}
			s.wantOldOutput(t)
		})
	}
}

// Under nohup a run outlives its terminal.
func TestAHangupThatIsIgnoredStaysSo(t *testing.T) {
	s := newSlow(t)
	s.begin(t, "sh", "-c", "trap '' HUP; exec pqjoin run slow.yaml --mem 256MB --force --progress none")
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if state, _ := s.stop(t, syscall.SIGTERM); state.ExitCode() != 143 {
		t.Errorf("exit %d, not 143\n%s", state.ExitCode(), &s.stderr)
	}
}

// An interrupted run is often the one whose profile is wanted: it never ended.
func TestAnInterruptedRunLeavesItsProfile(t *testing.T) {
	s := startSlow(t, "--cpuprofile", "cpu.prof", "--trace", "job.trace")
	time.Sleep(200 * time.Millisecond) // the profile has a hundred samples a second
	s.stop(t, syscall.SIGINT)
	for name, magic := range map[string]string{"cpu.prof": "\x1f\x8b", "job.trace": "go 1."} {
		if b, err := os.ReadFile(filepath.Join(s.dir, name)); err != nil || !strings.HasPrefix(string(b), magic) {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	if left := leftovers(s.dir); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestSecondRunOfTheSameOutputIsRefused(t *testing.T) {
	s := startSlow(t)
	out, err := s.command("run", "slow.yaml", "--mem", "256MB", "--force", "--progress", "none").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 6 || !strings.Contains(string(out), "locked by another run") {
		t.Errorf("%v\n%s", err, out)
	}
	s.stop(t, syscall.SIGINT)
	if left := leftovers(s.dir); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestCleanRemovesWhatAKilledRunLeft(t *testing.T) {
	s := startSlow(t)
	if out, err := s.command("clean").CombinedOutput(); err != nil || !strings.Contains(string(out), "nothing to remove") {
		t.Errorf("clean beside a living run: %v\n%s", err, out)
	}
	s.stop(t, syscall.SIGKILL)
	left := leftovers(s.dir)
	if len(left) == 0 {
		t.Fatal("the killed run left nothing: this test tests nothing")
	}
	s.wantOldOutput(t)
	out, err := s.command("clean").CombinedOutput()
	for _, path := range left {
		if err != nil || !strings.Contains(string(out), "removed "+path+"\n") {
			t.Errorf("clean says nothing of %s: %v\n%s", path, err, out)
		}
	}
	if left = leftovers(s.dir); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	s.wantOldOutput(t)
}

func TestRunReclaimsWhatAKilledRunLeft(t *testing.T) {
	s := startSlow(t)
	s.stop(t, syscall.SIGKILL)
	quick := strings.Replace(slowJob, "- from: one\n", "- from: one\n    - head: 1\n", 1)
	if err := os.WriteFile(filepath.Join(s.dir, "slow.yaml"), []byte(quick), 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := s.command("run", "slow.yaml", "--mem", "256MB", "--force").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if left := leftovers(s.dir); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "out/part-00009.parquet.parquet")); err == nil {
		t.Error("the old output is still there")
	}
}
