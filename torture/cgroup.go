package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// outcome is how a process ended.
type outcome struct {
	exit   int // -1 where a signal ended it
	signal syscall.Signal
	kills  int // by the kernel, in its cgroup
	stdout string
	stderr string
	took   time.Duration
}

func (o outcome) String() string {
	return fmt.Sprintf("exit %d, signal %d, oom_kill %d: %s", o.exit, o.signal, o.kills, firstLine(o.stderr))
}

// must returns an error where the command failed or could not be run.
func (o outcome) must(err error) error {
	if err == nil && o.exit != 0 {
		err = errors.New(o.String())
	}
	return err
}

// firstLine returns the first line of the failure that stderr tells of, after any warnings.
func firstLine(stderr string) string {
	first := ""
	for line := range strings.Lines(stderr) {
		if first == "" || strings.HasPrefix(line, "pqjoin: ") {
			first = strings.TrimSpace(line)
		}
	}
	return first
}

// patience is how long a trial may take: a liveness deadline, generous.
const patience = 10 * time.Minute

// run runs the program in the bench's directory; with a limit in a memory cgroup of exactly so many bytes.
func (b *bench) run(ctx context.Context, limit int64, args ...string) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return b.command(ctx, limit, exec.CommandContext(ctx, b.bin, args...))
}

// watchArgs is run, and tells of the process once it runs.
func (b *bench) watchArgs(ctx context.Context, limit int64, args []string, started func(*os.Process)) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return b.watch(ctx, limit, exec.CommandContext(ctx, b.bin, args...), started)
}

// command runs a command that was not started yet.
func (b *bench) command(ctx context.Context, limit int64, cmd *exec.Cmd) (outcome, error) {
	return b.watch(ctx, limit, cmd, func(*os.Process) {})
}

// watch is command, and tells of the process once it runs.
func (b *bench) watch(ctx context.Context, limit int64, cmd *exec.Cmd, started func(*os.Process)) (outcome, error) {
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = b.dir, &out, &errs
	var g *cgroup
	if limit > 0 {
		var err error
		if g, err = newCgroup(limit); err != nil {
			return outcome{}, err
		}
		defer g.remove()
		g.wrap(cmd)
	}
	began := time.Now()
	err := cmd.Start()
	if err == nil {
		started(cmd.Process)
		err = cmd.Wait()
	}
	o := outcome{stdout: out.String(), stderr: errs.String(), took: time.Since(began)}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		o.exit = exit.ExitCode()
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			o.signal = ws.Signal()
		}
	case err != nil:
		return o, err
	}
	if g != nil {
		o.kills, err = g.kills()
	} else {
		err = nil
	}
	return o, errors.Join(err, ctx.Err())
}

// cgroup is a memory cgroup of ours, of version 1 or 2.
type cgroup struct {
	dir string
	v2  bool
}

var errNoCgroup = errors.New("no memory cgroup can be made here: root is needed")

func newCgroup(limit int64) (*cgroup, error) {
	name := fmt.Sprintf("pqjoin-torture-%d", os.Getpid())
	v1 := &cgroup{dir: filepath.Join("/sys/fs/cgroup/memory", name)}
	v2 := &cgroup{dir: filepath.Join("/sys/fs/cgroup", name), v2: true}
	size := strconv.FormatInt(limit, 10)
	if os.Mkdir(v1.dir, 0o755) == nil {
		if err := os.WriteFile(v1.dir+"/memory.limit_in_bytes", []byte(size), 0); err != nil {
			return nil, errors.Join(err, os.Remove(v1.dir))
		}
		os.WriteFile(v1.dir+"/memory.memsw.limit_in_bytes", []byte(size), 0) // without swap accounting there is no such file
		return v1, nil
	}
	if controllers, _ := os.ReadFile("/sys/fs/cgroup/cgroup.subtree_control"); !strings.Contains(string(controllers), "memory") || os.Mkdir(v2.dir, 0o755) != nil {
		return nil, errNoCgroup
	}
	if err := os.WriteFile(v2.dir+"/memory.max", []byte(size), 0); err != nil {
		return nil, errors.Join(err, os.Remove(v2.dir))
	}
	os.WriteFile(v2.dir+"/memory.swap.max", []byte("0"), 0)
	return v2, nil
}

// wrap makes the command enter the cgroup before it begins.
func (g *cgroup) wrap(cmd *exec.Cmd) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		cmd.Err = err
		return
	}
	cmd.Args = append([]string{"sh", "-c", `echo $$ >"$0/cgroup.procs" && exec "$@"`, g.dir, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = shell
}

// kills returns how many processes the kernel killed for memory.
func (g *cgroup) kills() (int, error) {
	name := g.dir + "/memory.oom_control"
	if g.v2 {
		name = g.dir + "/memory.events"
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if n, ok := strings.CutPrefix(lines.Text(), "oom_kill "); ok {
			return strconv.Atoi(n)
		}
	}
	return 0, fmt.Errorf("%s has no oom_kill", name)
}

func (g *cgroup) remove() {
	for range 100 { // the last process may still be leaving
		if os.Remove(g.dir) == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
