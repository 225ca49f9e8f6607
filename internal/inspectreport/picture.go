// Package inspectreport shows what an inspection has found: who is behind, what
// is wrong, which messages were given up. To people as text and Markdown, to
// programs as JSON, CSV, a Nagios line and Prometheus metrics. What is not known
// is a question mark or null, never 0.
package inspectreport

import (
	"fmt"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/quantity"
)

// A Picture says what a judgement rests on: who was asked, who answered, and
// what asking cost.
type Picture struct {
	TakenAt  time.Time     `json:"taken_at"` // the last sample
	TookNS   int64         `json:"took_ns"`  // the last sample
	Samples  int           `json:"samples"`
	WindowNS int64         `json:"window_ns"` // from the first sample to the last
	Route    inspect.Route `json:"route"`
	Complete bool          `json:"complete"` // nothing that was asked for is missing
	Servers  []ServerState `json:"servers"`
	Gaps     []Gap         `json:"gaps"`
	Cost     Cost          `json:"cost"` // of the last sample
}

// A ServerState says whether a server answered.
type ServerState struct {
	Name          string `json:"name"`
	ID            string `json:"id"`
	Version       string `json:"version"`
	State         string `json:"state"` // ok, stale, unknown
	Why           string `json:"why,omitempty"`
	ClockOffsetNS *int64 `json:"clock_offset_ns"` // ahead of ours; null: it did not answer
}

// A Gap is something that was asked for and is missing.
type Gap struct {
	What   string `json:"what"`
	Why    string `json:"why"`
	Remedy string `json:"remedy,omitempty"`
}

// Cost is what a sample took of the servers.
type Cost struct {
	Requests int   `json:"requests"`
	Replies  int   `json:"replies"`
	Bytes    int64 `json:"bytes"`
}

// NewPicture describes a window of samples, oldest first. There must be one.
func NewPicture(window []*inspect.Snapshot) Picture {
	first, last := window[0], window[len(window)-1]
	p := Picture{
		TakenAt: last.At, TookNS: last.Took.Nanoseconds(),
		Samples: len(window), WindowNS: last.At.Sub(first.At).Nanoseconds(),
		Route: last.Route, Complete: len(last.Gaps) == 0,
		Servers: []ServerState{}, Gaps: []Gap{}, Cost: Cost(last.Cost),
	}
	for _, s := range last.Servers {
		state := ServerState{Name: s.Name, ID: s.ID, Version: s.Version, State: s.State.String(), Why: s.Why}
		if s.State == inspect.Fresh {
			offset := s.Offset.Nanoseconds()
			state.ClockOffsetNS = &offset
		}
		p.Servers = append(p.Servers, state)
	}
	for _, g := range last.Gaps {
		p.Gaps = append(p.Gaps, Gap(g))
	}
	return p
}

// answered returns how many servers answered, of how many.
func (p Picture) answered() (answered, all int) {
	for _, s := range p.Servers {
		if s.State == inspect.Fresh.String() {
			answered++
		}
	}
	return answered, len(p.Servers)
}

// footer says what the judgement rests on, in one line.
func (p Picture) footer() string {
	var parts []string
	if answered, all := p.answered(); all > 0 {
		parts = append(parts, fmt.Sprintf("%d of %s answered", answered, plural(all, "server")))
	}
	samples := plural(p.Samples, "sample")
	if p.Samples > 1 {
		samples += " in " + quantity.FormatDuration(time.Duration(p.WindowNS))
	}
	return strings.Join(append(parts, samples,
		fmt.Sprintf("the last one took %s, %s and %s by the %s route",
			quantity.FormatDuration(time.Duration(p.TookNS)), plural(p.Cost.Requests, "request"), quantity.FormatSize(float64(p.Cost.Bytes)), p.Route),
	), "; ")
}

func (g Gap) String() string {
	text := "missing: " + g.What + ": " + g.Why
	if g.Remedy != "" {
		text += "; try " + g.Remedy
	}
	return text
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return quantity.FormatCount(float64(n)) + " " + noun + "s"
}
