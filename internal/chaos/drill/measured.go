package drill

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
)

//go:embed measured.json
var measuredFile []byte

// A Measurement is what a built-in drill showed when it was run for its page.
// make drills repeats them all.
type Measurement struct {
	Drill  string `json:"drill"`
	Server string `json:"nats_server"` // version
	Runs   []Run  `json:"runs"`
}

// A Run is one run of a drill on a cluster of its own.
type Run struct {
	Verdict string             `json:"verdict"`
	Seed    uint64             `json:"seed"`
	Metrics map[string]float64 `json:"metrics"` // by the names of [Metrics], in base units
}

// Measured returns what a drill showed; false: it was not run.
func Measured(name string) (Measurement, bool) {
	var all []Measurement
	if err := json.Unmarshal(measuredFile, &all); err != nil {
		return Measurement{}, false // a test reads it
	}
	i := slices.IndexFunc(all, func(m Measurement) bool { return m.Drill == name })
	if i < 0 {
		return Measurement{}, false
	}
	return all[i], true
}

// Spread returns the least, the middle and the greatest of a metric over the
// runs that have it, and how many these are.
func (m Measurement) Spread(metric string) (least, median, most float64, n int) {
	var values []float64
	for _, r := range m.Runs {
		if v, ok := r.Metrics[metric]; ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return 0, 0, 0, 0
	}
	slices.Sort(values)
	return values[0], values[(len(values)-1)/2], values[len(values)-1], len(values)
}

// Passed says how many of the runs passed.
func (m Measurement) Passed() string {
	return fmt.Sprintf("%d of %d", m.Verdicts()["passed"], len(m.Runs))
}

// Verdicts counts the runs by how they ended.
func (m Measurement) Verdicts() map[string]int {
	count := map[string]int{}
	for _, r := range m.Runs {
		count[r.Verdict]++
	}
	return count
}
