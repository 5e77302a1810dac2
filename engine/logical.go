package engine

import (
	"context"

	"pqjoin/plan"
	"pqjoin/tableio"
)

// Logical returns the plan of a job as it is written, nothing rewritten, and what lies at the paths of its inputs.
// Errors are those of Open.
func Logical(ctx context.Context, job *plan.Job, cfg Config) (*plan.Plan, map[*plan.Input]plan.Found, error) {
	r := &Run{cfg: cfg, job: job, tables: map[*plan.Input]*tableio.Table{}}
	r.cfg.fill()
	p, err := plan.Resolve(job, inputs{ctx: ctx, run: r})
	if err != nil {
		return nil, nil, err
	}
	r.plan = p
	if err := r.refuseUnread(); err != nil {
		return nil, nil, err
	}
	found := map[*plan.Input]plan.Found{}
	for in, t := range r.tables {
		f := plan.Found{Format: t.Format(), Dirs: t.Dirs()}
		for _, file := range t.Files() {
			f.Files = append(f.Files, file.Path)
		}
		found[in] = f
	}
	return p, found, nil
}
