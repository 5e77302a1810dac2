package spillfile

import (
	"errors"
	"fmt"
)

// The errors of the package; test with errors.Is.
var (
	ErrInMemory = errors.New("the spill directory lies in memory (tmpfs)")
	ErrQuota    = errors.New("spill limit reached")
	ErrDiskFull = errors.New("the disk is full")
	ErrCorrupt  = errors.New("spilled data is damaged")
	ErrNotKept  = errors.New("no earlier run kept it")
	ErrForeign  = errors.New("it is no directory of ours, or open to others")
	ErrLost     = errors.New("rows or values were lost or changed between writing and reading")
)

// corrupt says which block of a store does not verify, and why.
func corrupt(s *Store, p int, block int32, format string, args ...any) error {
	return &storeError{s.spec.Name, fmt.Errorf("partition %d, block %d: %s: %w", p, block, fmt.Sprintf(format, args...), ErrCorrupt)}
}
