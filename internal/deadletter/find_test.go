package deadletter

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/hint"
)

func TestAdvisoriesInAStreamNameWhatWasGivenUpAndWhy(t *testing.T) {
	w := newWorld(t)
	w.capture()
	s := w.stream(jetstream.StreamConfig{Name: "S"})
	c := w.consumer("S", "w", 2)
	for _, payload := range []string{"a", "bb", "ccc", "dddd"} {
		w.publish("S.x", nats.Header{"Name": {payload}}, payload)
	}
	ms := w.take(c, 1)
	if err := ms[0].TermWithReason("unreadable"); err != nil {
		t.Fatal(err)
	}
	w.settled(c)
	w.take(c, 1)
	if err := s.DeleteMsg(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	w.settled(c) // the deleted message is owed no more
	if err := w.take(c, 1)[0].DoubleAck(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.giveUp(c, 1)

	letters := w.letters(Query{}, 3)
	want := []string{"S/w/4 max_deliver present advisory", "S/w/2 evicted gone advisory", "S/w/1 terminated present advisory"}
	if diff := cmp.Diff(want, ids(letters)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	l := letters[0]
	if l.Deliveries != 2 || l.Subject != "S.x" || l.Size != 4 || l.Header.Get("Name") != "dddd" || l.Stored.IsZero() || !l.GivenUp.After(l.Stored) {
		t.Errorf("got %+v", l)
	}
	if got := letters[2].Reason; got != "unreadable" {
		t.Errorf("got reason %q", got)
	}
	if got := letters[1].Why; !strings.Contains(got, "deleted") {
		t.Errorf("got gone because %q", got)
	}
	r := w.find(Query{})
	if !slices.Equal(r.Captures, []string{"ADVISORIES"}) || r.Remedy != "" || len(r.Unidentified) != 0 {
		t.Errorf("got captures %v, remedy %q, unidentified %v", r.Captures, r.Remedy, r.Unidentified)
	}
}

func TestAQueryChoosesByNameTimeAndNumber(t *testing.T) {
	w := newWorld(t)
	w.capture()
	for _, name := range []string{"S", "T", "a[b]?"} {
		w.stream(jetstream.StreamConfig{Name: name, Subjects: []string{"x" + name + ".>"}})
		for _, consumer := range []string{"w1", "w2"} {
			c := w.consumer(name, consumer, 1)
			w.publish("x"+name+".x", nil, "")
			w.giveUp(c, int(w.state(name).LastSeq))
		}
	}
	w.letters(Query{}, 9)
	for _, c := range []struct {
		q    Query
		want int
	}{
		{Query{Stream: "S"}, 3},
		{Query{Stream: "[ST]"}, 6},
		{Query{Stream: "a[b]?"}, 3},
		{Query{Consumer: "w1"}, 3},
		{Query{Stream: "T", Consumer: "w?"}, 3},
		{Query{Stream: "T", Consumer: "x*"}, 0},
		{Query{Since: time.Now().Add(-time.Hour)}, 9},
		{Query{Since: time.Now().Add(time.Hour)}, 0},
	} {
		if got := w.find(c.q); len(got.Letters) != c.want || got.More {
			t.Errorf("%+v: got %d letters, more %t, want %d", c.q, len(got.Letters), got.More, c.want)
		}
	}
	all := w.find(Query{}).Letters
	r := w.find(Query{Limit: 4})
	if diff := cmp.Diff(ids(all[:4]), ids(r.Letters)); diff != "" || !r.More {
		t.Errorf("more %t (-want +got):\n%s", r.More, diff)
	}
	if r, err := Find(t.Context(), w.js, Query{Budget: 3}); err != nil || len(r.Gaps) != 1 || !strings.Contains(r.Gaps[0].Remedy, "--budget") {
		t.Errorf("a small budget: got %+v, %v", r.Gaps, err)
	}
	if _, err := Find(t.Context(), w.js, Query{Stream: "[x"}); err == nil || hint.Of(err) == "" {
		t.Errorf("a bad pattern: got %v", err)
	}
	if _, err := Find(t.Context(), w.js, Query{Stream: "ADVISORIEZ"}); !errors.Is(err, jetstream.ErrStreamNotFound) || hint.Of(err) != "ADVISORIES" {
		t.Errorf("a wrong name: got %v (try %s)", err, hint.Of(err))
	}
}

func TestAWorkQueueShowsWhatWasGivenUpWithoutAdvisories(t *testing.T) {
	for _, maxDeliver := range []int{1, 2} {
		w := newWorld(t)
		w.stream(jetstream.StreamConfig{Name: "Q", Retention: jetstream.WorkQueuePolicy})
		c := w.consumer("Q", "w", maxDeliver, "Q.a", "Q.b")
		w.consumer("Q", "idle", maxDeliver, "Q.c")
		for range 2 {
			for _, subject := range []string{"Q.a", "Q.b", "Q.c"} {
				w.publish(subject, nil, "payload")
			}
		}
		ms := w.take(c, 2)
		if err := errors.Join(ms[0].Term(), ms[1].Ack()); err != nil {
			t.Fatal(err)
		}
		w.settled(c)
		w.giveUp(c, 2)
		w.publish("Q.a", nil, "nobody asked for it yet")
		want := []string{"Q/w/4 max_deliver present inspection", "Q/w/5 max_deliver present inspection"}
		r := w.find(Query{})
		if diff := cmp.Diff(want, ids(r.Letters)); diff != "" {
			t.Errorf("max_deliver %d (-want +got):\n%s", maxDeliver, diff)
		}
		if l := r.Letters[0]; l.Deliveries != maxDeliver || !l.GivenUp.IsZero() || l.Subject != "Q.a" || l.Size != 7 {
			t.Errorf("max_deliver %d: got %+v", maxDeliver, l)
		}
		if len(r.Unidentified) != 0 || r.Remedy != RemedyCapture {
			t.Errorf("max_deliver %d: got unidentified %v, remedy %q", maxDeliver, r.Unidentified, r.Remedy)
		}
	}
}

func TestWorkInProgressIsNotTakenForGivenUp(t *testing.T) {
	w := newWorld(t)
	w.stream(jetstream.StreamConfig{Name: "Q", Retention: jetstream.WorkQueuePolicy})
	c := w.consumer("Q", "w", 1)
	for range 3 {
		w.publish("Q.x", nil, "")
	}
	w.giveUp(c, 2)
	// From here on the consumer waits long, so that the third message stays in work.
	cfg := w.info(c).Config
	cfg.AckWait = time.Hour
	c, err := w.js.UpdateConsumer(t.Context(), "Q", cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.take(c, 1)
	r := w.find(Query{})
	for _, l := range r.Letters {
		if l.Seq == 3 {
			t.Errorf("message 3 is being worked on: %+v", l)
		}
	}
	// Two were given up: named, or counted.
	n := uint64(len(r.Letters))
	for _, u := range r.Unidentified {
		n += u.AtLeast
	}
	if n != 2 {
		t.Errorf("got letters %v and unidentified %+v, want 2 in all", ids(r.Letters), r.Unidentified)
	}
}

func TestAnInterestStreamBlamesNobodyWhileOthersMayNeedTheMessage(t *testing.T) {
	w := newWorld(t)
	w.stream(jetstream.StreamConfig{Name: "I", Retention: jetstream.InterestPolicy})
	c := w.consumer("I", "w", 2, "I.a", "I.b")
	slow := w.consumer("I", "slow", 0, "I.a")
	w.publish("I.a", nil, "")
	w.publish("I.b", nil, "")
	w.giveUp(c, 2)
	r := w.find(Query{})
	if diff := cmp.Diff([]string{"I/w/2 max_deliver present inspection"}, ids(r.Letters)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(r.Unidentified) != 1 || r.Unidentified[0].AtLeast != 1 || !strings.Contains(r.Unidentified[0].Why, "other consumers") {
		t.Errorf("got unidentified %+v, want 1", r.Unidentified)
	}
	if err := w.take(slow, 1)[0].DoubleAck(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.letters(Query{}, 2); got[0].Seq != 1 {
		t.Errorf("nobody else needs message 1 now: got %v", ids(got))
	}
}

func TestAStreamThatKeepsAllTellsOnlyHowMany(t *testing.T) {
	w := newWorld(t)
	w.stream(jetstream.StreamConfig{Name: "S"})
	c := w.consumer("S", "w", 2)
	for range 3 {
		w.publish("S.x", nil, "")
	}
	w.giveUp(c, 3)
	r := w.find(Query{})
	if len(r.Letters) != 0 || len(r.Unidentified) != 1 || r.Unidentified[0].Key != key("S", "w") || r.Unidentified[0].AtLeast != 3 {
		t.Errorf("got %v and %+v", ids(r.Letters), r.Unidentified)
	}
	// The remedy works: what is given up from then on is named.
	match := regexp.MustCompile(`^nats stream add (\w+) --subjects='([^']+)' `).FindStringSubmatch(r.Remedy)
	if match == nil {
		t.Fatalf("got remedy %q", r.Remedy)
	}
	w.stream(jetstream.StreamConfig{Name: match[1], Subjects: strings.Split(match[2], ",")})
	w.publish("S.x", nil, "")
	w.giveUp(c, 1)
	w.letters(Query{}, 1)
	if r := w.find(Query{}); r.Remedy != "" || len(r.Unidentified) != 1 || r.Unidentified[0].AtLeast != 3 {
		t.Errorf("got remedy %q, unidentified %+v", r.Remedy, r.Unidentified)
	}
}

func TestWhatAConsumerDoesNotCountIsUnknownAndNotZero(t *testing.T) {
	w := newWorld(t)
	w.stream(jetstream.StreamConfig{Name: "S"})
	c := w.consumer("S", "w", 1)
	w.publish("S.x", nil, "")
	w.giveUp(c, 1)
	r, err := Find(t.Context(), w.js, Query{})
	if err != nil || len(r.Gaps) != 1 || !strings.Contains(r.Gaps[0].Why, "max_deliver 1") {
		t.Errorf("got gaps %+v, %v", r.Gaps, err)
	}
}

func TestAStreamMadeAnewDoesNotHoldTheOldMessages(t *testing.T) {
	w := newWorld(t)
	w.capture()
	for range 2 {
		w.stream(jetstream.StreamConfig{Name: "S"})
		w.giveUpOne("S")
		w.letters(Query{}, 1)
		if err := w.js.DeleteStream(t.Context(), "S"); err != nil {
			t.Fatal(err)
		}
	}
	if l := w.letters(Query{}, 1)[0]; l.Presence != Gone || !strings.Contains(l.Why, "no such stream") {
		t.Errorf("a deleted stream: got %s, %q", l.Presence, l.Why)
	}
	w.stream(jetstream.StreamConfig{Name: "S"})
	w.publish("S.x", nil, "another")
	if l := w.letters(Query{}, 1)[0]; l.Presence != Gone || !strings.Contains(l.Why, "made anew") {
		t.Errorf("a new stream: got %s, %q", l.Presence, l.Why)
	}
}

// giveUpOne publishes a message that a consumer w then gives up.
func (w *world) giveUpOne(stream string) {
	w.Helper()
	c := w.consumer(stream, "w", 1)
	w.publish(stream+".x", nil, "one")
	w.giveUp(c, 1)
}

func TestLookingAltersNothing(t *testing.T) {
	w := newWorld(t)
	w.capture()
	w.stream(jetstream.StreamConfig{Name: "Q", Retention: jetstream.WorkQueuePolicy})
	w.stream(jetstream.StreamConfig{Name: "I", Retention: jetstream.InterestPolicy})
	for _, name := range []string{"Q", "I"} {
		w.giveUpOne(name)
	}
	letters := w.letters(Query{}, 2)
	before := w.everything()
	w.find(Query{})
	if _, err := Show(t.Context(), w.js, letters[0].Key, letters[0].Seq); err != nil {
		t.Fatal(err)
	}
	w.plan(letters, Options{DeleteOriginal: true})
	if diff := cmp.Diff(before, w.everything()); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

// everything is the state of all streams and consumers.
func (w *world) everything() map[string]any {
	w.Helper()
	all := map[string]any{}
	for s := range w.js.ListStreams(w.Context()).Info() {
		all[s.Config.Name] = s.State
		stream, err := w.js.Stream(w.Context(), s.Config.Name)
		if err != nil {
			w.Fatal(err)
		}
		for c := range stream.ListConsumers(w.Context()).Info() {
			all[c.Stream+"/"+c.Name] = []any{c.Delivered.Stream, c.Delivered.Consumer, c.AckFloor.Stream, c.NumAckPending, c.NumRedelivered, c.NumPending, c.NumWaiting}
		}
	}
	return all
}
