package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
)

// A Case is what there is to judge by.
type Case struct {
	Window   []*inspect.Snapshot // at least one, better two or more; oldest first, seconds apart, asked for [Needs]
	Verdicts []lag.Verdict       // of the consumers, over the same window
	Config   Config              // the zero value: [Defaults]
}

// Examine runs the checks. It gives the same result for the same case.
func Examine(c Case, checks []Check) Result {
	var (
		r     Result
		chart = newChart(c)
	)
	for _, check := range checks {
		if why := chart.unfit(check); why != "" {
			r.Skipped = append(r.Skipped, Skip{Check: check.ID, Why: why})
			continue
		}
		p := &patient{chart: chart}
		found := findings(check, check.run(p))
		r.Findings = append(r.Findings, found...)
		if why := slices.Concat(p.unseen, p.absent); len(why) > 0 {
			r.Skipped = append(r.Skipped, Skip{Check: check.ID, Why: few(why, "; "), Empty: len(p.unseen) == 0})
		} else if len(found) == 0 {
			r.Passed = append(r.Passed, check.ID)
		}
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(b.Severity, a.Severity) })
	return r
}

// few joins texts, of which the first ones must do.
func few(texts []string, separator string) string {
	const most = 3
	if len(texts) > most {
		texts = append(slices.Clone(texts[:most]), fmt.Sprintf("and %d more", len(texts)-most))
	}
	return strings.Join(texts, separator)
}

// A chart is a case, put in order for the checks, which share it.
type chart struct {
	cfg     Config
	window  []*inspect.Snapshot
	last    *inspect.Snapshot // nil: there is none
	elapsed time.Duration     // from the first snapshot to the last

	servers     []course[inspect.Server]
	connections []course[inspect.Connection]
	streams     []course[inspect.Stream]
	consumers   []course[inspect.Consumer]
	accounts    []course[inspect.Account]
	verdicts    map[inspect.Key]*lag.Verdict
	system      map[string]bool // names of system accounts
}

func newChart(c Case) *chart {
	t := &chart{
		cfg:      c.Config,
		window:   slices.DeleteFunc(slices.Clone(c.Window), func(s *inspect.Snapshot) bool { return s == nil }),
		verdicts: make(map[inspect.Key]*lag.Verdict, len(c.Verdicts)),
		system:   map[string]bool{"$SYS": true},
	}
	if t.cfg == (Config{}) {
		t.cfg = Defaults()
	}
	if len(t.window) > 0 {
		t.last = t.window[len(t.window)-1]
		t.elapsed = t.last.At.Sub(t.window[0].At)
	}
	for i := range c.Verdicts {
		t.verdicts[c.Verdicts[i].Key] = &c.Verdicts[i]
	}
	t.servers = follow(t.window, serverCourse())
	t.connections = follow(t.window, connectionCourse())
	t.streams = follow(t.window, streamCourse())
	t.consumers = follow(t.window, consumerCourse())
	t.accounts = follow(t.window, accountCourse())
	for _, s := range t.servers {
		if v := s.last().Varz; v != nil && v.SystemAccount != "" {
			t.system[v.SystemAccount] = true
		}
	}
	return t
}

// unfit says why a check cannot look at all; "": it can.
func (t *chart) unfit(c Check) string {
	switch {
	case t.last == nil:
		return "there is no snapshot"
	case c.Routes != nil && !slices.Contains(c.Routes, t.last.Route):
		return "needs " + means(c.Routes)
	case c.Twice && (len(t.window) < 2 || t.elapsed <= 0):
		return "needs two snapshots, seconds apart"
	}
	return ""
}

// means says what it takes to ask by one of the routes.
func means(routes []inspect.Route) string {
	if slices.Contains(routes, inspect.RouteSystem) {
		return "the system account, or the monitoring endpoints of the servers"
	}
	return "a user of the account itself, who hears its advisories"
}

// now is the time of the last snapshot by a server's clock.
func (t *chart) now(server string) time.Time {
	now := t.last.At.Add(t.last.Took)
	for _, s := range t.servers {
		if s.last().Name == server {
			return now.Add(s.last().Offset)
		}
	}
	return now
}

// own reports whether a client is one of ours.
func own(c *inspect.Connection) bool { return strings.HasPrefix(strings.ToLower(c.Name), "natsops") }
