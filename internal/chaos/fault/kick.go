package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/natsops/natsops/internal/quantity"
)

// backLimit bounds how long a heal waits for clients to be back, so that they
// can be counted: those of nats.go wait for 2 s before the same server again.
const backLimit = 5 * time.Second

func kickKind() Kind {
	return Kind{
		Name:    "kick",
		About:   "Servers close connections of clients, as they do when an operator kicks them.",
		Expect:  "Clients are back within seconds, on this server or another, and no message is lost.",
		Class:   Expires,
		Needs:   Need{System: true},
		Since:   "2.10.0",
		Selects: SelectConnections,
		Params: []Param{
			{Name: paramEvery, Default: "0", Unit: Duration, About: "again after so long, with the connections that match then; 0: once"},
			rateParam("1k/s", 10_000, "kicks at most"),
		},
		aim: func(ctx context.Context, a aim) (*Strike, error) { return aimAtConnections(ctx, a, "KICK", "kicked") },
	}
}

func lameDuckKind() Kind {
	return Kind{
		Name:    "client-lame-duck",
		About:   "Servers tell clients that they are about to shut down, and do not.",
		Expect:  "Clients that know of lame ducks move to another server; the others stay where they are.",
		Class:   Expires,
		Needs:   Need{System: true},
		Since:   "2.10.0",
		Selects: SelectConnections,
		Params:  []Param{rateParam("1k/s", 10_000, "notices at most")},
		aim: func(ctx context.Context, a aim) (*Strike, error) {
			return aimAtConnections(ctx, a, "LDM", "told")
		},
	}
}

// rateParam caps how fast a fault is.
func rateParam(rate string, most float64, what string) Param {
	return Param{Name: "rate", Default: rate, Unit: Rate, Least: 0.1, Most: most, About: what}
}

// A kick asks servers to do something to connections. A server answers only a
// request; a message without a reply subject is ignored.
type kick struct {
	aim
	course
	verb string // last token of the subject
	done string // name of the count
	dice *rand.Rand

	mu     sync.Mutex
	struck []connection // whose client was not seen again
	known  map[seat]bool
}

func aimAtConnections(ctx context.Context, a aim, verb, done string) (*Strike, error) {
	k := &kick{aim: a, verb: verb, done: done, dice: a.dice(), known: map[seat]bool{}}
	victims, err := k.victims(ctx, k.dice)
	if err != nil {
		return nil, err
	}
	s := &Strike{
		Inject: func(ctx context.Context) error {
			return k.inject(ctx, func(ctx context.Context) error { return k.strike(ctx, victims) })
		},
		Heal:   func(ctx context.Context) error { return k.heal(ctx, k.waitForBack) },
		Healed: nothing, // a client that does not come back is not ours to bring
		Counts: k.tally,
	}
	for _, v := range victims {
		s.Victims = append(s.Victims, v.String())
		s.Steps = append(s.Steps, Step{Do: "request", Object: k.subject(v), Payload: kickBody(v.CID)})
	}
	if every := k.every(); every > 0 {
		s.Steps = append(s.Steps, Step{Do: "wait", Object: quantity.FormatDuration(every), Payload: "then again, with the connections that match then"})
	}
	return s, nil
}

func (k *kick) every() time.Duration { return k.settings.duration(paramEvery) }

func (k *kick) subject(c connection) string { return kickSubject(c.server.ID, k.verb) }

func kickSubject(server, verb string) string { return "$SYS.REQ.SERVER." + server + "." + verb }

func kickBody(cid uint64) string { return fmt.Sprintf(`{"cid":%d}`, cid) }

// strike does it once, and has it repeated.
func (k *kick) strike(ctx context.Context, victims []connection) error {
	if err := k.remember(ctx); err != nil {
		return err
	}
	rate := newBucket(k.settings.number("rate"))
	if err := k.round(ctx, rate, victims); err != nil {
		return err
	}
	if k.every() > 0 {
		k.keep(func(ctx context.Context) { k.repeat(ctx, rate) })
	}
	return nil
}

// remember notes which connections there are before.
func (k *kick) remember(ctx context.Context) error {
	all, err := k.connections(ctx, nil)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range all {
		k.known[c.seat()] = true
	}
	return nil
}

// repeat does it again and again. Whoever cannot be asked now may be the next
// time: the servers may be broken, too.
func (k *kick) repeat(ctx context.Context, rate *bucket) {
	for wait(ctx, k.every()) == nil {
		victims, err := k.victims(ctx, k.dice)
		if err == nil {
			_ = k.look(ctx)
			err = k.round(ctx, rate, victims)
		}
		if err != nil && ctx.Err() == nil {
			k.count("rounds_missed", 1)
		}
	}
}

// round does it to victims. That one is refused is no error, unless all are:
// connections come and go.
func (k *kick) round(ctx context.Context, rate *bucket, victims []connection) error {
	var refused error
	n := 0
	for _, v := range victims {
		if _, err := rate.take(ctx, 1); err != nil {
			return err
		}
		if err := k.one(ctx, v); err != nil {
			refused = err
			k.count(notDone(ctx, err), 1)
			continue
		}
		n++
		k.count(k.done, 1)
	}
	if n == 0 {
		return refused
	}
	return nil
}

// notDone names the count of what failed: a server may have done what it did not
// answer.
func notDone(ctx context.Context, err error) string {
	if ctx.Err() != nil || unanswered(err) {
		return "unanswered"
	}
	return "refused"
}

// one does it to a connection.
func (k *kick) one(ctx context.Context, v connection) error {
	if err := k.call(ctx, k.subject(v), v.CID); err != nil {
		return fmt.Errorf("%s: %w", v, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.struck = append(k.struck, v)
	return nil
}

// call asks a server to do something to one of its connections.
func (s Site) call(ctx context.Context, subject string, cid uint64) error {
	var answer struct {
		Error apiError `json:"error"`
	}
	if err := ask(ctx, s.System, subject, map[string]uint64{"cid": cid}, &answer); err != nil {
		return err
	}
	if answer.Error.Description != "" {
		return errors.New(answer.Error.Description)
	}
	return nil
}

// look counts the clients that are back: connections that were not there before,
// of a client that lost one.
func (k *kick) look(ctx context.Context) error {
	all, err := k.connections(ctx, nil)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range all {
		if k.known[c.seat()] {
			continue
		}
		k.known[c.seat()] = true
		for i, v := range k.struck {
			if v.who() == c.who() {
				k.struck = append(k.struck[:i], k.struck[i+1:]...)
				k.count("reconnected", 1)
				break
			}
		}
	}
	return nil
}

// waitForBack gives the clients time to be back, so that they are counted. One
// that is only told something need not move, and is not waited for.
func (k *kick) waitForBack(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, backLimit)
	defer cancel()
	_ = until(limited, func(ctx context.Context) bool { // who is not back is not counted
		err := k.look(ctx)
		k.mu.Lock()
		defer k.mu.Unlock()
		return err != nil || len(k.struck) == 0 || k.verb != "KICK"
	})
	return nil
}
