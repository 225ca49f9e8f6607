package benchreport

import (
	"fmt"
	"math"
	"time"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/quantity"
)

// generator says what the load cost the process that made it.
func generator(g bench.Generator) string {
	s := cores(g.Cores, g.CoresHere)
	if g.CPUPerOpNS != nil {
		s += ", " + nanoseconds(*g.CPUPerOpNS) + " per message"
	}
	if g.GCs == 0 {
		return s + ", no GC"
	}
	return s + fmt.Sprintf(", %s (%s pauses)", plural(uint64(g.GCs), "GC"), nanoseconds(float64(g.GCPauseNS)))
}

// server says what the load cost the server, or why that is not known.
func server(r bench.Result) string {
	u := r.Usage
	if u == nil {
		if r.NoUsage == "" || r.NoUsage == "not available" {
			return "not available"
		}
		return "not available: " + r.NoUsage
	}
	cpu := "CPU not available (too short to sample)"
	if u.CPUCores != nil {
		cpu = cores(*u.CPUCores, u.Cores)
	}
	sign := "+"
	if u.MemGrowth < 0 {
		sign = ""
	}
	return fmt.Sprintf("%s, %s memory (%s%s), %s", cpu, quantity.FormatSize(float64(u.MemBytes)),
		sign, quantity.FormatSize(float64(u.MemGrowth)), plural(uint64(max(0, u.SlowConsumers)), "slow consumer"))
}

func cores(used float64, here int) string {
	if here == 1 {
		return quantity.FormatCount(used) + " of 1 core"
	}
	return fmt.Sprintf("%s of %d cores", quantity.FormatCount(used), here)
}

// asks reports whether the operations of a workload are requests.
func asks(w bench.Workload) bool { return w == bench.Request || w == bench.Reply }

func rate(r bench.Result) string {
	return quantity.FormatCount(r.RatePerS) + " " + rateUnit(r.Workload)
}

func rateUnit(w bench.Workload) string {
	if asks(w) {
		return "req/s"
	}
	return "msg/s"
}

func nanoseconds(ns float64) string {
	const most = 1 << 62 // 146 years
	return quantity.FormatDuration(time.Duration(math.Round(min(ns, most))))
}

func count(n uint64) string { return quantity.FormatCount(float64(n)) }

func plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}
