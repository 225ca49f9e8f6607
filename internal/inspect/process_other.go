//go:build !linux

package inspect

import "time"

// ProcessCPU is not known here.
func ProcessCPU(int) (time.Duration, bool) { return 0, false }
