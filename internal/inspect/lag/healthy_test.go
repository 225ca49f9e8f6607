package lag

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/natsops/natsops/internal/inspect"
)

// A workplace is a model of a stream, its consumer and the workers behind it, in
// steps of 10ms.
type workplace struct {
	kind     string
	parallel int           // jobs at the same time
	job      time.Duration // that one takes
	each     time.Duration // between two pulls, of a worker with a timer
	batch    int
	slots    int // max_ack_pending

	now       time.Time
	arrivals  []time.Time // of the messages, by sequence from 1 on
	delivered int
	acked     map[int]bool
	floor     int
	jobs      []job
	nextPull  time.Time
	lastD     *time.Time
	lastA     *time.Time
	waiting   int
}

type job struct {
	seq  int
	done time.Time
}

const tick = 10 * time.Millisecond

func (w *workplace) step(arrive int) {
	w.now = w.now.Add(tick)
	for range arrive {
		w.arrivals = append(w.arrivals, w.now)
	}
	var left []job
	for _, j := range w.jobs {
		if j.done.After(w.now) {
			left = append(left, j)
			continue
		}
		w.acked[j.seq] = true
		at := w.now
		w.lastA = &at
	}
	w.jobs = left
	for w.acked[w.floor+1] {
		delete(w.acked, w.floor+1)
		w.floor++
	}
	w.pull()
}

func (w *workplace) pull() {
	want := w.parallel - len(w.jobs)
	w.waiting = 0
	if w.kind == "timer" {
		want = 0
		if !w.now.Before(w.nextPull) {
			want, w.nextPull = w.batch, w.now.Add(w.each)
		}
	}
	want = min(want, w.slots-len(w.jobs))
	for range min(want, len(w.arrivals)-w.delivered) {
		w.delivered++
		at := w.now
		w.lastD = &at
		// One after the other, as far as there are workers.
		turn := len(w.jobs)/w.parallel + 1
		w.jobs = append(w.jobs, job{w.delivered, w.now.Add(time.Duration(turn) * w.job)})
		want--
	}
	if w.kind != "timer" && want > 0 {
		w.waiting = want
	}
}

func (w *workplace) consumer() inspect.Consumer {
	s := consumer("S", "C")
	c := s.consumer(0)
	c.Config.MaxAckPending = w.slots
	c.At, c.Timestamp = w.now, w.now
	c.NumPending, c.NumAckPending, c.NumWaiting = uint64(len(w.arrivals)-w.delivered), len(w.jobs), w.waiting
	c.Delivered = inspect.Sequences{Consumer: uint64(w.delivered), Stream: uint64(w.delivered), Last: w.lastD}
	c.AckFloor = inspect.Sequences{Consumer: uint64(w.floor), Stream: uint64(w.floor), Last: w.lastA}
	return c
}

func (w *workplace) stream() inspect.Stream {
	s := consumer("S", "C").stream(0)
	s.At = w.now
	n := uint64(len(w.arrivals))
	s.State = inspect.StreamState{Messages: n, Bytes: 100 * n, FirstSeq: 1, LastSeq: n}
	if n > 0 {
		s.State.FirstTime, s.State.LastTime = w.arrivals[0], w.arrivals[n-1]
	}
	return s
}

func (w *workplace) oldest() inspect.Oldest {
	if w.floor >= len(w.arrivals) {
		return inspect.Oldest{}
	}
	return inspect.Oldest{Found: true, Seq: uint64(w.floor + 1), Subject: "a", At: w.arrivals[w.floor]}
}

// Whoever is woken for a consumer that is well will not look the next time. The
// workers keep up here, whether they wait for messages, pull on a timer or take
// long for each, and whatever comes in a burst is done within seconds.
func TestConsumersThatKeepUpRaiseNoAlarm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &workplace{
			kind: rapid.SampledFrom([]string{"waits", "timer", "long jobs", "much in flight"}).Draw(t, "kind"), now: start, nextPull: start,
			acked: map[int]bool{}, parallel: rapid.IntRange(1, 8).Draw(t, "parallel"), batch: 2000,
			slots: rapid.SampledFrom([]int{1, 4, 1000}).Draw(t, "max_ack_pending"),
		}
		var most float64 // that the workers manage, a second
		switch w.kind {
		case "timer":
			w.each = time.Duration(rapid.IntRange(500, 8000).Draw(t, "each")) * time.Millisecond
			w.slots, most = 2000, 50
		case "long jobs":
			w.job = time.Duration(rapid.IntRange(500, 4000).Draw(t, "job")) * time.Millisecond
			most = float64(min(w.parallel, w.slots)) / w.job.Seconds()
		case "much in flight":
			w.job, w.parallel, w.slots = 100*time.Millisecond, 500, 1000
			most = 5000
		default:
			w.job = tick
			most = float64(min(w.parallel, w.slots)) * 100
		}
		load := rapid.Float64Range(0, 0.5).Draw(t, "load") * most
		burst := 0
		if w.kind == "waits" {
			burst = rapid.IntRange(0, int(5*most*0.5)).Draw(t, "burst")
		}
		skew := rapid.IntRange(-5, 5).Draw(t, "skew") // of the stream's state, in ticks
		n := rapid.SampledFrom([]int{2, 3, 6, 10}).Draw(t, "samples")
		random := rapid.Uint64().Draw(t, "seed")

		var window []*inspect.Snapshot
		var stream inspect.Stream
		for i := range 6000 {
			random = random*6364136223846793005 + 1442695040888963407
			whole, part := math.Modf(load * tick.Seconds())
			arrive := int(whole)
			if float64(random>>11)/(1<<53) < part {
				arrive++
			}
			if i == 3000 {
				arrive += burst
			}
			w.step(arrive)
			if (i+skew)%100 == 50 {
				stream = w.stream()
			}
			if i%100 != 50 || i < 100 {
				continue
			}
			s := &inspect.Snapshot{At: w.now, Consumers: []inspect.Consumer{w.consumer()}, Streams: []inspect.Stream{stream}}
			window = append(window, s)
			window = window[max(0, len(window)-n):]
			oldest := map[inspect.Key]inspect.Oldest{}
			for _, l := range Lookups(s, DefaultThresholds(), 10) {
				oldest[l.Key] = w.oldest()
			}
			for from := range window {
				if v := Judge(window[from:], oldest, DefaultThresholds())[0]; v.Severity >= inspect.Warn {
					t.Fatalf("after %s: %s %s %s: %s\n%+v\n%+v", w.now.Sub(start), v.Status, v.Severity, v.Confidence, v.Advice, v.Evidence, v.OldestAge)
				}
			}
		}
	})
}
