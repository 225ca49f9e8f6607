package chaosreport

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/chaos/journal"
	"github.com/natsops/natsops/internal/report"
)

func kinds() []fault.Kind {
	return []fault.Kind{
		{
			Name: "kick", About: "closes connections of clients from the server's side", Expect: "clients are back at another server within milliseconds",
			Class: fault.Expires, Needs: fault.Need{System: true}, Since: "2.10.0",
			Params: []fault.Param{{Name: "every", Unit: fault.Duration, About: "again and again"}},
		},
		{
			Name: "kill", About: "ends the process of a server at once, as a crash does", Expect: "another replica leads within 10 s, and nothing is lost",
			Class: fault.Remains, Needs: fault.Need{Nodes: true, Unix: true}, Default: 15 * second,
			Params: []fault.Param{{Name: "mode", Default: "kill", Unit: fault.Word, About: "how it ends", Words: []string{"kill", "stop"}}},
		},
	}
}

func drills() []drill.Drill {
	kick := drill.Drill{
		Name: "kick-storm", Title: "all clients are thrown out", Hypothesis: "clients come back by themselves",
		Faults: []fault.Spec{
			{Kind: "kick", Victim: fault.Victim{Client: "natsops-*", Percent: 50, Max: 20}, Params: map[string]string{"every": "2s"}},
			{Kind: "kick", At: 10 * second, For: 5 * second, Victim: fault.Victim{Role: fault.MetaLeader, CID: 17}},
		},
		Observe: 30 * second, Control: true,
	}
	lossy := killNode()
	lossy.Name, lossy.Loses, lossy.Expect = "roll-back", true, objectives("lost<10k")
	return []drill.Drill{killNode(), kick, lossy}
}

func plan() chaos.Plan {
	r := passed()
	return chaos.Plan{Drill: r.Drill, Target: r.Target, Strikes: []chaos.Planned{
		{
			Spec: r.Drill.Faults[0], Class: fault.Remains, Victims: []string{"n2"}, Down: []string{"n2"},
			Steps: []fault.Step{{Do: "signal", Object: "process 4711 (n2)", Payload: "SIGKILL"}, {Do: "wait", Object: "15s"}},
		},
		{
			Spec: fault.Spec{Kind: "pause-consumer", At: 5 * second, For: 10 * second}, Class: fault.Expires, Later: "roles may have changed by then",
			Steps: []fault.Step{{Do: "request", Object: "$JS.API.CONSUMER.PAUSE.NATSOPS_CHAOS.load", Payload: `{"pause_until":"2026-03-01T12:31:00Z"}`}},
			Undo: []fault.Undo{
				{Kind: fault.UndoPause, Stream: "NATSOPS_CHAOS", Consumer: "load", Expires: time.Date(2026, 3, 1, 12, 31, 0, 0, time.UTC)},
				{Kind: fault.UndoStop, PID: 4711, Server: "n2"},
			},
		},
	}}
}

func runs() []journal.Run {
	begin := journal.Begin{
		ID: "x7k2", Drill: "kill-node", Target: journal.Target{Servers: []string{"nats://10.0.0.1:4222", "nats://10.0.0.2:4222"}, Context: "staging", Cluster: "C1"},
		PID: 4711, Version: "v1.2.3", Seed: 42, Time: time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC), Stream: "NATSOPS_CHAOS",
	}
	lab := begin
	lab.Drill, lab.Lab, lab.Target = "kick", true, journal.Target{Servers: []string{"nats://127.0.0.1:41234"}}
	return []journal.Run{
		{ID: "x7k2", Begin: begin, State: journal.Died, Injected: 1, Open: []fault.Undo{
			{Kind: fault.UndoStream, Stream: "NATSOPS_CHAOS"}, {Kind: fault.UndoStop, PID: 4712, Server: "n2"},
		}},
		{ID: "y1", Begin: lab, State: journal.Running, Injected: 1, Open: []fault.Undo{{Kind: fault.UndoStream, Stream: "NATSOPS_CHAOS"}}},
		{ID: "y2", Begin: lab, State: journal.Ended, Verdict: "passed", Injected: 2, Healed: 2},
		{ID: "torn", State: journal.Died},
	}
}

// kindOf looks kinds up among ours, so that the texts of package fault are not
// part of the golden files.
func kindOf(name string) (fault.Kind, error) {
	for _, k := range kinds() {
		if k.Name == name {
			return k, nil
		}
	}
	return fault.Kind{}, errors.New("no such kind")
}

func writeList(w io.Writer, format string, drills []drill.Drill, style report.Style) error {
	return report.WriteAs(w, listFormats(), format, newList(drills, kindOf), style)
}

