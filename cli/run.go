package cli

import (
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"pqjoin/engine"
	"pqjoin/monitor"
	"pqjoin/plan"
)

func runFlags(more ...cli.Flag) []cli.Flag {
	return jobFlags(append([]cli.Flag{
		&cli.StringFlag{Name: "progress", Value: "auto", Usage: "auto, bar, plain or none"},
		&cli.BoolFlag{Name: "resume", Usage: "keep finished stages where the run dies, and go on from those that an earlier one kept"},
		&cli.BoolFlag{Name: "force", Usage: "run in spite of estimates that say it will not fit"},
		&cli.StringFlag{Name: "junit", Usage: "write what became of the job's checks to `FILE`, as JUnit XML"},
		&cli.StringFlag{Name: "cpuprofile", Usage: "write a CPU profile to `FILE`"},
		&cli.StringFlag{Name: "trace", Usage: "write an execution trace to `FILE`"},
	}, more...)...)
}

func (e *env) runCommand() *cli.Command {
	return &cli.Command{Name: "run", Usage: "run a job", ArgsUsage: "JOB", Flags: runFlags(), Action: e.run}
}

func (e *env) run(c *cli.Context) error {
	if err := oneJob(c); err != nil {
		return err
	}
	if err := e.checkJUnit(c); err != nil {
		return err
	}
	job, err := e.readJob(c)
	if err != nil {
		return e.endJUnit(c, 0, err)
	}
	return e.execute(c, job)
}

// execute runs a job that has been parsed, and reports it to --junit: what run and demo share.
func (e *env) execute(c *cli.Context, job *plan.Job) error {
	if err := e.beginJUnit(c, job); err != nil {
		return err
	}
	board, err := e.record(c, job)
	var elapsed time.Duration
	if board != nil {
		elapsed = board.Snapshot().Elapsed
	}
	written := err == nil || errors.As(err, new(afterwards))
	if err = e.endJUnit(c, elapsed, err); err != nil && written && !errors.As(err, new(afterwards)) {
		err = afterwards{err}
	}
	return err
}

// record runs a job while the flags' recorders watch. The board is nil where the run could not begin.
func (e *env) record(c *cli.Context, job *plan.Job) (board *monitor.Board, err error) {
	cfg, err := e.config(c, job)
	if err != nil {
		return nil, err
	}
	stop, err := e.startRecording(c.String)
	if err != nil {
		return nil, err
	}
	written := false
	defer func() {
		if err = errors.Join(err, stop()); err != nil && written {
			err = afterwards{err}
		}
	}()
	if c.Bool("resume") && cfg.SpillLimit < 0 {
		return nil, usagef("--resume keeps stages on disk, and a spill limit of 0 forbids that: leave one of them out")
	}
	cfg.Force, cfg.Resume = c.Bool("force"), c.Bool("resume")
	board = monitor.NewBoard(cfg.Mem, time.Now)
	cfg.Board = board
	run, err := e.openJob(c, job, cfg)
	if err != nil {
		return board, err
	}
	e.rules = run.Rules
	for _, w := range run.Warnings() {
		e.warn(w)
	}
	if err := run.Preflight(c.Context); err != nil {
		return board, err
	}
	show, err := monitor.Watch(board, c.String("progress"), e.err)
	if err != nil {
		return board, usageError{err}
	}
	res, err := run.Execute(c.Context)
	show.Stop(err == nil)
	if err != nil {
		return board, err
	}
	written = true
	return board, e.summary(c, board, run, res)
}

func (e *env) summary(c *cli.Context, board *monitor.Board, run *engine.Run, res *engine.Result) error {
	sum := monitor.Summarize(board.Snapshot(), res.Pool, outputs(res, c.Bool("json")))
	if c.Bool("json") {
		return e.json(struct {
			*monitor.Summary
			Checks []engine.Rule `json:"checks,omitempty"`
		}{sum, run.Rules()})
	}
	return sum.Text(e.out)
}

// outputs returns what a run wrote; in JSON every path is absolute.
func outputs(res *engine.Result, asJSON bool) []monitor.Output {
	var out []monitor.Output
	for _, o := range res.Outputs {
		path := o.Shown
		if asJSON {
			path = o.Path
		}
		out = append(out, monitor.Output{Label: o.Label, Path: path, Rows: o.Rows, Bytes: o.Bytes, Files: o.Files})
	}
	return out
}
