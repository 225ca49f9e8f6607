package chaosreport

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/quantity"
	"github.com/natsops/natsops/internal/report"
)

// consumerMark is before the names of consumers.
const consumerMark = "→ "

const (
	labels    = report.Gutter + 2 // cells of the names of lanes, so that what follows begins where labelled texts do
	mostLanes = 12                // of faults, and of publishers
	lead      = 0.2               // of the time after the first fault is shown before it, at most
	fewest    = 24                // columns
)

// A chart maps time to columns. A column shows everything that happened in it.
type chart struct {
	from, to time.Duration
	origin   time.Duration // what the axis counts from
	columns  int
	style    report.Style
	ink      ink
}

// An ink is how a screen shows a chart.
type ink struct{ out, fault, well, open, border rune }

func inkOf(s report.Style) ink {
	if s.Unicode {
		return ink{out: '█', fault: '▒', well: '·', open: '▶', border: '│'}
	}
	return ink{out: '#', fault: '=', well: '.', open: '>', border: '|'}
}

// newChart returns the chart of a drill on a row of cells; false when there is
// nothing to draw.
func newChart(d Document, style report.Style, cells int) (chart, bool) {
	if len(d.Phases) == 0 || cells < fewest {
		return chart{}, false
	}
	from, to := time.Duration(d.Phases[0].FromNS), time.Duration(d.Phases[0].ToNS)
	for _, p := range d.Phases {
		from, to = min(from, time.Duration(p.FromNS)), max(to, time.Duration(p.ToNS))
	}
	c := chart{origin: from, columns: cells, style: style, ink: inkOf(style)}
	if at := d.moments(); at.broke {
		c.origin = at.injected
		// Steady state can take long, and is the same all the time.
		if before := time.Duration(lead * (to - at.injected).Seconds() * float64(time.Second)); at.injected-before > from {
			from = at.injected - before
		}
	}
	c.from, c.to = from, to
	return c, to > from
}

// cell returns the column of a moment, as a fraction.
func (c chart) cell(t time.Duration) float64 {
	return (t.Seconds() - c.from.Seconds()) / (c.to.Seconds() - c.from.Seconds()) * float64(c.columns)
}

// span returns the columns, from and up to, that a time span touches: at least
// one, unless all of it is outside.
func (c chart) span(from, to time.Duration) (first, end int, ok bool) {
	if to < from || to < c.from || from > c.to {
		return 0, 0, false
	}
	const whole = 1e-6 // of a column; less than that is rounding
	limit := float64(c.columns)
	first = int(math.Floor(max(0, min(c.cell(from)+whole, limit-1))))
	end = int(math.Ceil(max(0, min(c.cell(to)-whole, limit))))
	return first, max(end, first+1), true
}

// paint draws a time span.
func (c chart) paint(row []rune, from, to time.Duration, with rune) {
	if first, end, ok := c.span(from, to); ok {
		for i := first; i < end; i++ {
			row[i] = with
		}
	}
}

func (c chart) row() []rune { return []rune(strings.Repeat(" ", c.columns)) }

// axis returns the row that tells the time in seconds.
func (c chart) axis() string {
	row := c.row()
	step, digits := c.step()
	first := math.Ceil((c.from - c.origin).Seconds() / step)
	for i := range c.columns { // at most a mark per column
		seconds := (first + float64(i)) * step
		label := string(c.ink.border) + strconv.FormatFloat(seconds+0, 'f', digits, 64)
		column := int(c.cell(c.origin + time.Duration(seconds*float64(time.Second))))
		if !write(row, column, label) {
			break
		}
	}
	return strings.TrimRight(string(row), " ")
}

// step returns how many seconds are between two marks of the axis, which is 1, 2
// or 5 of some power of ten, and with how many decimals they are written.
func (c chart) step() (seconds float64, digits int) {
	const apart = 9 // columns
	least := (c.to.Seconds() - c.from.Seconds()) / float64(c.columns) * apart
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, m := range []float64{1, 2, 5, 10} {
		if seconds = m * power; seconds >= least {
			break
		}
	}
	return seconds, max(0, int(-math.Floor(math.Log10(seconds)+1e-9)))
}

// phases returns the row that names the parts of the drill.
func (c chart) phases(phases []Phase) string {
	row := c.row()
	for _, p := range phases {
		first, end, ok := c.span(time.Duration(p.FromNS), time.Duration(p.ToNS))
		if !ok {
			continue
		}
		row[first] = c.ink.border
		copy(row[first+1:end], []rune(c.word(p.Name)))
	}
	return strings.TrimRight(string(row), " ")
}

