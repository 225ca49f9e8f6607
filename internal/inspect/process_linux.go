package inspect

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// Linux counts CPU time in ticks of 10 ms on every architecture that Go
// supports (USER_HZ).
const tick = 10 * time.Millisecond

// ProcessCPU returns the user and system time that a process of this machine
// has used, from /proc/PID/stat (proc(5)), and false where it is not known.
func ProcessCPU(pid int) (time.Duration, bool) {
	if pid <= 0 {
		return 0, false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, false
	}
	// The second field is the command in parentheses and may hold anything.
	_, rest, ok := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" "))
	fields := bytes.Fields(rest)
	const utime, stime = 11, 12 // counted from the state, the third field
	if !ok || len(fields) <= stime {
		return 0, false
	}
	user, err1 := strconv.ParseInt(string(fields[utime]), 10, 64)
	system, err2 := strconv.ParseInt(string(fields[stime]), 10, 64)
	return time.Duration(user+system) * tick, err1 == nil && err2 == nil
}
