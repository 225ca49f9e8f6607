package chaosreport

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/report"
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
		t.Errorf("%s differs (-want +got); if it should: go test ./internal/chaosreport -update\n%s", file, diff)
	}
}

func written(t *testing.T, format string, doc Document, style report.Style) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteDrill(&b, format, doc, style); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.String()
}

func writtenSuite(t *testing.T, format string, s Suite, style report.Style) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSuite(&b, format, s, style); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.String()
}

// everything is what results there are, with those that nobody expects.
func everything() map[string]Document {
	docs := map[string]Document{"bare": New("v1.2.3", bare()), "zero": {}, "hostile": New("v1.2.3", hostile())}
	for name, r := range results() {
		docs[name] = New("v1.2.3", r)
	}
	return docs
}

func endings() map[string]string {
	return map[string]string{"table": "txt", "json": "json", "markdown": "md", "junit": "xml"}
}

func TestEveryFormatOfEveryVerdict(t *testing.T) {
	for name, r := range results() {
		for _, format := range Formats() {
			golden(t, name+"."+endings()[format], written(t, format, New("v1.2.3", r), report.Style{Unicode: true}))
		}
	}
	for _, format := range Formats() {
		golden(t, "suite."+endings()[format], writtenSuite(t, format, suite(), report.Style{Unicode: true}))
	}
}

func TestTheReportFitsTheScreen(t *testing.T) {
	doc := New("v1.2.3", failed())
	for _, width := range []int{60, 80, 120} {
		golden(t, fmt.Sprintf("terminal-%d.txt", width), written(t, "table", doc, report.Style{Terminal: true, Width: width, Unicode: true}))
		golden(t, fmt.Sprintf("terminal-%d-ascii.txt", width), written(t, "table", doc, report.Style{Terminal: true, Width: width}))
	}
	golden(t, "terminal-color.txt", written(t, "table", doc, report.Style{Terminal: true, Width: 80, Unicode: true, Color: true}))
}

func TestNoLineIsWiderThanTheScreenOrHasControlCharacters(t *testing.T) {
	for name, doc := range everything() {
		for _, width := range []int{0, 40, 60, 80, 200} {
			for _, style := range []report.Style{{}, {Unicode: true}, {Unicode: true, Terminal: true}, {Terminal: true}} {
				style.Width = width
				checkLines(t, name, written(t, "table", doc, style), style)
			}
		}
	}
	checkLines(t, "suite", writtenSuite(t, "table", suite(), report.Style{}), report.Style{})
}

func checkLines(t *testing.T, name, text string, style report.Style) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if report.Width(line) > style.Columns() || strings.TrimRight(line, " ") != line {
			t.Errorf("%s, %+v: %d cells in %q", name, style, report.Width(line), line)
		}
		for _, r := range line {
			if r < ' ' || r >= 0x7f && r < 0xa0 || r > 0x7e && !style.Unicode {
				t.Errorf("%s, %+v: %q in %q", name, style, r, line)
			}
		}
	}
}

func TestColorSaysNothingThatWordsDoNot(t *testing.T) {
	for name, doc := range everything() {
		style := report.Style{Unicode: true, Terminal: true}
		plain := written(t, "table", doc, style)
		style.Color = true
		colored := written(t, "table", doc, style)
		for _, code := range []string{"0", "1", "2", "31", "32", "33"} {
			colored = strings.ReplaceAll(colored, "\x1b["+code+"m", "")
		}
		if diff := cmp.Diff(plain, colored); diff != "" {
			t.Errorf("%s differs with color (-without +with):\n%s", name, diff)
		}
	}
}

func TestTheFirstLineSaysTheVerdict(t *testing.T) {
	for name, want := range map[string]string{
		"passed":       "PASSED kill-node: killing the leader of a stream loses nothing",
		"lost":         "NOT RECOVERED partition-leader:",
		"not-steady":   "NOT STEADY kill-node: it was not well before anything was done",
		"aborted":      "ABORTED kill-node: a guard ended the drill early; everything is healed",
		"heal-failed":  "HEAL FAILED kill-node: a fault could not be healed: a person must look now",
		"inconclusive": "INCONCLUSIVE kill-node:",
	} {
		if got := written(t, "table", New("", results()[name]), report.Style{}); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", name, got[:min(len(got), 100)], want)
		}
	}
}

func TestEveryVerdictButAPassSaysWhyAndWhatToTry(t *testing.T) {
	for _, v := range verdicts() {
		r := passed()
		r.Verdict, r.Why = v, []string{"of this reason"}
		for _, format := range []string{"table", "markdown", "junit"} {
			got := written(t, format, New("", r), report.Style{})
			if v == chaos.Passed {
				continue
			}
			if !strings.Contains(got, "of this reason") {
				t.Errorf("%s as %s does not say why:\n%s", v, format, got)
			}
			if format != "junit" && !strings.Contains(got, "try ") {
				t.Errorf("%s as %s does not say what to try:\n%s", v, format, got)
			}
		}
	}
}

