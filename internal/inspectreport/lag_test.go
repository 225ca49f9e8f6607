package inspectreport

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/schematest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); if it should: go test ./internal/inspectreport -update\n%s", file, diff)
	}
}

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// window is two samples of a cluster in which n3 is silent.
func window() []*inspect.Snapshot {
	fresh := inspect.Reading{State: inspect.Fresh, At: noon()}
	last := &inspect.Snapshot{
		At: noon(), Took: 72 * time.Millisecond, Route: inspect.RouteSystem, Cost: inspect.Cost{Requests: 4, Replies: 2, Bytes: 120_000},
		Servers: []inspect.Server{
			{Reading: fresh, Name: "n1", ID: "NA", Version: "2.15.2", Offset: -3 * time.Millisecond},
			{Reading: fresh, Name: "n2", ID: "NB", Version: "2.15.2"},
			{Reading: inspect.Reading{Why: "no answer within 2s"}, Name: "n3"},
		},
		Gaps: []inspect.Gap{{What: "server n3", Why: "no answer within 2s", Remedy: "nats server ping"}},
	}
	return []*inspect.Snapshot{{At: noon().Add(-5 * time.Second)}, last}
}

func exact(v float64) lag.Figure { return lag.Figure{Value: v, Known: true, Exact: true} }

func about(v float64) lag.Figure { return lag.Figure{Value: v, Known: true} }

func nobody() lag.Figure { return lag.Figure{Why: "server n3 does not answer"} }

// verdicts are one of each kind: behind, well with dead letters, unreachable,
// and one whose names are meant to do harm.
func verdicts() []lag.Verdict {
	fresh := inspect.Reading{State: inspect.Fresh, At: noon()}
	behind := lag.Verdict{
		Key: inspect.Key{Account: "APP", Stream: "ORDERS", Consumer: "shipping"}, Status: lag.FallingBehind, Severity: inspect.Crit,
		Confidence: lag.High, Advice: "100/s arrive and 25/s are finished. It takes 4 times the work to keep up.", Leader: "n1", Reading: fresh,
		Evidence: []lag.Evidence{{What: "backlog", Value: "3150", Rule: "over the threshold of 100"}, {What: "growth", Value: "375 in 5s"}},
		Next:     []string{"nats consumer info ORDERS shipping"},
		Pending:  exact(3100), Unacked: exact(50), Backlog: exact(3150), OldestAge: exact(31.5), In: exact(100), Deliver: exact(25), Done: about(25),
		Redeliver: exact(0), Net: exact(75), ETA: exact(math.Inf(1)), ETAQuiet: about(126), Workers: about(4), ProcessTime: about(2),
		ToLoss: exact(math.Inf(1)), Lost: exact(0), LostRate: exact(0), DeadLetters: exact(0),
	}
	well := behind
	well.Key.Stream, well.Key.Consumer = "WEBHOOKS", "delivery"
	well.Status, well.Severity, well.Advice = lag.OK, inspect.OK, "Keeps up."
	well.Tags = []lag.Tag{{Name: lag.Exhausted, Detail: "5", Text: "At least 5 messages were given up."}, {Name: lag.CreatedRecently, Detail: "42s", Text: "It was created 42s ago."}}
	well.Backlog, well.Pending, well.Unacked, well.OldestAge, well.DeadLetters = exact(0), exact(0), exact(0), exact(0), exact(5)
	well.ETA, well.ETAQuiet, well.Evidence, well.Next = exact(0), exact(0), nil, nil
	silent := lag.Verdict{
		Key: inspect.Key{Account: "APP", Stream: "ORDERS", Consumer: "billing"}, Status: lag.Unreachable, Severity: inspect.Crit,
		Confidence: lag.High, Advice: "Server n3 leads it and does not answer: its numbers are not known.", Leader: "n3",
		Reading: inspect.Reading{Why: "server n3 does not answer"},
		Pending: nobody(), Unacked: nobody(), Backlog: nobody(), OldestAge: nobody(), In: nobody(), Deliver: nobody(), Done: nobody(),
		Redeliver: nobody(), Net: nobody(), ETA: nobody(), ETAQuiet: nobody(), Workers: nobody(), ProcessTime: nobody(),
		ToLoss: nobody(), Lost: nobody(), LostRate: nobody(), DeadLetters: nobody(),
	}
	hostile := well
	hostile.Key = inspect.Key{Account: "A\"B\\", Stream: "x|y", Consumer: "\x1b[31m*c*"}
	hostile.Status, hostile.Severity, hostile.Advice = lag.Paused, inspect.Info, "Paused | until \x1b]0;owned\x07 *tomorrow*."
	hostile.Tags = []lag.Tag{{Name: lag.Ephemeral, Text: "It goes when its client goes."}}
	return []lag.Verdict{behind, silent, hostile, well}
}

