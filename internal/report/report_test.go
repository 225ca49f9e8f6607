package report

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
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
		t.Errorf("%s differs (-want +got); if it should: go test ./internal/report -update\n%s", file, diff)
	}
}

func sample() Table {
	return Table{
		Columns: []Column{
			{Name: "consumer", Left: true, Min: 12},
			{Name: "p50", Min: 7},
			{Name: "pending", Optional: true},
			{Name: "rate", Optional: true},
		},
		Rows: [][]string{
			{"orders", "1.02ms", "12", "1.2k/s"},
			{"  a → b | c", "98µs", "1.2M", ""},
			{"a-consumer-with-a-very-long-name-indeed", "12s", "0", "3/s"},
		},
	}
}

func TestTablesAlignNumbersRightAndStandInLine(t *testing.T) {
	golden(t, "table.txt", strings.Join(sample().Text(Style{Unicode: true}, 80), "\n")+"\n")
}

func TestNarrowTablesLoseOptionalColumnsAndThenShortenTexts(t *testing.T) {
	golden(t, "narrow.txt", strings.Join(sample().Text(Style{Unicode: true}, 30), "\n")+"\n")
}

func TestTablesAreTheSameWithColors(t *testing.T) {
	lines := sample().Text(Style{Unicode: true, Color: true}, 80)
	if !strings.HasPrefix(lines[0], "\x1b[2mconsumer") {
		t.Errorf("header has no colors: %q", lines[0])
	}
	plain := strings.NewReplacer("\x1b[2m", "", "\x1b[0m", "").Replace(strings.Join(lines, "\n"))
	if diff := cmp.Diff(strings.Join(sample().Text(Style{Unicode: true}, 80), "\n"), plain); diff != "" {
		t.Error(diff)
	}
}

func TestTextLeavesTheTableAsItWas(t *testing.T) {
	table := sample()
	table.Text(Style{}, 20)
	if diff := cmp.Diff(sample(), table); diff != "" {
		t.Error(diff)
	}
}

func TestTablesFitWhateverIsInThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := Table{Columns: []Column{{Name: "name", Left: true}, {Name: "n"}, {Name: "more", Left: true}, {Name: "m", Optional: true}}}
		for range rapid.IntRange(0, 4).Draw(t, "rows") {
			table.Rows = append(table.Rows, []string{
				rapid.String().Draw(t, "name"), rapid.StringN(0, 6, 8).Draw(t, "n"), rapid.String().Draw(t, "more"), rapid.String().Draw(t, "m"),
			})
		}
		style := Style{Unicode: rapid.Bool().Draw(t, "unicode"), Color: rapid.Bool().Draw(t, "color")}
		width := rapid.IntRange(40, 80).Draw(t, "width")
		lines := table.Text(style, width)
		if len(lines) != len(table.Rows)+1 {
			t.Fatalf("%d lines for %d rows: %q", len(lines), len(table.Rows), lines)
		}
		for _, line := range lines {
			if Width(line) > width {
				t.Fatalf("%d cells in %q, want at most %d", Width(line), line, width)
			}
		}
	})
}

func TestMarkdownTablesEscapeWhatOthersWrote(t *testing.T) {
	table := sample()
	table.Rows[1][0] = EscapeMarkdown("a|b\n*c* <script> $JS.API `x`")
	golden(t, "table.md", table.Markdown())
}

func TestCSVQuotesWhereItMust(t *testing.T) {
	table := Table{Columns: []Column{{Name: "title"}, {Name: "p99_ns"}}, Rows: [][]string{{"a, \"b\"", "1020"}, {"", ""}}}
	var b bytes.Buffer
	if err := table.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "title,p99_ns\n\"a, \"\"b\"\"\",1020\n,\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestJSONIsIndentedAndNotMeantForHTML(t *testing.T) {
	var b bytes.Buffer
	if err := WriteJSON(&b, map[string]any{"slo": "p99<5ms", "a": []int{}}); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "{\n  \"a\": [],\n  \"slo\": \"p99<5ms\"\n}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPageLinesUpTitlesItemsTablesAndNotes(t *testing.T) {
	long := strings.Repeat("many words make long lines ", 5)
	p := Page{Style: Style{Unicode: true}}
	p.Text("lab: " + long)
	p.Title("pubsub: 1 publisher → 1 subscriber, " + long)
	p.Item("throughput", "1.76M msg/s")
	p.Item("limit", "machine: "+long)
	p.Item("", "no label")
	p.Table(Table{
		Columns: []Column{{Name: "latency", Left: true, Min: Gutter}, {Name: "p50", Min: 7}},
		Rows:    [][]string{{"  response", "1.02ms"}},
	})
	p.Note(long)
	p.Title("objectives")
	p.Lines("as", "they are")
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "page.txt", b.String())
}

func TestAnEmptyPageWritesNothing(t *testing.T) {
	if err := (&Page{}).Write(broken{}); err != nil {
		t.Error(err)
	}
}

type broken struct{}

var errBroken = errors.New("broken pipe")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestErrorsOfTheWriterAreReturned(t *testing.T) {
	p := Page{}
	p.Title("x")
	for name, err := range map[string]error{
		"page": p.Write(broken{}), "csv": sample().WriteCSV(broken{}), "json": WriteJSON(broken{}, 1),
	} {
		if !errors.Is(err, errBroken) {
			t.Errorf("%s: got %v, want %v", name, err, errBroken)
		}
	}
}

func TestLinesAreNeverWiderThan80Cells(t *testing.T) {
	for _, test := range []struct{ width, want int }{{0, 80}, {-1, 80}, {200, 80}, {80, 80}, {60, 60}, {10, 40}} {
		if got := (Style{Width: test.width}).Columns(); got != test.want {
			t.Errorf("width %d: got %d columns, want %d", test.width, got, test.want)
		}
	}
}

func TestPlainTextCannotWriteToTheTerminal(t *testing.T) {
	for _, test := range []struct {
		unicode  bool
		in, want string
	}{
		{true, "a\x1b[31mb\r\nc\td\x07\u009b", "a[31mb  c d"},
		{true, "1 → 2, 5µs ≤ 6…7", "1 → 2, 5µs ≤ 6…7"},
		{true, "a\u202eb\u2028c", "abc"},
		{false, "1 → 2, 5µs ≤ 6…7 – 8 語", "1 -> 2, 5us <= 6...7 - 8 ?"},
	} {
		if got := (Style{Unicode: test.unicode}).Plain(test.in); got != test.want {
			t.Errorf("Plain(%q) with Unicode %v: got %q, want %q", test.in, test.unicode, got, test.want)
		}
	}
}

func TestColorsAreOnlyUsedWhereTheyAreWanted(t *testing.T) {
	plain, colored := Style{}, Style{Color: true}
	if got := plain.Bad("x") + plain.Strong("x"); got != "xx" {
		t.Errorf("without colors: got %q", got)
	}
	if got := colored.Bad("x"); got != "\x1b[31mx\x1b[0m" {
		t.Errorf("with colors: got %q", got)
	}
}

func TestWrappedTextKeepsItsWordsAndItsWidth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := (Style{Unicode: true}).Plain(rapid.String().Draw(t, "text"))
		width := rapid.IntRange(4, 80).Draw(t, "width")
		lines := Wrap(text, width)
		for _, line := range lines {
			if Width(line) > width || line == "" || !utf8.ValidString(line) {
				t.Fatalf("line %q of %q, want 1 to %d cells", line, text, width)
			}
		}
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got, want := squeeze(strings.Join(lines, "")), squeeze(text); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}
