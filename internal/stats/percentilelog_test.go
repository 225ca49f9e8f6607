package stats

import (
	"bytes"
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// plotted reads a log as plotFiles.html of HdrHistogram does: lines of four
// columns separated by spaces, with numbers in the first and last.
func plotted(t *testing.T, log string) (points [][4]float64) {
	t.Helper()
	for line := range strings.Lines(log) {
		columns := regexp.MustCompile(`[ ]+`).Split(strings.TrimSpace(line), -1)
		if strings.HasPrefix(line, "#") || len(columns) != 4 || columns[3] == "inf" {
			continue
		}
		var point [4]float64
		for i, column := range columns {
			var err error
			if point[i], err = strconv.ParseFloat(column, 64); err != nil {
				t.Fatalf("line %q: %v", line, err)
			}
		}
		points = append(points, point)
	}
	return points
}

func TestPercentileLogIsWhatThePlotterReads(t *testing.T) {
	h := NewHistogram()
	for _, us := range ascending(100_000) {
		h.Record(us * 1000)
	}
	var log bytes.Buffer
	if err := PercentileLog(&log, h); err != nil {
		t.Fatal(err)
	}
	points := plotted(t, log.String())
	if len(points) < 50 {
		t.Fatalf("only %d points:\n%s", len(points), log.String())
	}
	var before [4]float64
	for _, p := range points {
		value, percentile, count, inverse := p[0], p[1], p[2], p[3]
		if value < before[0] || percentile < before[1] || count < before[2] || inverse < before[3] {
			t.Errorf("%v falls behind %v", p, before)
		}
		if at := percentile * 100_000; value < at-0.1 || value > at*1.001+25 { // a bucket holds up to 64 values here
			t.Errorf("%v µs at %v, want %v", value, percentile, at)
		}
		if math.Abs(inverse*(1-percentile)-1) > 0.05 && inverse < 10_000 {
			t.Errorf("%v does not fit 1/(1-%v)", inverse, percentile)
		}
		before = p
	}
	for _, want := range []string{
		"Value\tPercentile\tTotalCount\t1/(1-Percentile)\n",
		"   100000          inf\n#[Mean    =    50000.", ", StdDeviation   =    2886",
		", Total count    =       100000]\n",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, log.String())
		}
	}
}

func TestPercentileLogOfOneValueIsExact(t *testing.T) {
	var log bytes.Buffer
	if err := PercentileLog(&log, recorded(1234)); err != nil {
		t.Fatal(err)
	}
	want := ` Value	Percentile	TotalCount	1/(1-Percentile)

       1.234     0.000000            1         1.00
       1.234     1.000000            1          inf
#[Mean    =        1.234, StdDeviation   =        0.000]
#[Max     =        1.234, Total count    =            1]
#[Buckets =           32, SubBuckets     =         2048]
`
	if diff := cmp.Diff(want, log.String()); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestPercentileLogReturnsTheErrorOfItsWriter(t *testing.T) {
	full := errors.New("disk full")
	if err := PercentileLog(brokenWriter{full}, recorded(1)); !errors.Is(err, full) {
		t.Errorf("got %v, want %v", err, full)
	}
}
