package lag

import (
	"testing"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// The situations that a live system was put into when the rules were found. They
// must come out right with samples over five seconds, and with two in one second.
func TestEverySituationIsNamed(t *testing.T) {
	tests := []struct {
		name   string
		scene  *scene
		status Status
		tag    TagName // "": any
	}{
		{"idle", consumer("S", "C").quietFor(time.Hour), Idle, ""},
		{"keeps up", consumer("S", "C").delivered(counting(1000, 200)...).pending(3, 0, 5).unacked(2, 4, 1), OK, ""},
		{"draining", consumer("S", "C").delivered(counting(1000, 500)...).pending(counting(9000, -500)...).unacked(10).found(1000, 20*time.Second), Draining, ""},
		{"falling behind", consumer("S", "C").delivered(counting(1000, 185)...).pending(counting(9000, 614)...).unacked(5).found(1000, 14*time.Second), FallingBehind, ""},
		{"falling behind for a long time", consumer("S", "C").delivered(counting(1000, 185)...).pending(counting(900_000, 614)...).unacked(5).found(1000, 14*time.Second), FallingBehind, ""},
		{"nothing acknowledged", consumer("S", "C").with(slots(10)).unacked(10).pending(500).waiting(2).neverAcked().quietFor(4 * time.Second), AckStalled, ""},
		{"bound by max_ack_pending", consumer("S", "C").with(slots(4)).unacked(4).pending(counting(16815, -172)...).delivered(counting(1000, 172)...).found(997, 19*time.Second), AckBound, ""},
		{"nobody pulls", consumer("S", "C").pending(500).waiting(0).quietFor(time.Minute), NoClients, ""},
		{"nobody has ever pulled", consumer("S", "C").neverUsed().pending(500).waiting(0).aged(2 * time.Second), NoClients, ""},
		{"nobody subscribes", consumer("S", "C").with(pushTo("d")).pending(500).waiting(0), NoClients, ""},
		{"paused", consumer("S", "C").pending(counting(500, 100)...).edit(pause(time.Hour)), Paused, ""},
		{"one message is held", consumer("S", "C").delivered(counting(1000, 100)...).floorAt(600).unacked(1).found(601, 8*time.Second), OK, HeadBlocked},
		{"poison", consumer("S", "C").delivered(counting(1000, 40)...).reached(1000).unacked(2).redelivered(2).found(999, 5*time.Second), RedeliveryLoop, ""},
		{"given up", consumer("S", "C").with(attempts(3)).redelivered(5).quietFor(time.Minute), Idle, Exhausted},
		{"evicted", evicting().found(50_000, 5*time.Second), LosingData, LostMessages},
		{"hung worker", consumer("S", "C").unacked(7).pending(90).waiting(0).quietFor(45*time.Second).found(994, 46*time.Second), ClientStalled, ""},
		{"hung worker with a short ack_wait", consumer("S", "C").with(ackWait(2*time.Second)).unacked(7).pending(90).waiting(0).quietFor(3*time.Second).found(994, 4*time.Second), ClientStalled, ""},
		{"filtered and keeping up", consumer("S", "C").with(onlyA).delivered(counting(1000, 50)...).reached(counting(5000, 500)...).lastSeq(counting(5010, 500)...).unacked(1), OK, ""},
		{"jobs of four seconds", consumer("S", "C").unacked(1).pending(20).waiting(0).quietFor(0).found(1000, 10*time.Second).apart(600 * time.Millisecond), Busy, ""},
		{"naks of a third", consumer("S", "C").delivered(counting(1000, 130)...).reached(counting(1000, 91)...).redelivered(2).unacked(3).found(1000, time.Second), OK, Redelivering},
	}
	for _, tt := range tests {
		for _, s := range tt.scene.with6And2() {
			v := s.judge(t)
			if v.Status != tt.status {
				t.Errorf("%s, %d samples: %s (%s), want %s\n%+v", tt.name, s.n, v.Status, v.Advice, tt.status, v.Evidence)
			}
			if tt.tag != "" && !v.Tagged(tt.tag) {
				t.Errorf("%s, %d samples: tags %v, want %s", tt.name, s.n, v.Tags, tt.tag)
			}
		}
	}
}

func evicting() *scene {
	// max_msgs=2000 at 2,000 messages a second, of which 600 are delivered.
	return consumer("S", "C").on(func(c *inspect.StreamConfig) { c.MaxMsgs = 2000 }).
		delivered(counting(10_000, 600)...).reached(counting(50_000, 2000)...).pending(1990).
		firstSeq(counting(50_011, 2000)...).lastSeq(counting(52_010, 2000)...).stored(2000).unacked(5)
}

func slots(n int) func(*inspect.ConsumerConfig) {
	return func(c *inspect.ConsumerConfig) { c.MaxAckPending = n }
}

func attempts(n int) func(*inspect.ConsumerConfig) {
	return func(c *inspect.ConsumerConfig) { c.MaxDeliver = n }
}

func ackWait(d time.Duration) func(*inspect.ConsumerConfig) {
	return func(c *inspect.ConsumerConfig) { c.AckWait = d }
}

func onlyA(c *inspect.ConsumerConfig) { c.FilterSubject = "a" }

func pushTo(subject string) func(*inspect.ConsumerConfig) {
	return func(c *inspect.ConsumerConfig) { c.DeliverSubject, c.MaxWaiting = subject, 0 }
}

func pause(d time.Duration) func(int, *inspect.Consumer) {
	return func(_ int, c *inspect.Consumer) { c.Paused, c.PauseRemaining = true, d }
}
