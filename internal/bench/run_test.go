package bench

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// base is a run in which nothing happens by itself.
func base(w Workload) Config {
	return Config{
		Workload: w, Subject: "test.subject", Subjects: 1, Senders: 1, Receivers: 1,
		Size: 64, Payload: Payload{Kind: RandomPayload}, Timeout: time.Second, Rate: "test",
	}
}

func mustRun(t *testing.T, net *fakeNet, cfg Config) Result {
	t.Helper()
	res, err := Run(t.Context(), cfg, Env{Driver: net, Pacing: PacingTimer})
	if err != nil {
		t.Fatalf("Run(%+v): %v", cfg, err)
	}
	return res
}

// stalled delays what is published to subject in the given part of the run
// until the part's end: a server that stood still.
func stalled(subject string, from, to time.Duration) func(uint64, string, []byte) ([]time.Duration, []byte) {
	start := time.Now()
	return func(_ uint64, s string, data []byte) ([]time.Duration, []byte) {
		at := time.Since(start)
		if s == subject && at >= from && at < to {
			return []time.Duration{to - at}, data
		}
		return []time.Duration{0}, data
	}
}

// slow delays everything that is published to subject.
func slow(subject string, by time.Duration) func(uint64, string, []byte) ([]time.Duration, []byte) {
	return func(_ uint64, s string, data []byte) ([]time.Duration, []byte) {
		if s == subject {
			return []time.Duration{by}, data
		}
		return []time.Duration{0}, data
	}
}

// The arithmetic: of 10 s at 1000/s, a stall of 200 ms holds up 2 %, each
// between 0 and 200 ms, so p99 is 100 ms and p99.9 190 ms.
func TestStallIsChargedToEveryOperationThatItHeldUp(t *testing.T) {
	for _, w := range []Workload{Request, PubSub} {
		t.Run(string(w), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net := newFakeNet()
				net.fate = stalled("test.subject", 5*time.Second, 5200*time.Millisecond)
				cfg := base(w)
				cfg.Schedule, cfg.Duration = Constant(1000), 10*time.Second
				res := mustRun(t, net, cfg)
				if res.Sent != 10_000 || res.Received != 10_000 {
					t.Errorf("sent %d, received %d, want 10000 each", res.Sent, res.Received)
				}
				if res.Response.P50 > time.Microsecond {
					t.Errorf("p50 is %v where nothing takes any time", res.Response.P50)
				}
				within(t, "p99", res.Response.P99, 100*time.Millisecond)
				within(t, "p99.9", res.Response.P999, 190*time.Millisecond)
				if res.Loop != OpenLoop {
					t.Errorf("loop %q, want open", res.Loop)
				}
			})
		})
	}
}

func within(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if d := got - want; d < -want/20 || d > want/20 {
		t.Errorf("%s is %v, want %v within 5 %%", what, got, want)
	}
}

// A closed loop stands still with the server, so the same stall hits one
// operation only. The result says which loop it was.
func TestClosedLoopSaysThatItIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newFakeNet()
		stall := stalled("test.subject", 5*time.Second, 5200*time.Millisecond)
		net.fate = func(n uint64, s string, data []byte) ([]time.Duration, []byte) {
			delays, data := stall(n, s, data)
			delays[0] += time.Millisecond
			return delays, data
		}
		cfg := base(Request)
		cfg.Duration, cfg.Closed = 10*time.Second, true
		res := mustRun(t, net, cfg)
		if res.Loop != ClosedLoop || res.Response.P99 > 10*time.Millisecond || res.Response.Max < 190*time.Millisecond {
			t.Errorf("loop %q, p99 %v, max %v", res.Loop, res.Response.P99, res.Response.Max)
		}
		if want := uint64(10_000-200)/2 + 1; res.Sent < want-5 || res.Sent > want+5 {
			t.Errorf("%d requests, want about %d", res.Sent, want)
		}
	})
}

func TestWarmupIsNotMeasured(t *testing.T) {
	for _, w := range []Workload{Request, PubSub} {
		synctest.Test(t, func(t *testing.T) {
			net := newFakeNet()
			net.fate = stalled("test.subject", 100*time.Millisecond, 700*time.Millisecond)
			cfg := base(w)
			cfg.Schedule, cfg.Warmup, cfg.Duration = Constant(100), time.Second, 2*time.Second
			res := mustRun(t, net, cfg)
			if res.Sent != 200 || res.Received != 200 || res.Response.Max > time.Millisecond {
				t.Errorf("%s: sent %d, received %d, max %v; want 200, 200 and no stall", w, res.Sent, res.Received, res.Response.Max)
			}
			if res.RatePerS != 100 {
				t.Errorf("%s: rate %v/s, want 100", w, res.RatePerS)
			}
		})
	}
}

func TestEveryMessageIsAccountedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newFakeNet()
		const ms = time.Millisecond
		net.fate = func(_ uint64, _ string, data []byte) ([]time.Duration, []byte) {
			switch data[len(data)-9] { // the last byte of the sequence number
			case 10: // lost
				return nil, data
			case 20: // duplicated
				return []time.Duration{ms, ms}, data
			case 30: // late
				return []time.Duration{50 * ms}, data
			case 40: // damaged
				data[3] ^= 1
			}
			return []time.Duration{ms}, data
		}
		cfg := base(PubSub)
		cfg.Schedule, cfg.Msgs, cfg.Receivers = Constant(100), 100, 3
		begin := time.Now()
		res := mustRun(t, net, cfg)
		if took := time.Since(begin); took > 4*time.Second {
			t.Errorf("the run waited until %v for messages that were lost", took)
		}
		l := res.Ledger
		if res.Received != 294 || res.Response.Count != 294 {
			t.Errorf("received %d, %d of them measured; duplicates must not count", res.Received, res.Response.Count)
		}
		if l.Sent != 300 || l.Received != 294 || l.Lost != 6 || l.Duplicated != 3 || l.Reordered != 3 || l.Corrupt != 3 {
			t.Errorf("%+v", l.Tally)
		}
	})
}

func TestQueueGroupIsAccountedForAsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := base(PubSub)
		cfg.Schedule, cfg.Msgs, cfg.Senders, cfg.Receivers, cfg.Queue = Constant(1000), 1000, 2, 4, "workers"
		res := mustRun(t, newFakeNet(), cfg)
		if l := res.Ledger; l.Sent != 1000 || l.Received != 1000 || l.Lost != 0 || l.Duplicated != 0 || l.Reordered != 0 {
			t.Errorf("%+v", l.Tally)
		}
		if f := res.Fairness; f == nil || len(f.Shares) != 4 || f.Jain < 0.95 {
			t.Errorf("fairness %+v", f)
		}
	})
}

// Unpaced, the window is full of lost messages now and then; the run must go on
// and end, and the ledger must have noticed.
func TestClosedLoopSurvivesLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newFakeNet()
		net.fate = func(n uint64, _ string, data []byte) ([]time.Duration, []byte) {
			if n > 500 && n < 600 || n > 1990 {
				return nil, data
			}
			return []time.Duration{time.Millisecond}, data
		}
		cfg := base(PubSub)
		cfg.Msgs, cfg.InFlight = 2000, 10
		res := mustRun(t, net, cfg)
		if l := res.Ledger; l.Sent != 2000 || l.Lost < 100 || l.Received+l.Lost != l.Sent {
			t.Errorf("%+v", l.Tally)
		}
	})
}

func TestRequestsThatTimeOutCountInThePercentiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newFakeNet()
		net.fate = func(n uint64, s string, data []byte) ([]time.Duration, []byte) {
			if s == "test.subject" && n%20 == 0 {
				return nil, data
			}
			return []time.Duration{time.Millisecond}, data
		}
		cfg := base(Request)
		cfg.Schedule, cfg.Duration = Constant(1000), 2*time.Second
		res := mustRun(t, net, cfg)
		if res.Sent != res.Received+res.ErrorCount+res.Unfinished || res.ErrorCount == 0 {
			t.Errorf("sent %d, received %d, errors %d, unfinished %d", res.Sent, res.Received, res.ErrorCount, res.Unfinished)
		}
		if len(res.Errors) != 1 || res.Errors[0].Class != ClassTimeout {
			t.Errorf("errors %+v, want timeouts only", res.Errors)
		}
		if res.Response.P99 < cfg.Timeout {
			t.Errorf("p99 %v hides that 5 %% of the requests were given up after %v", res.Response.P99, cfg.Timeout)
		}
	})
}

func TestFailedRequestsAreRepeatedAndTheFirstAttemptCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newFakeNet()
		seen := map[byte]int{}
		net.fate = func(n uint64, s string, data []byte) ([]time.Duration, []byte) {
			if s == "test.subject" && n > 5 && n%3 == 0 && seen[0] < 10 {
				seen[0]++
				return nil, data
			}
			return []time.Duration{time.Millisecond}, data
		}
		cfg := base(Request)
		cfg.Schedule, cfg.Msgs, cfg.Retries, cfg.Timeout = Constant(100), 100, 5, 100*time.Millisecond
		res := mustRun(t, net, cfg)
		if res.Received != 100 || res.ErrorCount != 0 || res.Retries != 10 {
			t.Errorf("received %d, errors %v, retries %d; want 100, none, 10", res.Received, res.Errors, res.Retries)
		}
		if res.Response.Max < cfg.Timeout {
			t.Errorf("max %v leaves out the failed attempt of %v", res.Response.Max, cfg.Timeout)
		}
	})
}

