package engine

import (
	"slices"
	"sync"
)

// samples keeps the texts of the first rows of a table that break a rule, maxSamples of them, whatever worker met them when. The
// rows of a unit must come in order.
type samples struct {
	once bool // a text that was kept already is left out, as where rows break the rule together
	mu   sync.Mutex
	kept []sample // in the order of the table
}

// sample is where a row was found, and how it is shown.
type sample struct {
	unit int
	text string
}

// full says whether no further row of unit is among the first.
func (s *samples) full(unit int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.kept) == maxSamples && s.kept[maxSamples-1].unit <= unit
}

// add keeps the next row of unit, if it is among the first.
func (s *samples) add(unit int, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.once {
		at := slices.IndexFunc(s.kept, func(k sample) bool { return k.text == text })
		if at >= 0 && s.kept[at].unit <= unit {
			return
		}
		if at >= 0 { // it is there earlier in the table
			s.kept = slices.Delete(s.kept, at, at+1)
		}
	}
	at := slices.IndexFunc(s.kept, func(k sample) bool { return k.unit > unit })
	if at < 0 {
		at = len(s.kept)
	}
	s.kept = slices.Insert(s.kept, at, sample{unit: unit, text: text})
	s.kept = s.kept[:min(len(s.kept), maxSamples)]
}

// texts returns what was kept.
func (s *samples) texts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, k := range s.kept {
		out = append(out, k.text)
	}
	return out
}
