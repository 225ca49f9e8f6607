package inspect

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// interview asks one server all that is needed of it, side by side.
func (r *round) interview(ctx context.Context, w *witness) {
	var parts sync.WaitGroup
	n := r.need
	for _, part := range []struct {
		wanted bool
		what   string
		ask    func(context.Context, *witness) error
	}{
		{n.Servers && w.enveloped, "usage", r.usage}, // over HTTP it was asked already
		{n.Links, "routes", r.routes},
		{n.Links, "gateways", r.gateways},
		{n.Links, "leaf nodes", r.leafs},
		{n.Interest, "subscription statistics", r.interest},
		{n.Consumers, "streams and consumers", r.jetStream},
		{!n.Consumers && (n.Servers || n.Accounts), "JetStream", r.jetStreamInBrief},
		{n.Connections, "connections", r.connections},
		{n.Closed, "closed connections", r.closedConnections},
		{n.Accounts && !w.enveloped, "accounts", r.accountsOf},
	} {
		if part.wanted {
			parts.Go(func() {
				if err := part.ask(ctx, w); err != nil {
					r.gap(part.what+" of server "+w.Name, err)
				}
			})
		}
	}
	parts.Wait()
}

func (r *round) usage(ctx context.Context, w *witness) error {
	v, err := answer[Varz](ctx, w, "VARZ", nil)
	if err != nil {
		return err
	}
	r.tell(w.serverInfo, func(s *Server) { s.Varz = &v.data })
	return nil
}

func (r *round) interest(ctx context.Context, w *witness) error {
	v, err := answer[SubStats](ctx, w, "SUBSZ", nil)
	if err != nil {
		return err
	}
	r.tell(w.serverInfo, func(s *Server) { s.Subs = &v.data })
	return nil
}

// link is an entry of /routez, /leafz and, as a connection, /gatewayz.
type link struct {
	RemoteID    string    `json:"remote_id"`
	RemoteName  string    `json:"remote_name"`
	Name        string    `json:"name"`
	Account     string    `json:"account"`
	RTT         span      `json:"rtt"`
	Pending     int64     `json:"pending_size"`
	PendingOut  int64     `json:"pending_bytes"`
	Compression string    `json:"compression"`
	Start       time.Time `json:"start"`
	InMsgs      int64     `json:"in_msgs"`
	OutMsgs     int64     `json:"out_msgs"`
}

func (l link) model(remote string) Link {
	return Link{
		Remote: remote, Account: l.Account, RTT: time.Duration(l.RTT), PendingOut: cmp.Or(l.Pending, l.PendingOut),
		Compression: l.Compression, Start: l.Start, InMsgs: l.InMsgs, OutMsgs: l.OutMsgs,
	}
}

func (r *round) routes(ctx context.Context, w *witness) error {
	v, err := answer[struct {
		Routes []link `json:"routes"`
	}](ctx, w, "ROUTEZ", nil)
	if err != nil {
		return err
	}
	links := make([]Link, len(v.data.Routes))
	for i, l := range v.data.Routes {
		links[i] = l.model(cmp.Or(l.RemoteName, l.RemoteID))
		r.mention(w.Name, l.RemoteName)
	}
	r.tell(w.serverInfo, func(s *Server) { s.Routes = links })
	return nil
}

func (r *round) gateways(ctx context.Context, w *witness) error {
	v, err := answer[struct {
		Outbound map[string]struct {
			Connection link `json:"connection"`
		} `json:"outbound_gateways"`
	}](ctx, w, "GATEWAYZ", nil)
	if err != nil {
		return err
	}
	links := make([]Link, 0, len(v.data.Outbound))
	for _, cluster := range slices.Sorted(maps.Keys(v.data.Outbound)) {
		links = append(links, v.data.Outbound[cluster].Connection.model(cluster))
	}
	r.tell(w.serverInfo, func(s *Server) { s.Gateways = links })
	return nil
}

func (r *round) leafs(ctx context.Context, w *witness) error {
	v, err := answer[struct {
		Leafs []link `json:"leafs"`
	}](ctx, w, "LEAFZ", nil)
	if err != nil {
		return err
	}
	links := make([]Link, len(v.data.Leafs))
	for i, l := range v.data.Leafs {
		links[i] = l.model(l.Name)
	}
	r.tell(w.serverInfo, func(s *Server) { s.Leafs = links })
	return nil
}
