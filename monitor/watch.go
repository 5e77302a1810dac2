package monitor

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// Progress shows a board until it is stopped.
type Progress struct {
	board *Board
	view  view
	stop  chan struct{}
	done  sync.WaitGroup
}

// A view draws snapshots.
type view interface {
	draw(s Snapshot)
	end(s Snapshot, ok bool)
	every() time.Duration
}

// Watch starts to show the board on w. mode is auto (bars on a terminal, plain lines
// otherwise), bar, plain or none.
func Watch(b *Board, mode string, w io.Writer) (*Progress, error) {
	v, err := newView(mode, w)
	if err != nil {
		return nil, err
	}
	p := &Progress{board: b, view: v, stop: make(chan struct{})}
	p.done.Go(func() {
		sample := time.NewTicker(sampleEvery)
		defer sample.Stop()
		next := time.Now()
		for {
			select {
			case now := <-sample.C:
				b.Sample()
				if v != nil && now.After(next) {
					v.draw(b.Snapshot())
					next = now.Add(v.every())
				}
			case <-p.stop:
				return
			}
		}
	})
	return p, nil
}

func newView(mode string, w io.Writer) (view, error) {
	switch mode {
	case "auto":
		if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			return newBars(w), nil
		}
		return newPlain(w), nil
	case "bar":
		return newBars(w), nil
	case "plain":
		return newPlain(w), nil
	case "none":
		return nil, nil
	}
	return nil, fmt.Errorf("--progress %q: it is auto, bar, plain or none", mode)
}

// sampleEvery is how often the process's memory is read.
const sampleEvery = 50 * time.Millisecond

// Stop ends the display; ok says whether the run succeeded.
func (p *Progress) Stop(ok bool) {
	close(p.stop)
	p.done.Wait()
	if p.view != nil {
		p.view.end(p.board.Snapshot(), ok)
	}
}

// eta returns the time left for the whole job, or 0 where it cannot be told yet. Work is
// counted in rows: of stages not begun as planned, of the others as far as they got.
func eta(s Snapshot) time.Duration {
	done, total := 0.0, 0.0
	for _, st := range s.Stages {
		expect := max(st.ExpectRows, st.RowsIn)
		if st.State == "done" || st.State == "stopped" {
			expect = st.RowsIn
		}
		done += float64(st.RowsIn)
		total += float64(expect)
	}
	if done == 0 || s.Elapsed < time.Second || total <= done {
		return 0
	}
	return time.Duration(float64(s.Elapsed) * (total - done) / done)
}
