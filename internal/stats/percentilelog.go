package stats

import "io"

// PercentileLog writes the percentile distribution of h in the text format of
// HdrHistogram (.hgrm: Value, Percentile, TotalCount, 1/(1-Percentile)), which
// its plotter and hdr-plot draw. Values are in microseconds, as three decimals
// of them lose nothing. Errors are those of w.
func PercentileLog(w io.Writer, h *Histogram) error {
	const (
		ticksPerHalfDistance = 5 // as in HdrHistogram's own tools
		nsPerUs              = 1000
	)
	_, err := h.hdr.PercentilesPrint(w, ticksPerHalfDistance, nsPerUs)
	return err
}
