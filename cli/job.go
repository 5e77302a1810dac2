package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"

	"pqjoin/engine"
	"pqjoin/mem"
	"pqjoin/plan"
)

// jobFlags are the flags of every command that reads a job.
func jobFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{
		&cli.StringSliceFlag{Name: "set", Usage: "set a variable of the job: `name=value`"},
		&cli.StringFlag{Name: "mem", Usage: "memory bound of the whole process: 4GB, 512MiB, 50% or auto", DefaultText: "auto, 60 % of what is left"},
		&cli.IntFlag{Name: "threads", Usage: "worker threads", DefaultText: "as many as there are cores"},
		&cli.StringFlag{Name: "spill-dir", Usage: "where spill files go", EnvVars: []string{"PQJOIN_SPILL_DIR"}, DefaultText: "beside the first output"},
		&cli.StringFlag{Name: "spill-limit", Usage: "most bytes of spill files at one time; 0: never spill"},
		&cli.BoolFlag{Name: "json", Usage: "print the result as JSON"},
		&cli.StringFlag{Name: "log-level", Value: "warn", Usage: "debug, info, warn or error"},
	}, more...)
}

// maxJobFile is read one byte beyond the limit that the parser names.
const maxJobFile = 1<<20 + 1

// oneJob refuses a command line without a job file, and one with several arguments.
func oneJob(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("%s takes one job file, as in: pqjoin %s job.yaml", c.Command.Name, c.Command.Name)
	}
	return nil
}

// readJob parses the job file that is the command's only argument.
func (e *env) readJob(c *cli.Context) (*plan.Job, error) {
	if err := oneJob(c); err != nil {
		return nil, err
	}
	set, err := settings(c.StringSlice("set"))
	if err != nil {
		return nil, err
	}
	name := c.Args().First()
	f, err := os.Open(name)
	if err != nil {
		return nil, usageError{fmt.Errorf("read the job file: %w", err)}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxJobFile))
	if err != nil {
		return nil, usageError{fmt.Errorf("read the job file: %w", err)}
	}
	job, err := plan.Parse(name, data, plan.Options{Set: set, Env: os.LookupEnv})
	if err == nil {
		e.redact = job.Redact
	}
	return job, err
}

func settings(list []string) (map[string]string, error) {
	set := map[string]string{}
	for _, s := range list {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, usagef("--set %q: write it as name=value", s)
		}
		set[name] = value
	}
	return set, nil
}

// firstOf returns the first text that is not empty.
func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// checkGiven refuses flags that were given, and say nothing: an unset variable of a script must not mean the default.
func checkGiven(c *cli.Context) error {
	for _, name := range []string{"mem", "spill-limit"} {
		if c.IsSet(name) && strings.TrimSpace(c.String(name)) == "" {
			return usagef("--%s is given without a value: write a size such as 4GB, or leave the flag out", name)
		}
	}
	if n := c.Int("threads"); c.IsSet("threads") && n == 0 {
		return usagef("--threads %d: between 1 and %d", n, plan.MaxThreads)
	}
	return nil
}