func TestReplyAfterTheTimeoutIsNobodysReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newFakeNet()
		net.fate = slow("test.subject", 300*time.Millisecond)
		cfg := base(Request)
		cfg.Schedule, cfg.Duration, cfg.Timeout = Constant(100), time.Second, 200*time.Millisecond
		// The probe would never come back in time, so let a stranger answer.
		_, err := Run(t.Context(), cfg, Env{Driver: net, Pacing: PacingTimer})
		if err == nil || !strings.Contains(err.Error(), "responders") {
			t.Errorf("Run = %v, want that the responders were not reached", err)
		}
	})
}

func TestOperationsThatCouldNotBeginAreMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newFakeNet()
		net.fate = slow("test.subject", 100*time.Millisecond)
		cfg := base(Request)
		cfg.Schedule, cfg.Duration, cfg.InFlight = Constant(100), 3*time.Second, 1
		res := mustRun(t, net, cfg)
		if res.Sent+res.Missed != 300 || res.Missed < 200 {
			t.Errorf("sent %d, missed %d; want 300 together, most of them missed", res.Sent, res.Missed)
		}
		if res.Response.P99 < time.Second {
			t.Errorf("p99 %v does not show how late requests began", res.Response.P99)
		}
		if res.Limit.By != "window" {
			t.Errorf("limit %+v, want the window", res.Limit)
		}
	})
}

// A load that is too much leaves a backlog in the warm-up. The measured part
// must not be spent on it: it would say that nothing was sent.
func TestFewerMessagesThanClientsAreSentOnce(t *testing.T) {
	for _, w := range []Workload{Pub, PubSub, Request} {
		for _, rate := range []Schedule{nil, Constant(100)} {
			synctest.Test(t, func(t *testing.T) {
				cfg := base(w)
				cfg.Msgs, cfg.Senders, cfg.Schedule = 3, 5, rate
				if res := mustRun(t, newFakeNet(), cfg); res.Sent != 3 {
					t.Errorf("%s, schedule %v: sent %d, want 3", w, rate, res.Sent)
				}
			})
		}
	}
}

func TestPacedPublishingHasTheRateThatWasAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := base(Pub)
		cfg.Schedule, cfg.Duration = Constant(2), time.Second
		if res := mustRun(t, newFakeNet(), cfg); res.RatePerS != 2 || res.ElapsedNS != int64(time.Second) {
			t.Errorf("rate %v/s over %v, want 2/s over 1s", res.RatePerS, time.Duration(res.ElapsedNS))
		}
	})
}

func TestBacklogOfTheWarmupIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newFakeNet()
		net.fate = slow("test.subject", 100*time.Millisecond)
		cfg := base(Request)
		cfg.Schedule, cfg.Warmup, cfg.Duration, cfg.InFlight = Constant(1000), 2*time.Second, 2*time.Second, 10
		res := mustRun(t, net, cfg)
		if res.Sent < 200 || res.Sent+res.Missed != 2000 {
			t.Errorf("sent %d, missed %d; want at least 200 of 2000 sent", res.Sent, res.Missed)
		}
	})
}

func TestInterruptedRunReturnsWhatItMeasured(t *testing.T) {
	for _, w := range []Workload{Pub, PubSub, Request} {
		t.Run(string(w), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cause := errors.New("ctrl-c")
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(2500*time.Millisecond, func() { cancel(cause) })
				cfg := base(w)
				cfg.Schedule, cfg.Duration = Constant(100), time.Hour
				begin := time.Now()
				res, err := Run(ctx, cfg, Env{Driver: newFakeNet(), Pacing: PacingTimer})
				if !errors.Is(err, cause) || !res.Interrupted {
					t.Errorf("Run = %v, interrupted %v", err, res.Interrupted)
				}
				if res.Sent < 249 || res.Sent > 251 {
					t.Errorf("sent %d in 2.5 s at 100/s", res.Sent)
				}
				if took := time.Since(begin); took > 3*time.Second {
					t.Errorf("it took %v after an interrupt at 2.5 s", took)
				}
			})
		})
	}
}

