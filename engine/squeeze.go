package engine

import (
	"context"
	"sync/atomic"

	"pqjoin/batch"
)

// squeezed is a sink behind which all stores spill what they hold, again and again, so
// that tests see every operator spill on a few rows.
type squeezed struct {
	batch.Sink
	every int64
	puts  atomic.Int64
	spill func() error
}

// squeeze returns sink as it is, unless Tuning.Squeeze is set.
func (x *exec) squeeze(sink batch.Sink) batch.Sink {
	if every := x.run.cfg.Tuning.Squeeze; every > 0 {
		return &squeezed{Sink: sink, every: int64(every), spill: x.pool.Squeeze}
	}
	return sink
}

func (s *squeezed) Put(ctx context.Context, worker, unit int, b *batch.Batch) error {
	err := s.Sink.Put(ctx, worker, unit, b)
	if err == nil && s.puts.Add(1)%s.every == 0 {
		err = s.spill()
	}
	return err
}

func (s *squeezed) Finish(ctx context.Context) error {
	if err := s.Sink.Finish(ctx); err != nil {
		return err
	}
	return s.spill()
}
