package lab

import "fmt"

// routez is what matters of the page /routez.
type routez struct {
	Routes []struct {
		To string `json:"remote_name"`
	}
}

func (r routez) has(name string) bool {
	for _, route := range r.Routes {
		if route.To == name {
			return true
		}
	}
	return false
}

// jsz is what matters of the page /jsz.
type jsz struct {
	Accounts []struct {
		Streams []struct {
			Name      string
			Cluster   group
			Consumers []struct {
				Name    string
				Cluster group
			} `json:"consumer_detail"`
		} `json:"stream_detail"`
	} `json:"account_details"`
	Meta group `json:"meta_cluster"`
}

// A group is a Raft group as one of its members sees it.
type group struct {
	Leader   string
	Size     int `json:"cluster_size"` // of the meta group only
	Replicas []struct {
		Name    string
		Current bool
		Offline bool
	}
}

// checkLeaders looks for streams and consumers without a leader, which
// /healthz does not.
func (j jsz) checkLeaders() error {
	for _, a := range j.Accounts {
		for _, s := range a.Streams {
			if s.Cluster.Leader == "" {
				return fmt.Errorf("stream %s has no leader", s.Name)
			}
			for _, c := range s.Consumers {
				if c.Cluster.Leader == "" {
					return fmt.Errorf("consumer %s of stream %s has no leader", c.Name, s.Name)
				}
			}
		}
	}
	return nil
}

func (j jsz) has(stream string) bool {
	for _, a := range j.Accounts {
		for _, s := range a.Streams {
			if s.Name == stream {
				return true
			}
		}
	}
	return false
}

// checkPeers judges what a meta leader says of its followers.
func (j jsz) checkPeers(size int) error {
	if j.Meta.Size != size || len(j.Meta.Replicas) != size-1 {
		return fmt.Errorf("the meta group has %d of %d peers", len(j.Meta.Replicas)+1, size)
	}
	for _, r := range j.Meta.Replicas {
		if !r.Current || r.Offline {
			return fmt.Errorf("%s is not current with the meta leader", r.Name)
		}
	}
	return nil
}
