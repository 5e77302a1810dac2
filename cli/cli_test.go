package cli_test

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"pqjoin/cli"
	"pqjoin/internal/vfs"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"pqjoin": func() { os.Exit(cli.Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs the program as its users do. Besides testscript's own commands, scripts have
//
//	exits N COMMAND...     runs the command, which must exit with N
//	json PATH [VALUE]      stdout is JSON, and has PATH (as in outputs.0.rows), with this value
//	golden FILE            stdout is FILE's, but for sizes in bytes
//	sentence REGEXP        stderr's last sentence matches, is one line, and holds no stack trace
//	tidy DIR...            no spill directory and no unfinished output lies there
//	floorruns JOB          the job runs with the --mem that its plan prints as the floor
//	lock FILE              holds the file's lock until the script ends
//	recording FILE...      X.prof is a whole CPU profile, X.trace an execution trace
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "../testdata/script",
		WorkdirRoot:         diskDir(t),
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("PQJOIN_SPILL_DIR", "")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "json": jsonPath, "golden": golden, "sentence": sentence, "tidy": tidy, "lock": lock, "floorruns": floorRuns, "recording": recording,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Getuid() == 0, nil
			}
			return false, errors.New("unknown condition " + cond)
		},
	})
}

// diskDir returns a directory on a disk: jobs refuse to spill to one in memory, as /tmp may be.
func diskDir(t *testing.T) string {
	if _, inMemory, err := vfs.OS().Space(os.TempDir()); err == nil && !inMemory {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(".", ".scripts-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	abs, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit %d, not %d", got, want)
	}
}

func jsonPath(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: json PATH [VALUE]")
	}
	var v any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &v); err != nil {
		ts.Fatalf("stdout is no JSON: %v", err)
	}
	v, found := descend(v, strings.Split(args[0], "."))
	if len(args) == 1 {
		if found == neg {
			ts.Fatalf("%s: found is %v", args[0], found)
		}
		return
	}
	if !found {
		ts.Fatalf("%s is not there", args[0])
	}
	text, isText := v.(string)
	if !isText {
		b, err := json.Marshal(v)
		ts.Check(err)
		text = string(b)
	}
	if (text == args[1]) == neg {
		ts.Fatalf("%s is %s", args[0], text)
	}
}

// descend follows a path of names and positions.
func descend(v any, path []string) (any, bool) {
	for _, p := range path {
		switch x := v.(type) {
		case map[string]any:
			next, ok := x[p]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(p)
			if err != nil || i < 0 || i >= len(x) {
				return nil, false
			}
			v = x[i]
		default:
			return nil, false
		}
	}
	return v, true
}

var sizes = regexp.MustCompile(`\d[\d.,]* ?[kMGT]?i?B\b`)

func golden(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: golden FILE")
	}
	got := sizes.ReplaceAllString(ts.ReadFile("stdout"), "SIZE")
	if diff := cmp.Diff(ts.ReadFile(args[0]), got); diff != "" {
		ts.Fatalf("stdout is\n%s\ndifferences:\n%s", got, diff)
	}
}

func sentence(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sentence REGEXP")
	}
	stderr := ts.ReadFile("stderr")
	for _, word := range []string{"goroutine ", "panic", "runtime error", ".go:"} {
		if strings.Contains(stderr, word) {
			ts.Fatalf("stderr holds %q:\n%s", word, stderr)
		}
	}
	said := ""
	for line := range strings.Lines(stderr) {
		if strings.HasPrefix(line, "pqjoin: ") {
			if said != "" {
				ts.Fatalf("stderr says two things:\n%s", stderr)
			}
			said = strings.TrimSpace(line)
		}
	}
	if !regexp.MustCompile(args[0]).MatchString(said) {
		ts.Fatalf("stderr says %q, which does not match %q", said, args[0])
	}
}

func tidy(ts *testscript.TestScript, neg bool, args []string) {
	found := ""
	for _, dir := range args {
		found += strings.Join(leftovers(ts.MkAbs(dir)), " ")
	}
	if (found != "") != neg {
		ts.Fatalf("left over: %q", found)
	}
}

// leftovers returns what runs have left in a directory: spill directories, unfinished outputs, locks.
func leftovers(dir string) []string {
	var found []string
	for _, pattern := range []string{"pqjoin-spill-*", ".*.pqjoin-*"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			panic(err) // the pattern is wrong
		}
		found = append(found, names...)
	}
	return found
}

func lock(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: lock FILE")
	}
	l := flock.New(ts.MkAbs(args[0]))
	ok, err := l.TryLock()
	ts.Check(err)
	if !ok {
		ts.Fatalf("%s is locked already", args[0])
	}
	ts.Defer(func() { l.Close() })
}

func recording(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: recording FILE...")
	}
	for _, name := range args {
		data := ts.ReadFile(name)
		if filepath.Ext(name) == ".trace" {
			if !strings.HasPrefix(data, "go 1.") {
				ts.Fatalf("%s is no execution trace", name)
			}
			continue
		}
		r, err := gzip.NewReader(strings.NewReader(data))
		ts.Check(err)
		n, err := io.Copy(io.Discard, r) // to the end: the checksum lies there
		ts.Check(err)
		if n == 0 {
			ts.Fatalf("%s is empty", name)
		}
	}
}

var printedFloor = regexp.MustCompile(`(?m)^memory .*the floor is (\S+)$`)

func floorRuns(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: floorruns JOB")
	}
	ts.Check(ts.Exec("pqjoin", "plan", args[0], "--mem", "1GB", "--threads", "2"))
	m := printedFloor.FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("plan prints no floor")
	}
	ts.Check(ts.Exec("pqjoin", "run", args[0], "--mem", m[1], "--threads", "2"))
}
