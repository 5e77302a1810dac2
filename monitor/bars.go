package monitor

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// bars draws a bar a stage and a line for memory, spill and the time left. The library
// renders from a goroutine of its own, so what decorators show is behind a lock.
type bars struct {
	p    *mpb.Progress
	bars map[int]*mpb.Bar
	foot *mpb.Bar

	mu   sync.Mutex
	last Snapshot
}

func newBars(w io.Writer) *bars {
	b := &bars{p: mpb.New(mpb.WithOutput(w), mpb.WithWidth(40), mpb.WithAutoRefresh()), bars: map[int]*mpb.Bar{}}
	b.foot = b.p.New(1, mpb.NopStyle(), mpb.BarPriority(1<<20), mpb.PrependDecorators(decor.Any(b.footText)))
	return b
}

func (b *bars) every() time.Duration { return 200 * time.Millisecond }

func (b *bars) shown() Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}

func (b *bars) footText(decor.Statistics) string {
	s := b.shown()
	return fmt.Sprintf("memory %s of %s, spilled %s, %s%s", humanize.Bytes(uint64(s.MemoryUsed)), humanize.Bytes(uint64(s.Memory)),
		humanize.Bytes(uint64(s.Spilled)), clock(s.Elapsed), left(s))
}

func (b *bars) draw(s Snapshot) {
	b.mu.Lock()
	b.last = s
	b.mu.Unlock()
	for i, st := range s.Stages {
		if st.State == "waiting" {
			continue
		}
		bar := b.bars[i]
		if bar == nil {
			bar = b.newBar(i, st)
			b.bars[i] = bar
		}
		total := max(st.ExpectRows, st.RowsIn, 1)
		if st.State == "done" {
			total = max(st.RowsIn, 1)
		}
		bar.SetTotal(total, false)
		bar.SetCurrent(st.RowsIn)
	}
}

func (b *bars) newBar(i int, st StageSnapshot) *mpb.Bar {
	style := mpb.BarStyle().Lbound("|").Rbound("|").Filler("=").Tip(">").Padding(" ")
	return b.p.New(max(st.ExpectRows, 1), style, mpb.BarPriority(i),
		mpb.PrependDecorators(decor.Name(st.Name+" ")),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
			now := b.shown().Stages[i]
			return fmt.Sprintf(" %s rows  %s", humanize.Comma(now.RowsIn), humanize.Bytes(uint64(now.BytesIn)))
		})))
}

// end leaves the bars as they stand: no bar is waited for, whatever state the run ended in.
func (b *bars) end(s Snapshot, _ bool) {
	b.draw(s)
	for _, bar := range b.bars {
		bar.Abort(false)
	}
	b.foot.Abort(false)
	b.p.Shutdown()
}
