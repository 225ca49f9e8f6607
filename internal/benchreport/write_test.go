package benchreport

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/natsops/natsops/internal/bench"
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
		t.Errorf("%s differs (-want +got); if it should: go test ./internal/benchreport -update\n%s", file, diff)
	}
}

func written(t *testing.T, format string, doc Document, style report.Style) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, format, doc, style); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.String()
}

// withoutHistograms replaces encoded histograms: how they are compressed differs
// between versions of Go.
func withoutHistograms(doc Document) Document {
	short := func(l *bench.Latency) *bench.Latency {
		if l == nil {
			return nil
		}
		shortened := *l
		shortened.Histogram = "HISTFAAA"
		return &shortened
	}
	doc.Results = slices.Clone(doc.Results)
	for i := range doc.Results {
		r := &doc.Results[i]
		r.Response, r.Service, r.Generator.Lateness = short(r.Response), short(r.Service), short(r.Generator.Lateness)
	}
	return doc
}

func TestEveryFormatOfEveryDocument(t *testing.T) {
	endings := map[string]string{"table": "txt", "json": "json", "csv": "csv", "markdown": "md", "hdr": "hgrm"}
	for name, doc := range documents() {
		for _, format := range Formats() {
			t.Run(name+"/"+format, func(t *testing.T) {
				golden(t, name+"."+endings[format], written(t, format, withoutHistograms(doc), report.Style{Unicode: true}))
			})
		}
	}
}

func TestTerminalsShowThePercentilePlotOfASingleResult(t *testing.T) {
	for name, style := range map[string]report.Style{
		"unicode": {Terminal: true, Width: 120, Unicode: true},
		"ascii":   {Terminal: true, Width: 80},
		"color":   {Terminal: true, Width: 80, Unicode: true, Color: true},
		"narrow":  {Terminal: true, Width: 50, Unicode: true},
	} {
		golden(t, "terminal-"+name+".txt", written(t, "table", troubled(), style))
	}
	tour := documents()["tour"]
	if got, want := written(t, "table", tour, report.Style{Terminal: true}), written(t, "table", tour, report.Style{}); got != want {
		t.Errorf("a tour has plots:\n%s", got)
	}
}

func TestNoLineIsWiderThanTheScreenOrHasControlCharacters(t *testing.T) {
	all := documents()
	all["extreme"] = extreme()
	single := extreme()
	single.Results = single.Results[:1]
	all["single extreme"] = single
	for name, doc := range all {
		for _, width := range []int{0, 40, 55, 80, 200} {
			for _, style := range []report.Style{{}, {Unicode: true}, {Unicode: true, Terminal: true}, {Terminal: true}} {
				style.Width = width
				checkLines(t, name, written(t, "table", doc, style), style)
			}
		}
	}
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

func TestUnknownIsNeverShownAsZero(t *testing.T) {
	for line := range strings.Lines(written(t, "table", bare(), report.Style{})) {
		label, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		unknown := label == "server" || label == "latency" || label == "accounted"
		if unknown && !strings.Contains(line, "not available") && !strings.Contains(line, "not measured") {
			t.Errorf("got %q, want that it is not known", line)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(written(t, "csv", bare(), report.Style{}))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ workload, empty string }{
		{"pub", "received"},
		{"pub", "p99_ns"},
		{"pub", "server_cores"},
		{"sub", "sent"},
		{"sub", "lost"},
		{"reply", "p50_ns"},
		{"pubsub", "server_cores"},
		{"pubsub", "missed"},
		{"request", "asked_per_s"},
		{"request", "server_memory_bytes"},
	} {
		column := slices.Index(rows[0], test.empty)
		row := slices.IndexFunc(rows, func(row []string) bool { return row[0] == test.workload })
		if column < 0 || row < 0 {
			t.Errorf("no column %s or row %s", test.empty, test.workload)
		} else if got := rows[row][column]; got != "" {
			t.Errorf("%s of %s: got %q, want nothing", test.empty, test.workload, got)
		}
	}
}

func TestJSONCanBeReadBackAndShownAgain(t *testing.T) {
	for name, doc := range documents() {
		var read Document
		if err := json.Unmarshal([]byte(written(t, "json", doc, report.Style{})), &read); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, format := range Formats() {
			style := report.Style{Terminal: true, Unicode: true}
			if diff := cmp.Diff(written(t, format, doc, style), written(t, format, read, style)); diff != "" {
				t.Errorf("%s as %s differs after a round trip (-before +after):\n%s", name, format, diff)
			}
		}
	}
}

func TestAHistogramThatCannotBeReadIsAnError(t *testing.T) {
	doc := document(pubsubResult())
	doc.Results[0].Response = &bench.Latency{Summary: doc.Results[0].Response.Summary, Histogram: "nonsense"}
	if err := Write(&bytes.Buffer{}, "hdr", doc, report.Style{}); err == nil || !strings.Contains(err.Error(), "not a histogram") {
		t.Errorf("got %v, want an error that says so", err)
	}
}

func TestWritingLeavesTheDocumentAsItWas(t *testing.T) {
	doc := bare()
	doc.Results[0].Ledger = pubsubResult().Ledger
	doc.Results[0].Ledger.Publishers = nil
	for _, format := range Formats() {
		written(t, format, doc, report.Style{})
	}
	if doc.Schema != "" || doc.Spreads != nil || doc.Results[0].Errors != nil || doc.Results[0].Ledger.Publishers != nil {
		t.Errorf("the document was changed: %+v", doc)
	}
}

func TestAnUnknownFormatIsRefused(t *testing.T) {
	err := Write(&bytes.Buffer{}, "xml", Document{}, report.Style{})
	want := `no output format "xml": want table, json, csv, markdown, hdr`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestADocumentWithoutResultsCanBeWritten(t *testing.T) {
	for _, format := range Formats() {
		written(t, format, document(), report.Style{})
	}
}

type broken struct{}

var errBroken = errors.New("broken pipe")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestErrorsOfTheWriterAreReturned(t *testing.T) {
	for name, doc := range documents() {
		for _, format := range Formats() {
			if err := Write(broken{}, format, doc, report.Style{}); !errors.Is(err, errBroken) {
				t.Errorf("%s as %s: got %v, want %v", name, format, err, errBroken)
			}
		}
	}
}