// A page is something that a command prints besides results.
type page struct {
	formats []string
	write   func(w io.Writer, format string, style report.Style) error
}

func pages() map[string]page {
	return map[string]page{
		"list": {ListFormats(), func(w io.Writer, format string, style report.Style) error {
			return writeList(w, format, drills(), style)
		}},
		"faults": {FaultsFormats(), func(w io.Writer, format string, style report.Style) error {
			return WriteFaults(w, format, kinds(), style)
		}},
		"plan": {PlanFormats(), func(w io.Writer, format string, style report.Style) error {
			return WriteDryRun(w, format, "v1.2.3", plan(), style)
		}},
		"status": {StatusFormats(), func(w io.Writer, format string, style report.Style) error {
			return WriteStatus(w, format, "v1.2.3", runs(), style)
		}},
		"describe": {[]string{"table"}, func(w io.Writer, _ string, style report.Style) error {
			t := describe(drills()[1], "built in", "10 kicks: back after 1 to 2 ms", kindOf, style)
			return t.Write(w)
		}},
		"describe-kill": {[]string{"table"}, func(w io.Writer, _ string, style report.Style) error {
			t := describe(drills()[2], "drills/roll-back.yaml", "", kindOf, style)
			return t.Write(w)
		}},
		"nothing-list": {ListFormats(), func(w io.Writer, format string, style report.Style) error { return WriteList(w, format, nil, style) }},
		"nothing-status": {StatusFormats(), func(w io.Writer, format string, style report.Style) error {
			return WriteStatus(w, format, "", nil, style)
		}},
		"nothing-plan": {PlanFormats(), func(w io.Writer, format string, style report.Style) error {
			return WriteDryRun(w, format, "", chaos.Plan{}, style)
		}},
		"nothing-describe": {[]string{"table"}, func(w io.Writer, _ string, style report.Style) error {
			return WriteDescription(w, drill.Drill{}, "", "", style)
		}},
	}
}

func writtenPage(t *testing.T, p page, format string, style report.Style) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.write(&b, format, style); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.String()
}

func TestEveryFormatOfEveryPage(t *testing.T) {
	for name, p := range pages() {
		for _, format := range p.formats {
			golden(t, name+"."+endings()[format], writtenPage(t, p, format, report.Style{Unicode: true}))
			if err := p.write(broken{}, format, report.Style{}); !errors.Is(err, errBroken) {
				t.Errorf("%s as %s: got %v, want %v", name, format, err, errBroken)
			}
		}
	}
}

func TestNoLineOfAPageIsWiderThanTheScreen(t *testing.T) {
	for name, p := range pages() {
		for _, width := range []int{40, 60, 80, 120} {
			for _, style := range []report.Style{{Width: width}, {Width: width, Unicode: true, Terminal: true}} {
				checkLines(t, name, writtenPage(t, p, "table", style), style)
			}
		}
	}
}

func TestAStatusCountsOnlyWhatNobodyWillHeal(t *testing.T) {
	if got := newStatus("", runs()).Open; got != 2 {
		t.Errorf("got %d left to undo, want the 2 of the drill that died", got)
	}
	text := writtenPage(t, pages()["status"], "table", report.Style{})
	if !strings.Contains(text, "natsops chaos heal") {
		t.Errorf("it does not say how to heal:\n%s", text)
	}
}

func TestADryRunShowsEveryPayload(t *testing.T) {
	for _, format := range PlanFormats() {
		text := strings.ReplaceAll(writtenPage(t, pages()["plan"], format, report.Style{}), `\"`, `"`)
		for _, want := range []string{"SIGKILL", "$JS.API.CONSUMER.PAUSE.NATSOPS_CHAOS.load", `{"pause_until":"2026-03-01T12:31:00Z"}`} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %s is missing:\n%s", format, want, text)
			}
		}
	}
}

func TestAHistoryHasALineForEverything(t *testing.T) {
	r := failed()
	var b bytes.Buffer
	if err := WriteHistory(&b, r); err != nil {
		t.Fatal(err)
	}
	want := 1 + len(r.Record.Attempts) + len(r.Record.Deliveries) + len(r.Record.Events) + len(r.Record.Stored) + len(r.Record.Replicas)
	if got := strings.Count(b.String(), "\n"); got != want {
		t.Errorf("got %d lines, want %d", got, want)
	}
	if err := WriteHistory(broken{}, r); !errors.Is(err, errBroken) {
		t.Errorf("got %v, want %v", err, errBroken)
	}
}
