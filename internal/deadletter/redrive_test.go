package deadletter

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/action"
)

func TestTheConsumerGetsTheCopyOnce(t *testing.T) {
	w := newWorld(t)
	w.capture()
	w.stream(jetstream.StreamConfig{Name: "S"})
	c := w.consumer("S", "w", 1)
	w.consumer("S", "other", 1, "S.x")
	w.consumer("S", "stranger", 1, "S.y")
	w.publish("S.x", nats.Header{"Name": {"v1", "v2"}, "Nats-Msg-Id": {"mine"}}, "payload")
	w.giveUp(c, 1)
	letters := w.letters(Query{Consumer: "w"}, 1)

	p := w.plan(letters, Options{})
	if diff := cmp.Diff([]any{"S.x", "S", "natsops-redrive.S.w.1", []string{"Nats-Msg-Id"}, ""},
		[]any{p.Steps[0].Subject, p.Steps[0].Stream, p.Steps[0].MsgID, p.Steps[0].LeftOut, p.Steps[0].Skip}); diff != "" {
		t.Errorf("step (-want +got):\n%s", diff)
	}
	if len(p.Others) != 1 || p.Others[0] != key("S", "other") {
		t.Errorf("got others %v", p.Others)
	}
	a := Redrive(p)
	if a.Object != "S/w" || a.Risk != action.Disruptive || a.Target != "1 message given up by S/w" ||
		!slices.Contains(a.Impact, "publishes 1 message, 7 bytes, into stream S") || !slices.Contains(a.Impact, "also delivers copies to S/other") {
		t.Errorf("got action %+v", a)
	}
	r := w.redrive(p)
	if diff := cmp.Diff(Report{Stored: 1, Failures: []Failure{}, Copies: []Copy{{Of: "S/w/1", Stream: "S", Seq: 2}}}, r); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	m := w.take(c, 1)[0]
	want := nats.Header{
		"Name": {"v1", "v2"}, "Nats-Msg-Id": {"natsops-redrive.S.w.1"},
		"Nats-Expected-Stream": {"S"}, HeaderRedriveOf: {"S/w/1"},
	}
	if diff := cmp.Diff(want, m.Headers()); diff != "" || string(m.Data()) != "payload" || m.Subject() != "S.x" {
		t.Errorf("got %s %q (-want +got):\n%s", m.Subject(), m.Data(), diff)
	}

	// The same plan again finds the copy by its ID, a new one by its header.
	if r := w.redrive(p); r.Stored != 0 || r.Duplicates != 1 || w.state("S").LastSeq != 2 {
		t.Errorf("again: got %+v and %d messages", r, w.state("S").LastSeq)
	}
	p = w.plan(letters, Options{})
	if got := p.Steps[0].Skip; !strings.Contains(got, "sent again before: as message 2 of stream S") {
		t.Errorf("planned again: got skip %q", got)
	}
	if r := w.redrive(p); r.Skipped != 1 || w.state("S").LastSeq != 2 {
		t.Errorf("planned again: got %+v", r)
	}
}

func TestACopyThatIsGivenUpTooIsALetterOfItsOwn(t *testing.T) {
	w := newWorld(t)
	w.capture()
	w.stream(jetstream.StreamConfig{Name: "S"})
	w.giveUpOne("S")
	w.redrive(w.plan(w.letters(Query{}, 1), Options{}))
	c, err := w.js.Consumer(t.Context(), "S", "w")
	if err != nil {
		t.Fatal(err)
	}
	w.giveUp(c, 1)
	p := w.plan(w.letters(Query{}, 2), Options{})
	if p.Steps[0].Skip == "" || p.Steps[1].Skip != "" || !strings.Contains(strings.Join(p.Steps[1].Warnings, "\n"), "copy of S/w/1") {
		t.Errorf("got %+v", p.Steps)
	}
}