func input() LagInput {
	return LagInput{
		Version: "1.2.3", Target: "nats://n1:4222", Window: window(), Verdicts: verdicts(), Shown: verdicts(),
		Thresholds: lag.DefaultThresholds(),
	}
}

func writtenLag(t *testing.T, format string, l Lag, style report.Style) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteLag(&b, format, l, style); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestLagIsWrittenInEveryFormat(t *testing.T) {
	for _, format := range LagFormats() {
		golden(t, "lag."+format, writtenLag(t, format, NewLag(input()), report.Style{Unicode: true}))
	}
	in := input()
	in.Explain = true
	golden(t, "explain.table", writtenLag(t, "table", NewLag(in), report.Style{Unicode: true}))
	golden(t, "narrow.table", writtenLag(t, "table", NewLag(input()), report.Style{Width: 60, Terminal: true}))
}

func TestLagFitsItsSchema(t *testing.T) {
	schema := schematest.Compile(t, schemas+"natsops.lag.v1.schema.json")
	in := input()
	in.Explain = true
	in.For, in.Lasted = time.Minute, map[inspect.Key]time.Duration{in.Verdicts[0].Key: time.Second}
	for name, l := range map[string]Lag{
		"all":   NewLag(input()),
		"why":   NewLag(in),
		"empty": NewLag(LagInput{Window: window()}),
	} {
		if err := schematest.Validate(t, schema, writtenLag(t, "json", l, report.Style{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatOthersNamedCannotWriteToTheTerminal(t *testing.T) {
	for _, format := range []string{"table", "nagios", "markdown"} {
		if got := writtenLag(t, format, NewLag(input()), report.Style{Unicode: true}); strings.ContainsAny(got, "\x1b\x07") {
			t.Errorf("%s: control characters in %q", format, got)
		}
	}
}

func TestAnAlarmCountsOnlyWhenItHasLasted(t *testing.T) {
	in := input()
	in.For = 5 * time.Minute
	behind, silent := in.Verdicts[0].Key, in.Verdicts[1].Key
	for _, c := range []struct {
		lasted map[inspect.Key]time.Duration
		alarms int
		state  PluginState
	}{
		{nil, 0, PluginUnknown}, // n3 is missing
		{map[inspect.Key]time.Duration{behind: 4 * time.Minute}, 0, PluginUnknown},
		{map[inspect.Key]time.Duration{behind: 5 * time.Minute}, 1, PluginCritical},
		{map[inspect.Key]time.Duration{behind: 5 * time.Minute, silent: time.Hour}, 2, PluginCritical},
	} {
		in.Lasted = c.lasted
		l := NewLag(in)
		if l.Alarms(inspect.Warn) != c.alarms || l.Plugin() != c.state {
			t.Errorf("%v: got %d alarms and %s, want %d and %s", c.lasted, l.Alarms(inspect.Warn), l.Plugin(), c.alarms, c.state)
		}
		if got, want := l.Totals.Pending, 2-c.alarms; got != want {
			t.Errorf("%v: %d are pending, want %d", c.lasted, got, want)
		}
	}
}

func TestPluginStatesFollowTheWorst(t *testing.T) {
	for _, c := range []struct {
		worst    inspect.Severity
		complete bool
		want     PluginState
	}{
		{inspect.Crit, true, PluginCritical},
		{inspect.Crit, false, PluginCritical},
		{inspect.Warn, false, PluginWarning},
		{inspect.Info, false, PluginUnknown},
		{inspect.OK, false, PluginUnknown},
		{inspect.Info, true, PluginOK},
		{inspect.OK, true, PluginOK},
	} {
		if got := pluginState(c.worst, c.complete); got != c.want {
			t.Errorf("%s, complete %v: got %s, want %s", c.worst, c.complete, got, c.want)
		}
	}
}
