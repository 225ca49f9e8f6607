package inspectreport

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/natsops/natsops/internal/deadletter"
	"github.com/natsops/natsops/internal/quantity"
	"github.com/natsops/natsops/internal/report"
)

// LettersSchema names the JSON form of Letters. Fields may be added to it; when
// one changes its meaning or goes, the number at its end changes. It is
// described by docs/reference/schemas/natsops.dlq.v1.schema.json.
const LettersSchema = "natsops.dlq/v1"

// Letters are the messages that were given up: all of them, or one with its
// payload.
type Letters struct {
	Schema       string         `json:"schema"` // WriteLetters fills it in
	Version      string         `json:"natsops_version"`
	Target       string         `json:"target"`  // server URLs without credentials, separated by commas
	Letters      []Letter       `json:"letters"` // the latest first
	More         bool           `json:"more"`    // there are older ones than were asked for
	Unidentified []Unidentified `json:"unidentified"`
	Captures     []string       `json:"captures"` // streams that keep advisories
	Gaps         []Gap          `json:"gaps"`
	Remedy       string         `json:"remedy,omitempty"` // the command that makes the account keep advisories
}

// A Letter is a message that a consumer gave up.
type Letter struct {
	ID         string              `json:"id"` // stream/consumer/sequence
	Stream     string              `json:"stream"`
	Consumer   string              `json:"consumer"`
	Seq        uint64              `json:"seq"`
	Cause      deadletter.Cause    `json:"cause"`
	Reason     string              `json:"reason"`
	Source     deadletter.Source   `json:"source"`
	GivenUpAt  time.Time           `json:"given_up_at,omitzero"`
	Deliveries *int                `json:"deliveries"` // null: not known
	Presence   string              `json:"presence"`   // present, gone, unknown
	Why        string              `json:"why,omitempty"`
	Subject    string              `json:"subject,omitempty"`
	StoredAt   time.Time           `json:"stored_at,omitzero"`
	SizeBytes  *int                `json:"size_bytes"` // of the payload; null: not known
	RedriveOf  string              `json:"redrive_of,omitempty"`
	Header     map[string][]string `json:"header,omitempty"`
	Text       *string             `json:"text"`           // the payload; null: it was not asked for, or is not UTF-8
	Data       []byte              `json:"data,omitempty"` // the payload, when it was asked for and is not UTF-8, in base64
}

// Unidentified counts messages that a consumer gave up and that nobody can name.
type Unidentified struct {
	Stream   string `json:"stream"`
	Consumer string `json:"consumer"`
	AtLeast  uint64 `json:"at_least"`
	Why      string `json:"why"`
}

// NewLetters puts the outcome of a search together.
func NewLetters(version, target string, r deadletter.Result) Letters {
	l := Letters{
		Version: version, Target: target, More: r.More, Captures: report.Listed(r.Captures), Remedy: r.Remedy,
		Letters: []Letter{}, Unidentified: []Unidentified{}, Gaps: []Gap{},
	}
	for _, letter := range r.Letters {
		l.Letters = append(l.Letters, NewLetter(letter))
	}
	for _, u := range r.Unidentified {
		l.Unidentified = append(l.Unidentified, Unidentified{u.Key.Stream, u.Key.Consumer, u.AtLeast, u.Why})
	}
	for _, g := range r.Gaps {
		l.Gaps = append(l.Gaps, Gap(g))
	}
	return l
}

// NewLetter returns a letter without its payload.
func NewLetter(from deadletter.Letter) Letter {
	l := Letter{
		ID: from.ID(), Stream: from.Key.Stream, Consumer: from.Key.Consumer, Seq: from.Seq,
		Cause: from.Cause, Reason: from.Reason, Source: from.Source, GivenUpAt: from.GivenUp,
		Presence: from.Presence.String(), Why: from.Why,
	}
	if from.Deliveries > 0 {
		l.Deliveries = &from.Deliveries
	}
	if from.Presence == deadletter.Present {
		l.Subject, l.StoredAt, l.SizeBytes, l.RedriveOf, l.Header = from.Subject, from.Stored, &from.Size, from.RedriveOf, from.Header
	}
	return l
}

