package engine

import (
	"sync"

	"pqjoin/monitor"
)

// verifyKept begins the names of stages that read again what an earlier run kept.
const verifyKept = "verify kept "

// verification shows how much of a kept stage or output is verified, as a stage of its own once there is something.
type verification struct {
	x     *exec
	name  string
	once  sync.Once
	stage *monitor.Stage
}

func (x *exec) verification(name string) *verification { return &verification{x: x, name: name} }

// told counts rows of so many in all, and bytes; 0 where unknown. It may be called by several goroutines.
func (v *verification) told(rows, bytes, of int64) {
	v.once.Do(func() {
		v.stage = v.x.stage(verifyKept+v.name, of)
		v.stage.Begin()
	})
	v.stage.In(rows, bytes)
}

// end ends the stage, if it has begun.
func (v *verification) end(ok bool) {
	if v.stage != nil {
		v.stage.End(ok)
	}
}
