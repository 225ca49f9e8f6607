package chaosreport

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/natsops/natsops/internal/report"
)

// anyDocument draws phases, faults and outages that make no sense, too.
func anyDocument(t *rapid.T) Document {
	moment := rapid.OneOf(rapid.Int64Range(-int64(time.Minute), int64(3*time.Minute)), rapid.Int64(), rapid.Just(int64(0)))
	text := rapid.OneOf(rapid.StringN(0, 20, -1), rapid.SampledFrom([]string{"n1", "日本語のサーバー", "", "\x1b[31m", "a\nb"}))
	outages := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Outage {
		return Outage{moment.Draw(t, "from"), moment.Draw(t, "to"), rapid.Bool().Draw(t, "open"), partFault}
	}), 0, 5)
	maybe := func(t *rapid.T, name string) *int64 {
		if rapid.Bool().Draw(t, name) {
			return nil
		}
		ns := moment.Draw(t, name)
		return &ns
	}
	return Document{
		Phases: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Phase {
			return Phase{text.Draw(t, "name"), moment.Draw(t, "from"), moment.Draw(t, "to")}
		}), 0, 5).Draw(t, "phases"),
		Faults: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Fault {
			return Fault{Kind: text.Draw(t, "kind"), Victims: []string{text.Draw(t, "victim")}, InjectedNS: maybe(t, "injected"), HealedNS: maybe(t, "healed")}
		}), 0, 20).Draw(t, "faults"),
		Placements: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Placement {
			return Placement{Publisher: text.Draw(t, "publisher"), Outages: outages.Draw(t, "outages")}
		}), 0, 20).Draw(t, "placements"),
		Consumers: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Consumer {
			return Consumer{text.Draw(t, "consumer"), outages.Draw(t, "outages")}
		}), 0, 3).Draw(t, "consumers"),
	}
}

func TestTheTimelineFitsWhateverHappened(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := anyDocument(t)
		style := report.Style{Unicode: rapid.Bool().Draw(t, "unicode")}
		room := rapid.IntRange(0, 120).Draw(t, "room")
		lines, _ := lanesOf(doc, style, room)
		for _, line := range lines {
			if report.Width(line) > room {
				t.Fatalf("%d cells in %q, want at most %d", report.Width(line), line, room)
			}
			if !style.Unicode && strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Fatalf("not ASCII: %q", line)
			}
		}
	})
}

func TestAnOutageIsDrawnWhereItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := chart{to: time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "to")), columns: rapid.IntRange(1, 100).Draw(t, "columns"), ink: inkOf(report.Style{})}
		from := time.Duration(rapid.Int64Range(0, int64(c.to)).Draw(t, "from"))
		to := time.Duration(rapid.Int64Range(int64(from), int64(c.to)).Draw(t, "end"))
		row := c.row()
		c.paint(row, from, to, '#')
		text := string(row)
		first, end := strings.Index(text, "#"), strings.LastIndex(text, "#")+1
		if first < 0 || strings.Contains(text[first:end], " ") {
			t.Fatalf("an outage from %s to %s of %s is drawn as %q", from, to, c.to, text)
		}
		width := c.to.Seconds() / float64(c.columns)
		const rounding = 1e-5 // of a column
		if low := (float64(first) - rounding) * width; low > from.Seconds() {
			t.Fatalf("from %s of %s: begins only at %.9fs: %q", from, c.to, low, text)
		}
		if high := (float64(end) + rounding) * width; high < to.Seconds() {
			t.Fatalf("to %s of %s: ends at %.9fs already: %q", to, c.to, high, text)
		}
		if extra := float64(end-first)*width - (to - from).Seconds(); extra > (2+rounding)*width {
			t.Fatalf("from %s to %s of %s: longer than it was: %q", from, to, c.to, text)
		}
	})
}

func TestAMomentIsSeen(t *testing.T) {
	doc := New("", passed())
	doc.Placements[0].Outages = []Outage{{FromNS: int64(40 * second), ToNS: int64(40*second + 1), Part: partAfter}}
	lines, _ := lanesOf(doc, report.Style{}, 78)
	if got := strings.Count(lines[2], "#"); got != 1 {
		t.Errorf("an outage of 1 ns: got %q, want one mark", lines[2])
	}
}

func TestTheAxisCountsFromTheFirstFault(t *testing.T) {
	lines, _ := lanesOf(New("", passed()), report.Style{}, 78)
	fault, axis := lines[1], lines[len(lines)-1]
	if at := strings.Index(fault, "="); at < 0 || !strings.HasPrefix(axis[at:], "|0 ") {
		t.Errorf("the fault begins elsewhere than at 0:\n%s\n%s", fault, axis)
	}
	end := strings.LastIndex(fault, "=") + 1
	if mark := strings.Index(axis, "|20 "); mark < end {
		t.Errorf("a fault of 15.2 s ends behind the mark of 20 s:\n%s\n%s", fault, axis)
	}
}

func TestWhatDidNotEndIsMarked(t *testing.T) {
	text := written(t, "table", New("", healFailed()), report.Style{})
	for _, name := range []string{"kill", "n2"} {
		found := false
		for line := range strings.Lines(text) {
			found = found || strings.HasPrefix(line, "  "+name+" ") && strings.HasSuffix(line, ">\n")
		}
		if !found {
			t.Errorf("%s is not marked as open:\n%s", name, text)
		}
	}
}
