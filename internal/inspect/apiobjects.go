package inspect

import "time"

// apiStream is how the JetStream API describes a stream.
type apiStream struct {
	apiAnswer
	Stream
	Timestamp time.Time `json:"ts"`
	Config    struct {
		Name string `json:"name"`
		StreamConfig
	} `json:"config"`
}

func (s *apiStream) name() string { return s.Config.Name }

func (s *apiStream) model() *Stream {
	out := &s.Stream
	out.Config = &s.Config.StreamConfig
	out.Reading = Reading{State: Fresh, At: s.Timestamp, By: leaderOf(s.Cluster)}
	return out
}

// apiConsumer is how it describes a consumer.
type apiConsumer struct {
	apiAnswer
	Consumer
	Config struct {
		Name string `json:"name"`
		ConsumerConfig
	} `json:"config"`
}

// name is only in the configuration when no server runs the consumer.
func (c *apiConsumer) name() string {
	for _, name := range []string{c.Name, c.Config.Name, c.Config.Durable} {
		if name != "" {
			return name
		}
	}
	return ""
}

func (c *apiConsumer) model() *Consumer {
	if c.Name == "" {
		return &Consumer{
			Reading: Reading{Why: "no server runs it"},
			Created: c.Created, Config: &c.Config.ConsumerConfig, Cluster: c.Cluster,
		}
	}
	out := &c.Consumer
	out.Config = &c.Config.ConsumerConfig
	out.Reading = Reading{State: Fresh, At: c.Timestamp, By: leaderOf(c.Cluster)}
	return out
}
