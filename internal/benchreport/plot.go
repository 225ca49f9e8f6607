package benchreport

import (
	"math"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/quantity"
	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/stats"
)

const (
	plotRows   = 8
	plotWidest = 64
	plotGutter = 12                   // cells on the left, with the axis
	fewest     = 100                  // values that are worth a plot
	firstNines = math.Ln2 / math.Ln10 // of the median: log 1/(1-0.5)
	lastNines  = 5
)

// A plot draws durations against percentiles as HdrHistogram's plots do: along
// the x-axis runs the logarithm of 1/(1-q), the number of nines, so that 90 %,
// 99 % and 99.9 % are equally far apart and the tail can be seen. It begins at
// the median, ends at the last percentile that the number of values supports but
// at most at 99.999 %, and has the maximum in its last column. The y-axis is
// logarithmic too, from the median to the maximum.
type plot struct {
	values *stats.Histogram
	style  report.Style
	width  int     // columns
	nines  float64 // at the end of the x-axis
}

// plotOf returns the lines of a plot, or none when there would be nothing to
// see: few values, or all the same.
func plotOf(values *stats.Histogram, style report.Style, columns int) []string {
	if values == nil || values.Count() < fewest || values.Quantile(0.5) == values.Max() {
		return nil
	}
	p := plot{
		values: values,
		style:  style,
		width:  min(plotWidest, columns-plotGutter),
		nines:  min(lastNines, math.Log10(float64(values.Count()))),
	}
	axis, tick, corner := "│", "┤", "└"
	if !style.Unicode {
		axis, tick, corner = "|", "+", "+"
	}
	var lines []string
	labels := p.rowLabels()
	for i, row := range p.area() {
		mark := axis
		if labels[i] != "" {
			mark = tick
		}
		lines = append(lines, p.left(labels[i], mark)+strings.TrimRight(row, " "))
	}
	ruler, names := p.ruler()
	return append(lines, p.left("", corner)+style.Faint(ruler), strings.Repeat(" ", plotGutter)+style.Faint(names))
}

// left returns what stands before the plotted area of a row.
func (p plot) left(label, mark string) string {
	label = p.style.Plain(label) + " " + mark
	return p.style.Faint(strings.Repeat(" ", plotGutter-report.Width(label)) + label)
}

// area returns the curve, one string per row from the top.
func (p plot) area() []string {
	grid := newGrid(p.style.Unicode, p.width, plotRows)
	last := 0
	for x := range grid.width {
		y := grid.scale(p.height(p.at(x, grid)))
		for step := last + 1; step < y; step++ {
			grid.set(x, step) // a line, not a row of dots
		}
		grid.set(x, y)
		last = y
	}
	return grid.lines()
}

// at returns the duration to draw in a column of dots.
func (p plot) at(x int, g grid) int64 {
	last := g.width - g.perCell
	if x >= last {
		return p.values.Max()
	}
	beyond := (p.nines - firstNines) * float64(x) / float64(last) // the median, exactly 0 there
	return p.values.Quantile(1 - math.Pow(10, -beyond)/2)
}

// height returns where on the y-axis a duration is, from 0 to 1.
func (p plot) height(ns int64) float64 {
	low, high := math.Log(float64(p.values.Quantile(0.5))), math.Log(float64(p.values.Max()))
	return max(0, min(1, (math.Log(float64(ns))-low)/(high-low)))
}

// rowLabels returns the labels of the y-axis from the top: the maximum, the
// median, and round durations between them in the rows that they belong to, with
// a row free on either side.
func (p plot) rowLabels() []string {
	var (
		labels    = make([]string, plotRows)
		low, high = p.values.Quantile(0.5), p.values.Max()
		label     = func(ns int64) string { return quantity.FormatDuration(time.Duration(ns)) }
		grid      = newGrid(p.style.Unicode, p.width, plotRows)
	)
	labels[0], labels[plotRows-1] = label(high), label(low)
	for _, factor := range []int64{1, 5, 2, 3} { // whole decades first
		for ns := factor; ns < high; ns *= 10 {
			row := plotRows - 1 - grid.scale(p.height(ns))/grid.perRow
			if ns > low && strings.Join(labels[max(0, row-1):min(plotRows, row+2)], "") == "" {
				labels[row] = label(ns)
			}
		}
	}
	return labels
}

// ruler returns the x-axis and the names under it, of which those that have no
// room are left out.
func (p plot) ruler() (line, names string) {
	dash, tick := "─", "┬"
	if !p.style.Unicode {
		dash, tick = "-", "+"
	}
	marks := strings.Split(strings.Repeat(dash, p.width), "")
	under := []byte(strings.Repeat(" ", p.width))
	put := func(column int, name string) {
		from := max(0, min(column-len(name)/2, p.width-len(name)))
		around := under[max(0, from-1):min(p.width, from+len(name)+1)]
		if strings.TrimSpace(string(around)) == "" {
			marks[column] = tick
			copy(under[from:], name)
		}
	}
	put(p.width-1, "max")
	for i, name := range []string{"p50", "p90", "p99", "p99.9", "p99.99"} {
		nines := max(firstNines, float64(i))
		if x := (nines - firstNines) / (p.nines - firstNines); x < 1 {
			put(int(math.Round(x*float64(p.width-1))), name)
		}
	}
	return strings.Join(marks, ""), strings.TrimRight(string(under), " ")
}