// faults returns a row per fault, with its victims beside it where there is room.
func (c chart) faults(faults []Fault) []lane {
	var lanes []lane
	for _, f := range faults {
		if f.InjectedNS == nil {
			continue
		}
		row := c.row()
		from, to := time.Duration(*f.InjectedNS), c.to
		if f.HealedNS != nil {
			to = time.Duration(*f.HealedNS)
		}
		c.paint(row, from, to, c.ink.fault)
		first, end, ok := c.span(from, to)
		if ok && f.HealedNS == nil {
			row[end-1] = c.ink.open
		}
		if victims := c.word(strings.Join(f.Victims, ", ")); ok && victims != "" {
			_ = write(row, end+1, victims) || write(row, first-1-len([]rune(victims)), victims)
		}
		lanes = append(lanes, lane{f.Kind, strings.TrimRight(string(row), " ")})
	}
	return lanes
}

// word makes a text safe to draw, a character to a cell; "" when it has wider
// ones.
func (c chart) word(text string) string {
	text = c.style.Plain(text)
	if report.Width(text) != len([]rune(text)) {
		return ""
	}
	return text
}

// service returns the row of a publisher or consumer that was at work until then.
func (c chart) service(outages []Outage, until time.Duration) string {
	row := c.row()
	c.paint(row, c.from, until, c.ink.well)
	for _, o := range outages {
		c.paint(row, time.Duration(o.FromNS), time.Duration(o.ToNS), c.ink.out)
	}
	for _, o := range outages {
		if _, end, ok := c.span(time.Duration(o.FromNS), time.Duration(o.ToNS)); ok && o.Open {
			row[end-1] = c.ink.open
		}
	}
	return strings.TrimRight(string(row), " ")
}

// legend explains the characters.
func (c chart) legend(d Document) string {
	text := fmt.Sprintf("%c nothing acknowledged, or delivered; %c fault; %c well", c.ink.out, c.ink.fault, c.ink.well)
	if len(d.Consumers) > 0 {
		text += "; " + consumerMark + "consumer"
	}
	if d.leftOpen() {
		text += fmt.Sprintf("; %c not over", c.ink.open)
	}
	return text + "; a column is " + quantity.FormatDuration((c.to-c.from)/time.Duration(c.columns))
}

// leftOpen reports whether a fault or an outage did not end.
func (d Document) leftOpen() bool {
	for _, f := range d.Faults {
		if f.InjectedNS != nil && f.HealedNS == nil {
			return true
		}
	}
	for _, o := range d.allOutages() {
		if o.Open {
			return true
		}
	}
	return false
}

func (d Document) allOutages() []Outage {
	var all []Outage
	for _, p := range d.Placements {
		all = append(all, p.Outages...)
	}
	for _, c := range d.Consumers {
		all = append(all, c.Outages...)
	}
	return all
}

// loadEnd is when the publishers were told to stop.
func (d Document) loadEnd() time.Duration {
	var end int64
	for _, p := range d.Phases {
		if p.Name != string(chaos.PhaseSettle) {
			end = max(end, p.ToNS)
		}
	}
	return time.Duration(end)
}

// write writes a text into free cells of a row; false: there was no room for it.
func write(row []rune, at int, text string) bool {
	letters := []rune(text)
	if at < 0 || at+len(letters) > len(row) {
		return false
	}
	for i := range letters {
		if row[at+i] != ' ' {
			return false
		}
	}
	copy(row[at:], letters)
	return true
}

// A lane is a named row of the timeline.
type lane struct{ name, row string }

// lanesOf draws the timeline of a drill: the phases, then a lane per fault,
// publisher and consumer, over the axis, and explains its characters. Lines are at
// most room cells wide; there are none when there is nothing to draw.
func lanesOf(d Document, style report.Style, room int) (lines []string, legend string) {
	c, ok := newChart(d, style, room-labels)
	if !ok || len(d.Faults)+len(d.Placements) == 0 {
		return nil, ""
	}
	lanes := []lane{{"phase", c.phases(d.Phases)}}
	faults, more := first(c.faults(d.Faults), mostLanes)
	lanes = append(append(lanes, faults...), moreLane(more, "fault")...)
	publishers, more := first(d.Placements, mostLanes)
	for _, p := range publishers {
		lanes = append(lanes, lane{p.Publisher, c.service(p.Outages, d.loadEnd())})
	}
	lanes = append(lanes, moreLane(more, "publisher")...)
	consumers, more := first(d.Consumers, mostLanes)
	for _, consumer := range consumers {
		lanes = append(lanes, lane{consumerMark + consumer.Name, c.service(consumer.Outages, c.to)})
	}
	lanes = append(lanes, moreLane(more, "consumer")...)
	lanes = append(lanes, lane{"seconds", c.axis()})
	for _, l := range lanes {
		lines = append(lines, strings.TrimRight(label(style, l.name)+l.row, " "))
	}
	return lines, c.legend(d)
}

// moreLane says how many lanes are left out; none if none are.
func moreLane(n int, noun string) []lane {
	if n == 0 {
		return nil
	}
	return []lane{{"…", fmt.Sprintf("and %s more", plural(uint64(n), noun))}}
}

// label makes a name as wide as the column of labels.
func label(style report.Style, name string) string {
	name = clip(style.Plain(name), labels-1, style.Plain("…"))
	return name + strings.Repeat(" ", max(0, labels-report.Width(name)))
}