// NewShown returns one letter with its payload.
func NewShown(version, target string, s deadletter.Shown) Letters {
	l := NewLetters(version, target, deadletter.Result{Letters: []deadletter.Letter{s.Letter}, Gaps: s.Gaps})
	if s.Presence == deadletter.Present {
		letter := &l.Letters[0]
		if text := string(s.Data); utf8.ValidString(text) {
			letter.Text = &text
		} else {
			letter.Data = s.Data
		}
	}
	return l
}

func letterFormats() []report.Format[Letters] {
	return []report.Format[Letters]{
		{Name: "table", Write: writeLettersText},
		{Name: "json", Write: func(w io.Writer, l Letters, _ report.Style) error {
			l.Schema = LettersSchema
			return report.WriteJSON(w, l)
		}},
		{Name: "csv", Write: func(w io.Writer, l Letters, _ report.Style) error { return l.table(time.RFC3339Nano).WriteCSV(w) }},
		{Name: "markdown", Write: writeLettersMarkdown},
	}
}

// LetterFormats lists what WriteLetters can write; the first one is for people.
func LetterFormats() []string { return report.Names(letterFormats()) }

// WriteLetters writes the document in one of LetterFormats. Errors are those of
// w, or say that there is no such format.
func WriteLetters(w io.Writer, name string, l Letters, style report.Style) error {
	return report.WriteAs(w, letterFormats(), name, l, style)
}

// table has a row for each letter.
func (l Letters) table(layout string) report.Table {
	t := report.Table{Columns: []report.Column{
		{Name: "message", Left: true},
		{Name: "cause", Left: true},
		{Name: "deliveries"},
		{Name: "given up", Left: true},
		{Name: "subject", Left: true},
		{Name: "bytes"},
		{Name: "message is", Left: true},
		{Name: "known by", Left: true, Optional: true},
		{Name: "reason", Left: true, Optional: true},
	}}
	for _, letter := range l.Letters {
		t.Rows = append(t.Rows, []string{
			letter.ID, string(letter.Cause), orUnknown(letter.Deliveries), at(letter.GivenUpAt, layout),
			letter.Subject, orUnknown(letter.SizeBytes), letter.Presence, string(letter.Source), letter.Reason,
		})
	}
	return t
}

func orUnknown(n *int) string {
	if n == nil {
		return "?"
	}
	return strconv.Itoa(*n)
}

func at(t time.Time, layout string) string {
	if t.IsZero() {
		return "?"
	}
	return t.UTC().Format(layout)
}

func writeLettersText(w io.Writer, l Letters, style report.Style) error {
	p := report.Page{Style: style}
	if len(l.Letters) > 0 {
		p.Lines(l.table(time.DateTime).Text(style, style.Breadth()-2)...)
	}
	p.Title(l.headline())
	l.notes(p.Note)
	if l.Remedy != "" {
		p.Command("next", l.Remedy)
	}
	return p.Write(w)
}

func (l Letters) headline() string {
	line := plural(len(l.Letters), "message") + " given up"
	if len(l.Letters) == 0 {
		line = "no message is known to have been given up"
	}
	if l.More {
		line += ", and older ones"
	}
	return line
}

// notes says what is not in the table.
func (l Letters) notes(note func(string)) {
	for _, u := range l.Unidentified {
		note(fmt.Sprintf("%s/%s gave up at least %s more: %s", u.Stream, u.Consumer, quantity.FormatCount(float64(u.AtLeast)), u.Why))
	}
	for _, g := range l.Gaps {
		note(g.String())
	}
	if l.Remedy != "" {
		note("no stream keeps the advisories about messages given up; the command below makes one")
	}
}

func writeLettersMarkdown(w io.Writer, l Letters, _ report.Style) error {
	parts := []string{"## natsops dlq", report.EscapeMarkdown(l.headline())}
	t := l.table(time.DateTime)
	for _, row := range t.Rows {
		for i := range row {
			row[i] = report.EscapeMarkdown(row[i])
		}
	}
	if len(t.Rows) > 0 {
		parts = append(parts, strings.TrimSpace(t.Markdown()))
	}
	var notes []string
	l.notes(func(text string) { notes = append(notes, "- "+report.EscapeMarkdown(text)) })
	if len(notes) > 0 {
		parts = append(parts, strings.Join(notes, "\n"))
	}
	_, err := io.WriteString(w, strings.Join(parts, "\n\n")+"\n")
	return err
}