// config derives the engine's configuration from flags and the job's run section, and
// holds the Go runtime to its part of the bound.
func (e *env) config(c *cli.Context, job *plan.Job) (engine.Config, error) {
	info, _ := debug.ReadBuildInfo()
	cfg := engine.Config{FS: e.fs, Version: Version, Build: revisionOf(info), Warn: e.warn}
	err := checkGiven(c)
	if err != nil {
		return cfg, err
	}
	if cfg.Log, err = e.logger(c.String("log-level")); err != nil {
		return cfg, err
	}
	host, err := mem.ReadHost(os.DirFS("/"))
	if err != nil {
		return cfg, err
	}
	if err := setBound(&cfg, c.String("mem"), job, host); err != nil {
		return cfg, err
	}
	cfg.Threads = c.Int("threads")
	if cfg.Threads == 0 {
		cfg.Threads = job.Run.Threads
	}
	switch {
	case cfg.Threads == 0:
		cfg.Threads = runtime.NumCPU()
	case cfg.Threads < 0 || cfg.Threads > plan.MaxThreads:
		return cfg, usagef("--threads %d: between 1 and %d", cfg.Threads, plan.MaxThreads)
	}
	cfg.SpillDir = firstOf(c.String("spill-dir"), job.Run.SpillDir)
	if err := e.checkSpillDir(cfg.SpillDir); err != nil {
		switch {
		case c.String("spill-dir") == "":
			err = job.FailedDefault("spill_dir", err)
		case c.String("spill-dir") == os.Getenv("PQJOIN_SPILL_DIR"):
			err = fmt.Errorf("PQJOIN_SPILL_DIR: %w", err)
		default:
			err = fmt.Errorf("--spill-dir: %w", err)
		}
		return cfg, usageError{err}
	}
	cfg.SpillLimit = job.Run.SpillLimit
	if s := c.String("spill-limit"); s != "" {
		if cfg.SpillLimit, err = mem.ParseLimit(s); err != nil {
			return cfg, usageError{fmt.Errorf("--spill-limit: %w", err)}
		}
	}
	holdRuntime(cfg.Mem, cfg.Threads)
	return cfg, nil
}

// setBound takes the bound from the flag, else from the job, else what auto gives.
func setBound(cfg *engine.Config, flag string, job *plan.Job, host mem.Host) (err error) {
	given := firstOf(flag, job.Run.Mem)
	if cfg.Mem, err = mem.ParseBound(given, host, presetLimit()); err != nil {
		return usageError{fmt.Errorf("--mem: %w", err)}
	}
	err = engine.CheckBound(cfg.Mem, host)
	switch {
	case given == "" || given == "auto":
		cfg.MemFrom = engine.MemAuto
	case flag == "":
		cfg.MemFrom = engine.MemOfJob
		if err != nil {
			err = job.FailedDefault("mem", err)
		}
	}
	return err
}

// checkSpillDir refuses what is no directory; empty is none.
func (e *env) checkSpillDir(dir string) error {
	if dir == "" {
		return nil
	}
	info, err := e.fs.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the spill directory %s does not exist: make it, or name another", dir)
	case err != nil:
		return fmt.Errorf("the spill directory: %w", err)
	case !info.IsDir():
		return fmt.Errorf("the spill directory %s is not a directory", dir)
	}
	return nil
}

// presetLimit returns GOMEMLIMIT where the environment sets it, else 0.
func presetLimit() int64 {
	if n := debug.SetMemoryLimit(-1); n < math.MaxInt64 {
		return n
	}
	return 0
}

// holdRuntime gives the Go runtime its part of the bound.
func holdRuntime(total int64, threads int) {
	debug.SetGCPercent(100)
	debug.SetMemoryLimit(mem.Divide(total).Heap)
	runtime.GOMAXPROCS(threads)
}

// open reads and plans the job of a command.
func (e *env) open(c *cli.Context) (*engine.Run, error) {
	job, err := e.readJob(c)
	if err != nil {
		return nil, err
	}
	cfg, err := e.config(c, job)
	if err != nil {
		return nil, err
	}
	return e.openJob(c, job, cfg)
}

func (e *env) openJob(c *cli.Context, job *plan.Job, cfg engine.Config) (*engine.Run, error) {
	run, err := opening(cfg.Mem, func() (*engine.Run, error) { return engine.Open(c.Context, job, cfg) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usageError{err}
	}
	return run, err
}

// opening opens inputs. Until they are, nobody has taken of the pool, and the Go heap may take most of what will be the pool; then its limit
// is higher by what is known of the inputs, and the pool so much smaller.
func opening(total int64, open func() (*engine.Run, error)) (*engine.Run, error) {
	split := mem.Divide(total)
	debug.SetMemoryLimit(split.Heap + max(0, split.Pool)/4*3)
	run, err := open()
	if err != nil {
		return nil, err
	}
	debug.SetMemoryLimit(split.Heap + run.HeapOfInputs())
	if run.HeapOfInputs() > 0 {
		debug.FreeOSMemory() // what opening them left
	}
	return run, nil
}
