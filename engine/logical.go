package engine

import (
	"context"

	"pqjoin/plan"
	"pqjoin/tableio"
)

// Logical returns the plan of a job as it is written, nothing rewritten, and the files of its inputs in order.
// Errors are those of Open.
func Logical(ctx context.Context, job *plan.Job, cfg Config) (*plan.Plan, map[*plan.Input][]string, error) {
	r := &Run{cfg: cfg, job: job, tables: map[*plan.Input]*tableio.Table{}}
	r.cfg.fill()
	p, err := plan.Resolve(job, inputs{ctx: ctx, run: r})
	if err != nil {
		return nil, nil, err
	}
	r.plan = p
	if err := r.refuseNested(); err != nil {
		return nil, nil, err
	}
	files := map[*plan.Input][]string{}
	for in, t := range r.tables {
		for _, f := range t.Files() {
			files[in] = append(files[in], f.Path)
		}
	}
	return p, files, nil
}