func TestAWorkQueueIsRidOfTheOriginal(t *testing.T) {
	w := newWorld(t)
	w.stream(jetstream.StreamConfig{Name: "Q", Retention: jetstream.WorkQueuePolicy})
	w.giveUpOne("Q")
	p := w.plan(w.letters(Query{}, 1), Options{DeleteOriginal: true})
	if r := w.redrive(p); r.Stored != 1 || r.Deleted != 1 {
		t.Errorf("got %+v", r)
	}
	c, err := w.js.Consumer(t.Context(), "Q", "w")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.take(c, 1)[0].DoubleAck(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := w.state("Q"); s.Msgs != 0 || s.LastSeq != 2 {
		t.Errorf("got %+v", s)
	}
	if err := Redrive(p).Check(t.Context()); !errors.Is(err, action.ErrChanged) {
		t.Errorf("the original is gone, and the check says %v", err)
	}
}

func TestOnlyAWorkQueueIsRidOfTheOriginal(t *testing.T) {
	w := newWorld(t)
	w.stream(jetstream.StreamConfig{Name: "I", Retention: jetstream.InterestPolicy})
	w.giveUpOne("I")
	p := w.plan(w.letters(Query{}, 1), Options{DeleteOriginal: true})
	if r := w.redrive(p); r.Deleted != 0 || !strings.Contains(strings.Join(Redrive(p).Impact, "\n"), "the original stays") {
		t.Errorf("got %+v, impact %q", r, Redrive(p).Impact)
	}
}

func TestNamesMayBeOdd(t *testing.T) {
	w := newWorld(t)
	w.capture()
	for i, name := range []string{"a%b", `q"uo'te`, "ünï", "a[b]?", "$x", "semi;x", "a,b", "tab\x01", "{j}", "back`tick", "<&", "-s", "@", "\x1b]0;x"} {
		stream := "s" + name
		if shown(name) != name {
			// The server acknowledges what is published to a stream with control
			// characters in its name with something that is not JSON.
			stream = "s" + strconv.Itoa(i)
		}
		w.stream(jetstream.StreamConfig{Name: stream, Subjects: []string{stream}, Retention: jetstream.WorkQueuePolicy})
		c := w.consumer(stream, name, 1)
		w.publish(stream, nil, name)
		w.giveUp(c, 1)
		q := Query{Stream: stream, Consumer: name}
		letters := w.letters(q, 1)
		p := w.plan(letters, Options{DeleteOriginal: true})
		if a := Redrive(p); !action.Accepts(a, a.Object) || strings.ContainsFunc(a.Object+a.Target+strings.Join(a.Impact, ""), func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("%q: action on %q cannot be shown and confirmed", name, a.Object)
		}
		if r := w.redrive(p); r.Stored != 1 || r.Deleted != 1 || len(r.Failures) != 0 {
			t.Errorf("%q: got %+v", name, r)
		}
		m := w.take(c, 1)[0]
		if got := m.Headers().Get(HeaderRedriveOf); got != stream+"/"+name+"/1" || string(m.Data()) != name {
			t.Errorf("%q: got copy of %q with %q", name, got, m.Data())
		}
		if shown, err := Show(t.Context(), w.js, key(stream, name), 1); err != nil || shown.Presence != Gone || shown.Cause != MaxDeliver {
			t.Errorf("%q: got %+v, %v", name, shown, err)
		}
	}
}

func TestAMessageThatTwoGaveUpIsCopiedOnce(t *testing.T) {
	w := newWorld(t)
	w.capture()
	w.stream(jetstream.StreamConfig{Name: "S"})
	w.publish("S.x", nil, "")
	for _, name := range []string{"w1", "w2"} {
		w.giveUp(w.consumer("S", name, 1), 1)
	}
	letters := w.letters(Query{}, 2)
	r := w.redrive(w.plan(letters, Options{}))
	if r.Stored != 1 || r.Skipped != 1 || w.state("S").LastSeq != 2 {
		t.Errorf("got %+v", r)
	}
	for _, l := range letters {
		if p := w.plan([]Letter{l}, Options{}); !strings.Contains(p.Steps[0].Skip, "sent again before") {
			t.Errorf("%s: got skip %q", l.ID(), p.Steps[0].Skip)
		}
	}
}

func TestWhatCannotBeSentIsSkippedAndTheReasonSaid(t *testing.T) {
	w := newWorld(t)
	w.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"old"}})
	for _, h := range []nats.Header{nil, {"Nats-Marker-Reason": {"MaxAge"}}, {"nats-schedule": {"@at 2030-01-01T00:00:00Z"}}} {
		w.publish("old", h, "payload")
	}
	w.consumer("S", "w", 1)
	letter := func(seq uint64) []Letter { return []Letter{{Key: key("S", "w"), Seq: seq, Cause: MaxDeliver}} }
	sealed := w.stream(jetstream.StreamConfig{Name: "SEALED"})
	cfg := sealed.CachedInfo().Config
	cfg.Sealed = true
	if _, err := w.js.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	w.stream(jetstream.StreamConfig{Name: "SMALL", MaxMsgSize: 40})
	w.stream(jetstream.StreamConfig{Name: "COUNT", AllowMsgCounter: true, AllowDirect: true})
	skip := func(seq uint64, to, want string) {
		t.Helper()
		s := w.plan(letter(seq), Options{To: to}).Steps[0]
		if !strings.Contains(s.Skip, want) || (want == "") != (s.Skip == "") {
			t.Errorf("message %d to %q: got skip %q, want %q", seq, to, s.Skip, want)
		}
	}
	skip(1, "", "")
	skip(2, "", "a mark")
	skip(3, "", "a schedule")
	skip(9, "", "the stream ends at sequence 3")
	skip(1, "nobody.home", "no stream takes nobody.home")
	skip(1, "SEALED.x", "sealed")
	skip(1, "SMALL.x", "stream SMALL allows 40")
	skip(1, "COUNT.x", "counters")

	cfg = jetstream.StreamConfig{Name: "S", Subjects: []string{"new"}}
	if _, err := w.js.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	skip(1, "", "no stream takes old any more")
	w.stream(jetstream.StreamConfig{Name: "T", Subjects: []string{"old"}})
	skip(1, "", "belongs to stream T now")
	skip(1, "new", "")
	for _, to := range []string{"a.*", "a..b", ">", "a b", ".a"} {
		if _, err := NewPlan(t.Context(), w.js, letter(1), Options{To: to}); !errors.Is(err, ErrSubject) {
			t.Errorf("to %q: got %v", to, err)
		}
	}
}

