package benchreport

import (
	"fmt"
	"io"
	"slices"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/report"
)

// A text is a document as people read it.
type text struct {
	report.Page
	plots bool
}

func writeText(w io.Writer, doc Document, style report.Style) error {
	t := text{Page: report.Page{Style: style}, plots: style.Terminal && len(doc.Results) == 1}
	t.Text(header(doc))
	for _, runs := range byTitle(doc.Results) {
		if len(runs) == 1 {
			t.result(runs[0])
			continue
		}
		t.runs(runs, spreadsOf(runs, doc.Spreads))
	}
	t.objectives(doc)
	return t.Write(w)
}

// header says what was measured from where.
func header(doc Document) string {
	server, address := "NATS", doc.Target
	for _, r := range doc.Results {
		if r.Server.Version != "" {
			server, address = "nats-server "+r.Server.Version, r.Server.URL
			break
		}
	}
	if doc.Lab {
		server = "lab: " + server
	}
	return fmt.Sprintf("%s at %s; load from %s/%s, %s",
		server, address, doc.Host.OS, doc.Host.Arch, plural(uint64(doc.Host.CPUs), "CPU"))
}

// byTitle groups the runs of the same thing, in the order in which they came.
func byTitle(results []bench.Result) [][]bench.Result {
	var groups [][]bench.Result
	for _, r := range results {
		i := slices.IndexFunc(groups, func(g []bench.Result) bool { return g[0].Title == r.Title })
		if i < 0 {
			groups = append(groups, nil)
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], r)
	}
	return groups
}

// name tells a result from the others.
func name(r bench.Result, repeated bool) string {
	title := r.Title
	if repeated {
		title += fmt.Sprintf(", run %d", r.Run)
	}
	if r.Interrupted {
		title += " (interrupted)"
	}
	return title
}
