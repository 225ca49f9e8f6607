package inspect

import (
	"context"
	"errors"
	"sync"

	"github.com/natsops/natsops/internal/inspect/wire"
)

// statsz is what the servers' briefest account of themselves is needed for.
type statsz struct {
	Server serverInfo `json:"server"`
	Stats  struct {
		Connections   int `json:"connections"`
		Subscriptions int `json:"subscriptions"`
		ActiveServers int `json:"active_servers"`
		Routes        []struct {
			Name string `json:"name"`
		} `json:"routes"`
		Gateways []struct {
			Name string `json:"name"` // of the cluster there
		} `json:"gateways"`
	} `json:"statsz"`
}

// askSystem asks who is there, and interviews everybody who answers as soon as
// he does. So who is silent delays nobody, and costs what [wire.Audience] says.
func (r *round) askSystem(ctx context.Context) {
	if r.c.nc.ConnectedServerId() != r.c.near.id {
		if err := r.c.lookAround(ctx); err != nil {
			r.gap("servers", err)
			return
		}
	}
	var interviews sync.WaitGroup
	if r.need.Accounts {
		interviews.Go(func() {
			if err := r.accountStats(ctx); err != nil {
				r.gap("accounts", err)
			}
		})
	}
	expect := wire.NewTally()
	active, answered := 0, 0
	q := wire.Question{Subject: "$SYS.REQ.SERVER.PING.STATSZ"}
	err := r.c.conn.Gather(ctx, q, wire.Audience{Expect: expect, Hasty: true}, func(reply wire.Reply) {
		s, ok := r.introduce(reply)
		if !ok {
			return
		}
		answered++
		if s.Server.ID == r.c.nc.ConnectedServerId() && s.Stats.ActiveServers > 0 {
			active = s.Stats.ActiveServers
			expect.Set(active)
		}
		w := &witness{
			serverInfo: s.Server, connections: s.Stats.Connections, subscriptions: s.Stats.Subscriptions,
			ask: systemQuestions(r.c.conn, s.Server.ID), enveloped: true,
		}
		interviews.Go(func() { r.interview(ctx, w) })
	})
	r.alive.Set(answered)
	if err != nil {
		r.gap("servers", err)
	}
	interviews.Wait()
	r.mu.Lock()
	r.missing = max(0, active-answered)
	r.mu.Unlock()
}

// introduce reads a server's brief account of itself; false if it has been
// heard before or makes no sense.
func (r *round) introduce(reply wire.Reply) (statsz, bool) {
	s, err := decodeData[statsz](reply)
	if err == nil && s.Server.ID == "" {
		err = errors.New("an answer does not say which server it is from")
	}
	if err != nil {
		r.gap("servers", err)
		return s, false
	}
	if !r.meet(s.Server) {
		return s, false
	}
	r.tell(s.Server, func(known *Server) { known.clock(s.Server.Time, reply.Sent, reply.Got) })
	for _, route := range s.Stats.Routes {
		r.mention(s.Server.Name, route.Name)
	}
	return s, true
}

// askMonitors does the same over HTTP, where only the servers whose addresses
// are known can be asked.
func (r *round) askMonitors(ctx context.Context) {
	var interviews sync.WaitGroup
	for _, m := range r.c.monitors {
		interviews.Go(func() {
			w := &witness{ask: monitorQuestions(m)}
			v, err := answer[identity](ctx, w, "VARZ", nil)
			if err == nil && v.data.ServerID == "" {
				err = errors.New("the answer does not say which server it is from")
			}
			if err != nil {
				r.gap("server at "+m.String(), err)
				r.mu.Lock()
				defer r.mu.Unlock()
				r.missing++
				return
			}
			w.serverInfo = v.data.info()
			if !r.meet(w.serverInfo) {
				return // the same server at another address
			}
			r.tell(w.serverInfo, func(s *Server) {
				s.clock(v.data.Now, v.sent, v.got)
				if r.need.Servers {
					s.Varz = &v.data.Varz
				}
			})
			r.interview(ctx, w)
		})
	}
	interviews.Wait()
}

// identity is /varz with what names a server.
type identity struct {
	Varz
	Cluster struct {
		Name string `json:"name"`
	} `json:"cluster"`
	JetStream struct {
		Config struct {
			Domain string `json:"domain"`
		} `json:"config"`
	} `json:"jetstream"`
}

func (i *identity) info() serverInfo {
	return serverInfo{Name: i.Name, ID: i.ServerID, Cluster: i.Cluster.Name, Domain: i.JetStream.Config.Domain, Version: i.Version, Time: i.Now}
}