// outbox is a stream with three messages, and letters of them.
func (w *world) outbox() []Letter {
	w.Helper()
	w.stream(jetstream.StreamConfig{Name: "S"})
	var letters []Letter
	for range 3 {
		letters = append(letters, Letter{Key: key("S", "w"), Seq: w.publish("S.x", nil, "payload"), Cause: MaxDeliver})
	}
	return letters
}

func TestARefusedMessageDoesNotStopTheOthers(t *testing.T) {
	w := newWorld(t)
	letters := w.outbox()
	w.stream(jetstream.StreamConfig{Name: "T", MaxMsgs: 2, Discard: jetstream.DiscardNew})
	w.publish("T.y", nil, "")
	out, err := Redrive(w.plan(letters, Options{To: "T.x"})).Do(t.Context())
	r := out.Detail.(Report)
	if err == nil || r.Stored != 1 || len(r.Failures) != 2 || r.Failures[0].Class != ClassRefused || r.Unsent != 0 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestSilenceStopsARedrive(t *testing.T) {
	w := newWorld(t)
	letters := w.outbox()
	w.stream(jetstream.StreamConfig{Name: "T"})
	p := w.plan(letters, Options{To: "T.x"})
	if err := w.js.DeleteStream(t.Context(), "T"); err != nil {
		t.Fatal(err)
	}
	if err := Redrive(p).Check(t.Context()); !errors.Is(err, action.ErrChanged) {
		t.Errorf("the stream is gone, and the check says %v", err)
	}
	out, err := Redrive(p).Do(t.Context())
	r := out.Detail.(Report)
	if !errors.Is(err, ErrUnacknowledged) || len(r.Failures) != 1 || r.Failures[0].Class != ClassNoAck || r.Unsent != 2 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestACopyGoesToNoStreamButThePlanned(t *testing.T) {
	w := newWorld(t)
	letters := w.outbox()
	w.stream(jetstream.StreamConfig{Name: "T"})
	p := w.plan(letters[:1], Options{To: "T.x"})
	if err := w.js.DeleteStream(t.Context(), "T"); err != nil {
		t.Fatal(err)
	}
	w.stream(jetstream.StreamConfig{Name: "U", Subjects: []string{"T.>"}})
	out, err := Redrive(p).Do(t.Context())
	if r := out.Detail.(Report); err == nil || r.Stored != 0 || w.state("U").Msgs != 0 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestAMessageDeletedOnTheWayIsCounted(t *testing.T) {
	w := newWorld(t)
	p := w.plan(w.outbox(), Options{})
	s, err := w.js.Stream(t.Context(), "S")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteMsg(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if err := Redrive(p).Check(t.Context()); !errors.Is(err, action.ErrChanged) || !strings.Contains(err.Error(), "1 of the messages") {
		t.Errorf("got check %v", err)
	}
	out, err := Redrive(p).Do(t.Context())
	if r := out.Detail.(Report); err == nil || r.Stored != 2 || len(r.Failures) != 1 || r.Failures[0].Class != ClassGone {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestAnInterruptedRedriveSaysWhatWasDone(t *testing.T) {
	w := newWorld(t)
	p := w.plan(w.outbox(), Options{Rate: 0.001}) // the first at once, the second in a quarter of an hour
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for w.js.Conn().IsConnected() {
			if info, err := w.js.Stream(ctx, "S"); err != nil || info.CachedInfo().State.LastSeq == 4 {
				cancel()
				return
			}
		}
	}()
	out, err := Redrive(p).Do(ctx)
	if r := out.Detail.(Report); !errors.Is(err, context.Canceled) || r.Stored != 1 || r.Unsent != 2 || len(r.Failures) != 0 {
		t.Errorf("got %+v, %v", r, err)
	}
	// Once more, at full speed, does the rest.
	p.Options.Rate = 0
	if r := w.redrive(p); r.Stored != 2 || r.Duplicates != 1 || w.state("S").LastSeq != 6 {
		t.Errorf("again: got %+v", r)
	}
}

func TestCopiesAreSpacedByTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		for n := range 3 {
			if err := wait(t.Context(), begin, n, 4); err != nil {
				t.Fatal(err)
			}
			if got, want := time.Since(begin), time.Duration(n)*250*time.Millisecond; got != want {
				t.Errorf("copy %d: got %s, want %s", n, got, want)
			}
		}
	})
}

func TestNothingIsSentThatIsNotOnRecord(t *testing.T) {
	w := newWorld(t)
	a := Redrive(w.plan(w.outbox(), Options{}))
	door := action.Door{
		Confirm: action.Answered("S/w"), Now: time.Now, Who: "test",
		Audit: action.NewLog(t.TempDir()), // a directory, not a file
	}
	if _, err := door.Perform(t.Context(), a); !errors.Is(err, action.ErrAudit) || w.state("S").LastSeq != 3 {
		t.Errorf("got %v and %d messages, want 3", err, w.state("S").LastSeq)
	}
	door.Audit = action.NewLog(filepath.Join(t.TempDir(), "audit.jsonl"))
	if out, err := door.Perform(t.Context(), a); err != nil || out.Summary != "3 stored" || w.state("S").LastSeq != 6 {
		t.Errorf("got %+v, %v and %d messages, want 6", out, err, w.state("S").LastSeq)
	}
}
