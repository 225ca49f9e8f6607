package chaos

import (
	"context"
	"encoding/json"
	"time"

	"github.com/natsops/natsops/internal/chaos/history"
	"github.com/natsops/natsops/internal/chaos/load"
)

// settle ends the load, waits until all have what they should, and reads back
// what is stored.
func (r *run) settle(ctx context.Context) {
	r.phase(PhaseSettle)
	record := history.Record{}
	if r.load != nil && r.result.Verdict != NotSteady {
		r.tell("waiting for retries to end")
		r.patiently(ctx, finishLimit, func(ctx context.Context) { _ = r.load.Finish(ctx) }) // what has no answer then is unknown
		r.tell("waiting for the consumer to have all")
		r.patiently(ctx, drainLimit, func(ctx context.Context) { _ = r.load.Drain(ctx) }) // what did not come then is undelivered
		record = r.load.Record()
		r.tell("reading back what is stored")
		r.patiently(ctx, readLimit, func(ctx context.Context) { r.readBack(ctx, &record) })
		r.patiently(ctx, equalLimit, func(ctx context.Context) { r.compare(ctx, &record) })
	}
	r.result.Record = record
	now := r.since()
	r.result.Phases[len(r.result.Phases)-1].To = now
	r.result.Took = time.Since(r.began)
}

// patiently does something within a limit, and after ctx has ended within a much
// shorter one.
func (r *run) patiently(ctx context.Context, limit time.Duration, do func(context.Context)) {
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		if sleep(patient, hastyLimit) {
			cancel()
		}
	})
	defer stop()
	do(patient)
	r.interrupted(ctx)
}

func (r *run) readBack(ctx context.Context, record *history.Record) {
	stored, err := load.ReadBack(ctx, r.env.JS, StreamName, r.number())
	record.Stored = stored
	if err != nil {
		record.Unread = err.Error()
	}
}

// compare waits until all servers have the same of the stream.
func (r *run) compare(ctx context.Context, record *history.Record) {
	if r.env.System == nil || r.result.Target.Replicas < 2 {
		return
	}
	account, err := r.account(ctx)
	if err != nil {
		return
	}
	for {
		replicas, err := load.CompareReplicas(ctx, r.env.System, account, StreamName, r.replicas)
		if err == nil {
			record.Replicas = replicas
			if equal, known := load.Equal(replicas); equal && known {
				return
			}
		}
		r.tell("waiting for the replicas to be the same")
		if !sleep(ctx, 5*tick) {
			return
		}
	}
}

// account is the account of the load.
func (r *run) account(ctx context.Context) (string, error) {
	m, err := r.env.App.RequestWithContext(ctx, "$SYS.REQ.USER.INFO", nil)
	if err != nil {
		return "", err
	}
	var info struct {
		Data struct {
			Account string `json:"account"`
		} `json:"data"`
	}
	err = json.Unmarshal(m.Data, &info)
	return info.Data.Account, err
}

// equalAt is when, from a moment on, all replicas were first seen to be current
// and stayed so to the end; 0: they were not.
func (w *watch) equalAt(from time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	var at time.Duration
	for _, c := range w.current {
		switch {
		case c.ratio < 1:
			at = 0
		case at == 0 && c.at >= from:
			at = c.at
		}
	}
	return at
}

// drained is the largest backlog, and when it was for the last time no longer
// above afloat; 0: it never was.
func (w *watch) drained() (peak uint64, at time.Duration, now uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	above := false
	for _, b := range w.backlog {
		peak = max(peak, b.messages)
		if above && b.messages <= afloat {
			at = b.at
		}
		above = b.messages > afloat
		now = b.messages
	}
	return peak, at, now
}
