package bench

import (
	"runtime"
	"time"
)

// usage is what the process has used so far.
type usage struct {
	at      time.Time
	cpu     time.Duration
	gcs     uint32
	gcPause time.Duration
	heap    uint64
}

// readUsage stops the world for some microseconds; it is called before and
// after a run, not during it.
func readUsage() usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{
		at: time.Now(), cpu: processCPU(),
		gcs: m.NumGC, gcPause: time.Duration(m.PauseTotalNs), heap: m.HeapInuse,
	}
}

// since returns what was used from before to u, over ops messages.
func (u usage) since(before usage, ops uint64) Generator {
	cpu := u.cpu - before.cpu
	g := Generator{
		CPUNS:     int64(cpu),
		Cores:     cpu.Seconds() / u.at.Sub(before.at).Seconds(),
		CoresHere: runtime.GOMAXPROCS(0),
		GCs:       u.gcs - before.gcs,
		GCPauseNS: int64(u.gcPause - before.gcPause),
		HeapBytes: u.heap,
	}
	if ops > 0 {
		per := float64(cpu) / float64(ops)
		g.CPUPerOpNS = &per
	}
	return g
}
