package proxy

import (
	"cmp"
	"slices"
	"time"
)

// A Status is what a proxy does now, and what it has done. Connections that the
// system refuses for it are in no count.
type Status struct {
	Name      string
	Addr      string // where it listens
	Target    string
	Toxics    Toxics
	Listening bool
	Opened    uint64 // connections accepted since the start
	Up, Down  Traffic
	Conns     []Conn // that are open, oldest first
}

// A Conn is one connection through a proxy.
type Conn struct {
	ID       uint64 // 1 is the proxy's first
	Opened   time.Time
	From     string // the address of who dialled
	Via      string // the address that the target sees; "": not connected yet
	Up, Down Traffic
}

// A Traffic counts the bytes of one direction.
type Traffic struct {
	Read    uint64 // taken from the sender
	Written uint64 // given to the receiver
	Dropped uint64 // that nobody will get
}

// Held is how many bytes are still to be delivered.
func (t Traffic) Held() uint64 { return t.Read - t.Written - t.Dropped }

func (t *Traffic) add(u Traffic) {
	t.Read += u.Read
	t.Written += u.Written
	t.Dropped += u.Dropped
}

// Status reads the proxy back.
func (p *Proxy) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Status{
		Name: p.cfg.Name, Addr: p.addr, Target: p.cfg.Target, Toxics: p.toxics,
		Listening: p.listener != nil, Opened: p.opened, Up: p.up, Down: p.down,
	}
	for c := range p.conns {
		one := c.status()
		s.Up.add(one.Up)
		s.Down.add(one.Down)
		s.Conns = append(s.Conns, one)
	}
	slices.SortFunc(s.Conns, func(a, b Conn) int { return cmp.Compare(a.ID, b.ID) })
	return s
}
