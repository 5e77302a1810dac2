package monitor

import (
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// bars draws a bar a stage and a line for memory, spill and the time left.
type bars struct {
	p    *mpb.Progress
	bars map[int]*mpb.Bar
	last []StageSnapshot
	foot *mpb.Bar
	text string
}

func newBars(w io.Writer) *bars {
	b := &bars{p: mpb.New(mpb.WithOutput(w), mpb.WithWidth(40), mpb.WithAutoRefresh()), bars: map[int]*mpb.Bar{}}
	b.foot = b.p.New(1, mpb.NopStyle(), mpb.BarPriority(1<<20), mpb.BarFillerClearOnComplete(),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return b.text })))
	return b
}

func (b *bars) every() time.Duration { return 200 * time.Millisecond }

func (b *bars) draw(s Snapshot) {
	b.text = fmt.Sprintf("memory %s of %s, spilled %s, %s%s", humanize.Bytes(uint64(s.MemoryUsed)), humanize.Bytes(uint64(s.Memory)),
		humanize.Bytes(uint64(s.Spilled)), clock(s.Elapsed), left(s))
	b.last = s.Stages
	for i, st := range s.Stages {
		if st.State == "waiting" {
			continue
		}
		bar := b.bars[i]
		if bar == nil {
			bar = b.newBar(i, st)
		}
		bar.SetTotal(max(st.ExpectRows, st.RowsIn, 1), false)
		bar.SetCurrent(st.RowsIn)
		if st.State == "done" {
			bar.SetTotal(max(st.RowsIn, 1), false)
			bar.SetCurrent(max(st.RowsIn, 1))
			bar.SetTotal(-1, true)
		}
	}
}

func (b *bars) newBar(i int, st StageSnapshot) *mpb.Bar {
	bar := b.p.New(max(st.ExpectRows, 1), mpb.BarStyle().Rbound("|").Lbound("|").Tip(">").Filler("=").Padding(" "), mpb.BarPriority(i),
		mpb.PrependDecorators(decor.Name(st.Name, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
			now := b.last[i]
			return fmt.Sprintf(" %s rows  %s", humanize.Comma(now.RowsIn), humanize.Bytes(uint64(now.BytesIn)))
		})))
	b.bars[i] = bar
	return bar
}

func (b *bars) end(s Snapshot, ok bool) {
	b.draw(s)
	for _, bar := range b.bars {
		if !bar.Completed() {
			bar.Abort(false)
		}
	}
	b.foot.SetTotal(-1, true)
	b.p.Wait()
	_ = ok
}
