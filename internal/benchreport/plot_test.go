package benchreport

import (
	"math/bits"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/natsops/natsops/internal/quantity"
	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/stats"
)

// anyHistogram draws up to a hundred durations, each up to ten thousand times.
func anyHistogram(t *rapid.T) *stats.Histogram {
	h := stats.NewHistogram()
	for range rapid.IntRange(1, 100).Draw(t, "values") {
		magnitude := rapid.IntRange(1, 41).Draw(t, "magnitude")
		h.RecordN(rapid.Int64Range(1, 1<<magnitude).Draw(t, "ns"), rapid.Int64Range(1, 10_000).Draw(t, "times"))
	}
	return h
}

// A drawing is a plot read back from its lines.
type drawing struct {
	labels []string   // of the rows from the top, "" where there is none
	rows   [][]string // cells of the rows from the top
	ticks  map[string]int
}

func read(t interface{ Fatalf(string, ...any) }, lines []string) drawing {
	d := drawing{ticks: map[string]int{}}
	if len(lines) != plotRows+2 {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), plotRows+2, strings.Join(lines, "\n"))
	}
	for _, line := range lines[:plotRows] {
		cells := strings.Split(line, "")
		d.labels = append(d.labels, strings.TrimSpace(strings.Join(cells[:plotGutter-2], "")))
		d.rows = append(d.rows, cells[plotGutter:])
	}
	marks := strings.Split(lines[plotRows], "")[plotGutter:]
	names := lines[plotRows+1][plotGutter:]
	for name := range strings.FieldsSeq(names) {
		from := strings.Index(" "+names+" ", " "+name+" ")
		for column := from; column < from+len(name); column++ {
			if marks[column] != "─" && marks[column] != "-" {
				d.ticks[name] = column
			}
		}
	}
	return d
}

// dots returns the lowest and the highest dot in a column of cells, counted from
// below.
func (d drawing) dots(column int) (lowest, highest int) {
	lowest, highest = 4*plotRows, -1
	for i, row := range d.rows {
		if column >= len(row) || row[column] == " " {
			continue
		}
		top := 4*(plotRows-i) - 1
		dots := []rune(row[column])[0] - '\u2800'
		for below, pair := range []rune{0b00001001, 0b00010010, 0b00100100, 0b11000000} {
			if dots&pair != 0 {
				lowest, highest = min(lowest, top-below), max(highest, top-below)
			}
		}
	}
	return lowest, highest
}

func TestPlotsNeverFallAndEndAtTheMaximum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := plotOf(anyHistogram(t), report.Style{Unicode: true}, 78)
		if lines == nil {
			return
		}
		d := read(t, lines)
		last := 0
		for column := range plotWidest {
			low, high := d.dots(column)
			if low < last || high < low {
				t.Fatalf("falls from dot %d to %d in column %d:\n%s", last, low, column, strings.Join(lines, "\n"))
			}
			last = high
		}
		if last != 4*plotRows-1 {
			t.Fatalf("ends at dot %d, want the top:\n%s", last, strings.Join(lines, "\n"))
		}
	})
}

// Reading a plot as a person does must give what the histogram says: the curve
// over a percentile's tick stands at its value, to a cell.
func TestPlotsShowEachPercentileOverItsTick(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := anyHistogram(t)
		lines := plotOf(h, report.Style{Unicode: true}, 78)
		if lines == nil {
			return
		}
		d := read(t, lines)
		p := plot{values: h}
		for name, q := range map[string]float64{"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999, "p99.99": 0.9999, "max": 1} {
			column, shown := d.ticks[name]
			if !shown {
				continue
			}
			want := newGrid(true, plotWidest, plotRows).scale(p.height(h.Quantile(q)))
			least, _ := d.dots(max(0, column-1))
			_, most := d.dots(min(plotWidest-1, column+1))
			if want < least || want > most {
				t.Fatalf("%s is at dot %d of column %d, where the curve is between %d and %d:\n%s",
					name, want, column, least, most, strings.Join(lines, "\n"))
			}
		}
	})
}

