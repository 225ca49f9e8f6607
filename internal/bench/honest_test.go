package bench

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// publishLater publishes to the subject of base, a message a second, as somebody
// else.
func publishLater(t *testing.T, net *fakeNet, messages ...string) {
	t.Helper()
	go func() {
		c, err := net.Connect(t.Context(), "", nil)
		if err != nil {
			t.Error(err)
		}
		for _, m := range messages {
			time.Sleep(time.Second)
			if err := c.Publish("test.subject", "", []byte(m)); err != nil {
				t.Error(err)
			}
		}
	}()
}

// Throughput is not a size that was asked for times a count.
func TestThroughputCountsTheBytesThatArrived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newFakeNet()
		cfg := base(Sub)
		cfg.Idle = 5 * time.Second
		publishLater(t, net, strings.Repeat("x", 1000), strings.Repeat("x", 3000))
		res := mustRun(t, net, cfg)
		if res.RatePerS != 1 || res.BytesPerS != 4000 || res.Received != 2 {
			t.Errorf("rate %v/s, %v bytes/s, received %d; want two messages one second apart", res.RatePerS, res.BytesPerS, res.Received)
		}
	})
}

func TestOneMessageHasNoRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newFakeNet()
		cfg := base(Sub)
		cfg.Msgs, cfg.Idle = 1, 5*time.Second
		publishLater(t, net, "x")
		res := mustRun(t, net, cfg)
		warned := slices.ContainsFunc(res.Warnings, func(w string) bool { return strings.Contains(w, "too short") })
		if res.Received != 1 || res.RatePerS != 0 || !warned {
			t.Errorf("received %d, rate %v/s, warnings %q", res.Received, res.RatePerS, res.Warnings)
		}
	})
}

func TestReplyIsNotReadForErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := []byte("-ERR this has an error in it")
		cfg := base(Request)
		cfg.Schedule, cfg.Msgs = Constant(100), 10
		cfg.Payload, cfg.Size = Payload{Kind: FilePayload, Data: text}, len(text)
		if res := mustRun(t, newFakeNet(), cfg); res.Received != 10 || res.ErrorCount != 0 {
			t.Errorf("received %d, errors %+v", res.Received, res.Errors)
		}
	})
}

// However slow the rate and however many the clients, the load takes as long as
// was asked for.
func TestDurationIsADuration(t *testing.T) {
	for _, clients := range []int{1, 10} {
		synctest.Test(t, func(t *testing.T) {
			cfg := base(Request)
			cfg.Schedule, cfg.Duration, cfg.Senders = Constant(1), 11*time.Second, clients
			begin := time.Now()
			res := mustRun(t, newFakeNet(), cfg)
			took := time.Since(begin)
			if res.Sent != 11 || res.ElapsedNS != int64(11*time.Second) || took < 10*time.Second || took > 11*time.Second {
				t.Errorf("%d clients: %d requests in a run of %v", clients, res.Sent, took)
			}
		})
	}
}

// When the client holds up the sender, the operations behind it begin late, and
// the result says how late.
func TestLatenessOfTheGeneratorIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newFakeNet()
		net.refuse = func(n uint64) error {
			if n == 100 {
				time.Sleep(500 * time.Millisecond)
			}
			return nil
		}
		cfg := base(PubSub)
		cfg.Schedule, cfg.Duration = Constant(100), 2*time.Second
		res := mustRun(t, net, cfg)
		late := res.Generator.Lateness
		if late == nil || late.Count != 200 || late.P50 > time.Microsecond || late.Max < 480*time.Millisecond {
			t.Fatalf("lateness %+v", late)
		}
		if res.Response.Max < late.Max {
			t.Errorf("response max %v leaves out a lateness of %v", res.Response.Max, late.Max)
		}
	})
}

// The last requests have as many attempts as all others, however long those take.
func TestTheEndWaitsForEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newFakeNet()
		net.fate = func(n uint64, s string, data []byte) ([]time.Duration, []byte) {
			if s == "test.subject" && n > 2 { // the first is a probe, the second its reply
				return nil, data
			}
			return []time.Duration{time.Millisecond}, data
		}
		cfg := base(Request)
		cfg.Msgs, cfg.InFlight, cfg.Retries, cfg.Timeout, cfg.Closed = 3, 3, 3, 5*time.Second, true
		res := mustRun(t, net, cfg)
		if res.ErrorCount != 3 || res.Retries != 9 || res.Unfinished != 0 || res.Response.Min < 20*time.Second {
			t.Errorf("%d errors, %d retries, %d unfinished, response %v; want 3 that took 4 times 5 s", res.ErrorCount, res.Retries, res.Unfinished, res.Response)
		}
	})
}
