package sample

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// seen is what the server says of a scenario.
type seen struct {
	jetstream.ConsumerInfo
	stream jetstream.StreamState
}

// waits returns how many messages are unfinished.
func (s seen) waits() int { return int(s.NumPending) + s.NumAckPending }

// facts says what must be true of the settled scenarios: that which makes
// natsops lag come to its conclusion.
func facts() map[string]func(seen) bool {
	flows := func(s seen) bool { return s.Delivered.Consumer >= 10 && s.waits() < 100 }
	abandoned := func(s seen) bool {
		return s.NumPending > 0 && s.NumAckPending == 0 && s.NumWaiting == 0 && !s.PushBound
	}
	exhausted := func(s seen) bool { // five messages had two deliveries more than the others
		return flows(s) && s.NumRedelivered == 5 && s.NumAckPending < 5 && s.Config.MaxDeliver == 3 && s.Delivered.Consumer >= s.Delivered.Stream+10
	}
	return map[string]func(seen) bool{
		"ok":             flows,
		"filtered":       func(s seen) bool { return flows(s) && s.Delivered.Stream > 2*s.Delivered.Consumer },
		"idle":           func(s seen) bool { return s.waits() == 0 && s.Delivered.Consumer == 20 && s.stream.LastSeq == 20 },
		"work-queue":     flows,
		"slow-job":       func(s seen) bool { return s.waits() <= 2 && s.Delivered.Consumer >= 1 },
		"long-job":       func(s seen) bool { return s.NumAckPending == 1 && s.NumWaiting == 0 && s.NumPending >= 8 },
		"fetch-one":      flows,
		"ack-none":       func(s seen) bool { return flows(s) && s.Config.AckPolicy == jetstream.AckNonePolicy },
		"ordered":        func(s seen) bool { return flows(s) && s.Config.Durable == "" },
		"push":           func(s seen) bool { return flows(s) && s.PushBound },
		"falling-behind": func(s seen) bool { return s.NumPending >= 300 && s.AckFloor.Consumer > 0 && s.NumAckPending < 100 },
		"draining":       func(s seen) bool { return s.waits() > 20_000 && s.AckFloor.Consumer > 0 },
		"steady-lag":     func(s seen) bool { return s.waits() > 4_000 && s.waits() < 6_000 && s.AckFloor.Consumer > 0 },
		"ack-bound":      func(s seen) bool { return s.NumAckPending >= 38 && s.NumPending > 0 && s.AckFloor.Consumer > 0 },
		"no-clients":     func(s seen) bool { return abandoned(s) && s.AckFloor.Consumer == 20 },
		"push-unbound":   func(s seen) bool { return abandoned(s) && s.Config.DeliverSubject != "" },
		"unused":         func(s seen) bool { return abandoned(s) && s.Delivered.Consumer == 0 && s.stream.FirstSeq == 1 },
		"paused":         func(s seen) bool { return s.Paused && s.NumPending > 0 },
		"ack-stalled": func(s seen) bool {
			return s.NumAckPending == 50 && s.Config.MaxAckPending == 50 && s.AckFloor.Consumer == 0 && s.NumRedelivered == 0
		},
		"hung": func(s seen) bool {
			return s.NumAckPending == 7 && s.NumWaiting == 0 && s.TimeStamp.Sub(*s.Delivered.Last) > s.Config.AckWait
		},
		"head-blocked": func(s seen) bool {
			return s.AckFloor.Stream == 0 && s.NumAckPending == 1 && s.Delivered.Consumer > 5 && s.NumRedelivered == 0
		},
		"poison": func(s seen) bool {
			return s.NumRedelivered == 1 && s.Delivered.Consumer > 2*s.Delivered.Stream && s.AckFloor.Stream == 0
		},
		"nak": func(s seen) bool {
			return s.waits() < 100 && s.Delivered.Consumer > s.Delivered.Stream && s.stream.FirstSeq == 1
		},
		"exhausted": exhausted,
		"captured":  exhausted,
		"triage":    func(s seen) bool { return s.waits() == 0 && s.stream.Msgs == 5 },
		"evicting":  func(s seen) bool { return s.Delivered.Stream > s.Delivered.Consumer && s.NumPending > 4_000 },
		"recreated": func(s seen) bool { return s.Created.Sub(s.stream.FirstTime) > time.Second },
	}
}

// slow take long to settle, and are waited for elsewhere or not at all.
func slow() []string { return []string{"head-blocked", "slow-reader"} }

func TestEveryScenarioReachesItsState(t *testing.T) {
	t.Parallel()
	s := startLab(t)
	traffic := mustStart(t, s, Options{Names: All(), Storage: jetstream.MemoryStorage})
	mustSettle(t, traffic, slices.DeleteFunc(All(), func(name string) bool { return slices.Contains(slow(), name) })...)
	js := api(t, s)
	for _, scenario := range Scenarios() {
		t.Run(scenario.Name, func(t *testing.T) {
			if facts()[scenario.Name] == nil {
				t.Fatal("no facts are known of it")
			}
			defer func() {
				if t.Failed() {
					t.Log(observed(context.WithoutCancel(t.Context()), js, scenario))
				}
			}()
			// One look may fall into the moment between a delivery and its acknowledgement.
			eventually(t, "the facts", func() bool { return isSo(t, js, scenario) })
		})
	}
}

func observed(ctx context.Context, js jetstream.JetStream, s Scenario) (seen, error) {
	now, err := observe(ctx, js, s)
	if err != nil {
		return seen{}, err
	}
	return seen{*now.consumer, now.stream.State}, nil
}

// mustGoOn waits until the facts of all are true, and those that keep up move.
func mustGoOn(t *testing.T, js jetstream.JetStream, all []Scenario) {
	t.Helper()
	for _, s := range all {
		var before uint64
		eventually(t, s.Name+" is as before", func() bool {
			now, err := observed(t.Context(), js, s)
			if err != nil || !facts()[s.Name](now) {
				return false
			}
			if before == 0 {
				before = now.Delivered.Consumer
			}
			return s.Want != "OK" || now.Delivered.Consumer > before
		})
	}
}

// isSo says whether the facts of s are true now.
func isSo(t *testing.T, js jetstream.JetStream, s Scenario) bool {
	t.Helper()
	now, err := observed(t.Context(), js, s)
	return err == nil && facts()[s.Name](now)
}
