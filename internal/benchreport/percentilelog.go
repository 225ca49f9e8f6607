package benchreport

import (
	"fmt"
	"io"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/stats"
)

// writePercentileLog writes the response times of each result as HdrHistogram's
// tools do. Lines that begin with # are comments to the tools that plot them.
func writePercentileLog(w io.Writer, doc Document, _ report.Style) error {
	before := ""
	for _, runs := range byTitle(doc.Results) {
		for _, r := range runs {
			if _, err := io.WriteString(w, before); err != nil {
				return err
			}
			if err := logResult(w, r, name(r, len(runs) > 1)); err != nil {
				return err
			}
			before = "\n"
		}
	}
	return nil
}

func logResult(w io.Writer, r bench.Result, title string) error {
	title = report.Style{Unicode: true}.Plain(title)
	values, err := valuesOf(r.Response)
	if err != nil {
		return fmt.Errorf("response time of %q: %w", title, err)
	}
	if values == nil {
		_, err = fmt.Fprintf(w, "#[%s: no latency]\n", title)
		return err
	}
	if _, err := fmt.Fprintf(w, "#[%s, response time in microseconds]\n", title); err != nil {
		return err
	}
	return stats.PercentileLog(w, values)
}

// valuesOf returns the histogram of a result that was just measured or read
// back from a file, and nil if there is none.
func valuesOf(l *bench.Latency) (*stats.Histogram, error) {
	switch {
	case l == nil || l.Count == 0:
		return nil, nil
	case l.Values != nil:
		return l.Values, nil
	default:
		return stats.Decode(l.Histogram)
	}
}
