package journal

import "github.com/natsops/natsops/internal/chaos/process"

// Alive reports whether process pid is there and began at started, as
// [process.Started] tells: a pid that was used again is another process. A
// process that cannot be asked about counts as dead, so that what it left can be
// undone; who heals still has to get the lock on the target.
func Alive(pid int, started string) bool {
	now, err := process.Started(pid)
	return err == nil && now == started
}
