package engine

import (
	"context"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
)

// stageLabel is how CPU profiles name a stage.
func stageLabel(stage string) pprof.LabelSet { return pprof.Labels("stage", stage) }

// observe runs f as a stage: CPU profiles label what it and the goroutines it starts do with
// the stage's name, and execution traces show a task. Costs nothing to speak of where neither is taken.
func observe(ctx context.Context, stage string, f func(ctx context.Context) error) (err error) {
	pprof.Do(ctx, stageLabel(stage), func(ctx context.Context) {
		ctx, task := trace.NewTask(ctx, stage)
		defer task.End()
		err = f(ctx)
	})
	return err
}

// observeUnit marks one unit's passage in an execution trace, from its first batch to its
// last; the caller ends the region.
func observeUnit(ctx context.Context, worker, unit int) *trace.Region {
	region := trace.StartRegion(ctx, "unit")
	if trace.IsEnabled() {
		trace.Log(ctx, "unit", strconv.Itoa(unit)+" by worker "+strconv.Itoa(worker))
	}
	return region
}

// observeWait marks a wait for another unit in an execution trace; the caller ends the region.
func observeWait(ctx context.Context, what string) *trace.Region {
	return trace.StartRegion(ctx, "wait: "+what)
}