func TestRowsAreLabelledWithDurationsThatBelongThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := anyHistogram(t)
		lines := plotOf(h, report.Style{Unicode: true}, 78)
		if lines == nil {
			return
		}
		d := read(t, lines)
		if got, want := d.labels[0], quantity.FormatDuration(time.Duration(h.Max())); got != want {
			t.Fatalf("top row: got %s, want the maximum %s", got, want)
		}
		if got, want := d.labels[plotRows-1], quantity.FormatDuration(time.Duration(h.Quantile(0.5))); got != want {
			t.Fatalf("bottom row: got %s, want the median %s", got, want)
		}
		p := plot{values: h}
		for row, label := range d.labels[:plotRows-1] {
			if row == 0 || label == "" {
				continue
			}
			ns, err := quantity.ParseDuration(label)
			if err != nil {
				t.Fatalf("row %d: %v", row, err)
			}
			at := p.height(int64(ns)) * plotRows // rows from below
			if above := float64(plotRows - row); at < above-1.3 || at > above+0.3 {
				t.Fatalf("%s stands in row %d, but belongs %.1f rows from below:\n%s", label, row, at, strings.Join(lines, "\n"))
			}
		}
	})
}

func TestTheAxisHasTheTicksThatTheValuesSupport(t *testing.T) {
	for _, test := range []struct {
		values int
		want   []string
	}{
		{1000, []string{"p50", "p90", "p99", "max"}},
		{20_000, []string{"p50", "p90", "p99", "p99.9", "max"}},
		{1_000_000, []string{"p50", "p90", "p99", "p99.9", "p99.99", "max"}},
	} {
		lines := plotOf(latencies(test.values, time.Millisecond, 0.5).Values, report.Style{Unicode: true}, 78)
		if diff := cmp.Diff(test.want, strings.Fields(lines[plotRows+1])); diff != "" {
			t.Errorf("%d values (-want +got):\n%s", test.values, diff)
		}
	}
}

func TestNothingIsPlottedWhereNothingCanBeSeen(t *testing.T) {
	same, few := stats.NewHistogram(), stats.NewHistogram()
	same.RecordN(1000, 1_000_000)
	for i := range int64(fewest - 1) {
		few.Record(1000 + i)
	}
	for name, h := range map[string]*stats.Histogram{"none": nil, "empty": stats.NewHistogram(), "all the same": same, "few": few} {
		if lines := plotOf(h, report.Style{}, 78); lines != nil {
			t.Errorf("%s: got a plot:\n%s", name, strings.Join(lines, "\n"))
		}
	}
}

func TestGridsSetTheDotsThatTheyAreTold(t *testing.T) {
	for _, test := range []struct {
		unicode bool
		x, y    int
		want    string
	}{
		{true, 0, 3, "⠁"},
		{true, 0, 2, "⠂"},
		{true, 0, 1, "⠄"},
		{true, 0, 0, "⡀"},
		{true, 1, 3, "⠈"},
		{true, 1, 2, "⠐"},
		{true, 1, 1, "⠠"},
		{true, 1, 0, "⢀"},
		{false, 0, 1, "'"},
		{false, 0, 0, "."},
	} {
		g := newGrid(test.unicode, 1, 1)
		g.set(test.x, test.y)
		if got := g.lines()[0]; got != test.want {
			t.Errorf("dot %d, %d: got %s, want %s", test.x, test.y, got, test.want)
		}
	}
	full := newGrid(true, 1, 1)
	for i := range 8 {
		full.set(i%2, i/2)
	}
	if got := full.lines()[0]; got != "⣿" || bits.OnesCount8(full.cells[0][0]) != 8 {
		t.Errorf("all dots: got %s", got)
	}
}
