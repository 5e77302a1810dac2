package engine

import (
	"context"
	"fmt"

	"pqjoin/batch"
	"pqjoin/plan"
	"pqjoin/tableio"
)

// partitionRows counts the rows of an output's partitions, which files: count divides. in has been counted and can be read again.
func (x *exec) partitionRows(ctx context.Context, in *rel, o *plan.Output) ([]int64, error) {
	counter := tableio.NewPartitionCounter(in.schema, o.PartitionBy)
	sink := newOrderedSink(x.share.Window, func(_ context.Context, b *batch.Batch) error {
		defer b.Release()
		if err := counter.Count(b); err != nil {
			return fmt.Errorf("output %s: %w", o.Label, err)
		}
		return nil
	}, func(context.Context) error { return nil })
	again := &rel{src: in.reopen(), schema: in.schema, name: in.name}
	err := x.pipe(ctx, again, sink, "count rows of partitions")
	return counter.Rows, err
}
