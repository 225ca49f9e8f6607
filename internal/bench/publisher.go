package bench

import (
	"github.com/natsops/natsops/internal/ledger"
)

// A publisher is one connection that publishes. It belongs to one sender.
type publisher struct {
	conn     Conn
	subjects []string
	turn     int
	body     []byte
	stamper  *ledger.Stamper // nil: the body is sent as it is
	epoch    int64           // what stamps count from, ns since 1970
	seq      uint64          // messages handed over; also the last one's number
	window   *window         // nil: none
	room     int             // messages that may follow before window is asked again
}

func newPublisher(cfg Config, id int, runID uint16, conn Conn) (*publisher, error) {
	p := &publisher{conn: conn, subjects: cfg.publishSubjects(), turn: id % cfg.Subjects, body: cfg.body(id)}
	if !cfg.stamped() {
		return p, nil
	}
	stamper, err := ledger.NewStamper(runID, uint16(id), p.body)
	if err != nil {
		return nil, configErrorf("%v", err)
	}
	p.stamper = stamper
	return p, nil
}

func (p *publisher) ready() bool {
	if p.window == nil || p.room > 0 {
		return true
	}
	p.room = p.window.credit(p.seq)
	return p.room > 0
}

func (p *publisher) await() { p.window.await(p.seq) }

func (p *publisher) send(due, _ int64) error {
	data := p.body
	if p.stamper != nil {
		data = p.stamper.Next(p.seq+1, p.epoch+due)
	}
	if err := p.conn.Publish(p.subjects[p.turn], "", data); err != nil {
		return err
	}
	p.seq++
	p.room--
	p.turn++
	if p.turn == len(p.subjects) {
		p.turn = 0
	}
	return nil
}

// probe publishes a message that the ledger does not count.
func (p *publisher) probe() error {
	return p.conn.Publish(p.subjects[0], "", p.stamper.Next(ledger.ProbeSeq, 0))
}