func TestUnknownIsNeverShownAsZero(t *testing.T) {
	doc := New("", inconclusive())
	for line := range strings.Lines(written(t, "table", doc, report.Style{})) {
		label, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if label == "lost" && !strings.HasPrefix(strings.TrimSpace(rest), "?") && !strings.HasPrefix(strings.TrimSpace(rest), "==") {
			t.Errorf("got %q, want that loss is not known", line)
		}
	}
	var read map[string]any
	if err := json.Unmarshal([]byte(written(t, "json", doc, report.Style{})), &read); err != nil {
		t.Fatal(err)
	}
	account := read["account"].(map[string]any)
	for _, name := range []string{
		"stored", "lost", "lost_first", "lost_middle", "lost_last", "unknown_stored", "refused_stored", "duplicates_stored",
		"ack_mismatches", "reordered", "unexpected", "undelivered", "delivered_not_stored", "replicas_equal",
	} {
		if got, there := account[name]; !there || got != nil {
			t.Errorf("%s: got %v, want null", name, got)
		}
	}
	if got := account["unread"]; got == nil || got == "" {
		t.Errorf("unread: got %v, want the reason", got)
	}
	for _, p := range read["placements"].([]any) {
		if got := p.(map[string]any)["lost"]; got != nil {
			t.Errorf("lost of a publisher: got %v, want null", got)
		}
	}
	if got := read["metrics"].(map[string]any)["lost"].(map[string]any)["value"]; got != nil {
		t.Errorf("the metric: got %v, want null", got)
	}
	if got := written(t, "junit", doc, report.Style{}); !strings.Contains(got, `lost is not known`) {
		t.Errorf("the JUnit case of lost is not skipped:\n%s", got)
	}
}

func TestNothingIsClaimedAboutFaultsThatWereNotInjected(t *testing.T) {
	doc := New("", notSteady())
	if doc.State.Injected || doc.State.Healed != nil || doc.State.Recovered != nil || doc.Account != nil || doc.SteadyAfter != nil {
		t.Errorf("got %+v, account %v", doc.State, doc.Account)
	}
	if doc := New("", healFailed()); !doc.State.Injected || doc.State.Healed == nil || *doc.State.Healed || doc.Faults[0].HealedNS != nil {
		t.Errorf("a heal that failed: got %+v", doc.State)
	}
}

func TestJSONCanBeReadBackAndShownAgain(t *testing.T) {
	for name, doc := range everything() {
		var read Document
		if err := json.Unmarshal([]byte(written(t, "json", doc, report.Style{})), &read); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, format := range Formats() {
			style := report.Style{Unicode: true}
			if diff := cmp.Diff(written(t, format, doc, style), written(t, format, read, style)); diff != "" {
				t.Errorf("%s as %s differs after a round trip (-before +after):\n%s", name, format, diff)
			}
		}
	}
}

func TestListsAreNeverNull(t *testing.T) {
	for name, doc := range map[string]Document{"zero": {}, "bare": New("", bare()), "placement": {
		Placements: []Placement{{}}, Consumers: []Consumer{{}}, Faults: []Fault{{}}, SteadyBefore: &Gate{}, Account: &Account{},
	}} {
		var read any
		if err := json.Unmarshal([]byte(written(t, "json", doc, report.Style{})), &read); err != nil {
			t.Fatal(err)
		}
		checkLists(t, name, read)
	}
}

// checkLists looks for null where the schema has no room for it.
func checkLists(t *testing.T, path string, v any) {
	t.Helper()
	object, ok := v.(map[string]any)
	if !ok {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		lists := []string{
			"why", "phases", "faults", "timeline", "placements", "consumers", "expectations", "warnings", "servers", "victims", "down",
			"outages", "objectives", "lost_examples", "replicas", "errors", "counts", "metrics",
		}
		if slices.Contains(lists, key) && object[key] == nil {
			t.Errorf("%s.%s is null", path, key)
		}
		checkLists(t, path+"."+key, object[key])
		if list, ok := object[key].([]any); ok {
			for _, each := range list {
				checkLists(t, path+"."+key, each)
			}
		}
	}
}

func TestWritingLeavesTheDocumentAsItWas(t *testing.T) {
	doc := Document{Placements: []Placement{{}}, Faults: []Fault{{}}, Account: &Account{}, SteadyBefore: &Gate{}}
	for _, format := range Formats() {
		written(t, format, doc, report.Style{})
	}
	if doc.Schema != "" || doc.Placements[0].Outages != nil || doc.Faults[0].Victims != nil || doc.Account.Errors != nil || doc.SteadyBefore.Objectives != nil {
		t.Errorf("the document was changed: %+v", doc)
	}
}

func TestAnUnknownFormatIsRefused(t *testing.T) {
	err := WriteDrill(&bytes.Buffer{}, "csv", Document{}, report.Style{})
	want := `no output format "csv": want table, json, markdown, junit`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestASuiteWritesInTheFormatsOfADrill(t *testing.T) {
	if diff := cmp.Diff(Formats(), report.Names(suiteFormats())); diff != "" {
		t.Errorf("formats differ (-drill +suite):\n%s", diff)
	}
	for _, format := range Formats() {
		writtenSuite(t, format, Suite{}, report.Style{})
	}
}

type broken struct{}

var errBroken = errors.New("broken pipe")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestErrorsOfTheWriterAreReturned(t *testing.T) {
	for _, format := range Formats() {
		if err := WriteDrill(broken{}, format, New("", failed()), report.Style{}); !errors.Is(err, errBroken) {
			t.Errorf("%s: got %v, want %v", format, err, errBroken)
		}
		if err := WriteSuite(broken{}, format, suite(), report.Style{}); !errors.Is(err, errBroken) {
			t.Errorf("suite as %s: got %v, want %v", format, err, errBroken)
		}
	}
}
