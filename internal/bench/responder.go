package bench

// A responder is one connection that answers requests with their own payload,
// or with a body of its own. It belongs to one goroutine.
type responder struct {
	run      *run
	conn     Conn
	sub      Subscription
	body     []byte // nil: echo
	meter    *meter
	answered uint64
}

// receive answers requests until the run quits.
func (a *responder) receive() {
	batch := make([]Message, receiveBatch)
	for !a.run.quit.Load() {
		n := a.sub.Receive(batch, receiveWait)
		if n == 0 {
			continue
		}
		a.answer(batch[:n])
	}
}

func (a *responder) answer(batch []Message) {
	var sent counts
	for i := range batch {
		if batch[i].Reply == "" {
			continue // published, not requested
		}
		body := a.body
		if body == nil {
			body = batch[i].Data
		}
		if err := a.conn.Publish(batch[i].Reply, "", body); err != nil {
			a.run.fail(err, true)
			continue
		}
		sent.sent++
		sent.begunBytes += uint64(len(body))
	}
	a.answered += sent.sent
	if a.run.cfg.Workload != Reply {
		return // the requesters count
	}
	now := a.run.clock.now()
	a.run.touch(now)
	sent.received, sent.begun, sent.done, sent.arrived = sent.sent, sent.sent, sent.sent, sent.sent
	sent.doneBytes, sent.arrivedBytes, sent.lastArrival = sent.begunBytes, sent.begunBytes, now
	a.meter.mu.Lock()
	a.meter.add(sent)
	a.meter.mu.Unlock()
}