// What arrives after an interrupt is accounted for, but is not throughput.
func TestArrivalsAfterAnInterruptAreNotThroughput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newFakeNet()
		net.fate = func(n uint64, _ string, data []byte) ([]time.Duration, []byte) {
			if n < 5 {
				return []time.Duration{0}, data // probes
			}
			return []time.Duration{400 * time.Millisecond}, data
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		cfg := base(PubSub)
		cfg.Schedule, cfg.Duration = Constant(100), time.Hour
		res, _ := Run(ctx, cfg, Env{Driver: net, Pacing: PacingTimer})
		if res.Ledger.Lost != 0 || res.RatePerS < 75 || res.RatePerS > 85 {
			t.Errorf("lost %d, rate %v/s; want none, and 80/s: 1.6 s of 100/s in 2 s", res.Ledger.Lost, res.RatePerS)
		}
	})
}

// An error that the service itself gave will be given again.
func TestOnlyFailuresThatMayPassAreRepeated(t *testing.T) {
	for class, want := range map[ErrorClass]uint64{ClassService: 0, ClassNoResponders: 20} {
		synctest.Test(t, func(t *testing.T) {
			net := newFakeNet()
			net.failed = func(n uint64) ErrorClass {
				if n > 4 {
					return class
				}
				return ClassNone
			}
			cfg := base(Request)
			cfg.Schedule, cfg.Msgs, cfg.Retries = Constant(10), 10, 2
			res := mustRun(t, net, cfg)
			if res.Retries != want || res.ErrorCount != 10 || res.Errors[0].Class != class {
				t.Errorf("%s: %d retries, errors %+v; want %d retries and 10 errors", class, res.Retries, res.Errors, want)
			}
		})
	}
}

func TestRefusedMessagesAreErrorsAndNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newFakeNet()
		net.refuse = func(n uint64) error {
			if n > 100 && n <= 150 {
				return errRefused
			}
			return nil
		}
		cfg := base(PubSub)
		cfg.Schedule, cfg.Duration = Constant(100), 3*time.Second
		res := mustRun(t, net, cfg)
		if res.ErrorCount != 50 || res.Sent != 250 || res.Ledger.Sent != 250 || res.Ledger.Lost != 0 {
			t.Errorf("errors %v, sent %d, ledger %+v", res.Errors, res.Sent, res.Ledger.Tally)
		}
		if res.Errors[0].Class != ClassDisconnected || res.Errors[0].Example == "" {
			t.Errorf("errors %+v", res.Errors)
		}
	})
}

func TestTooLargeMessagesAreRefusedBeforeAnythingIsSent(t *testing.T) {
	net := newFakeNet()
	net.maxPayload = 63
	cfg := base(Pub)
	cfg.Msgs = 10
	_, err := Run(t.Context(), cfg, Env{Driver: net})
	if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "max_payload of 63") {
		t.Errorf("Run = %v", err)
	}
	if n := net.next.Load(); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
}

func TestMissingPermissionEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newFakeNet()
		net.refuse = func(n uint64) error {
			if n > 50 {
				return errForbidden
			}
			return nil
		}
		cfg := base(Pub)
		cfg.Schedule, cfg.Duration = Constant(100), time.Hour
		res, err := Run(t.Context(), cfg, Env{Driver: net, Pacing: PacingTimer})
		if !errors.Is(err, ErrDenied) || res.Sent != 50 || res.Interrupted {
			t.Errorf("Run = %v, sent %d, interrupted %v", err, res.Sent, res.Interrupted)
		}
	})
}

// Clients must not fire in lockstep: with 10 clients at 100/s something begins
// every 10 ms.
func TestClientsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newFakeNet()
		var last time.Time
		var gaps []time.Duration
		net.fate = func(_ uint64, _ string, data []byte) ([]time.Duration, []byte) {
			if !last.IsZero() {
				gaps = append(gaps, time.Since(last))
			}
			last = time.Now()
			return nil, data
		}
		cfg := base(Pub)
		cfg.Schedule, cfg.Duration, cfg.Senders = Constant(100), time.Second, 10
		mustRun(t, net, cfg)
		if len(gaps) != 99 {
			t.Fatalf("%d messages, want 100", len(gaps)+1)
		}
		for _, g := range gaps {
			if g < 9*time.Millisecond || g > 11*time.Millisecond {
				t.Fatalf("gaps of %v, want 10ms each", gaps)
			}
		}
	})
}

func TestSubEndsWhenNothingComesAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newFakeNet()
		cfg := base(Sub)
		cfg.Msgs, cfg.Idle = 1000, 2*time.Second
		go func() {
			time.Sleep(time.Second)
			c, _ := net.Connect(t.Context(), "", nil)
			for range 999 { // one is missing
				_ = c.Publish("test.subject", "", []byte("x"))
			}
		}()
		begin := time.Now()
		res := mustRun(t, net, cfg)
		if res.Received != 999 || time.Since(begin) > 4*time.Second {
			t.Errorf("received %d after %v", res.Received, time.Since(begin))
		}
	})
}
