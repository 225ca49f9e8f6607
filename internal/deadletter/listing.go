package deadletter

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/inspect"
)

// mostListed bounds a listing, whatever the server says about its length.
const mostListed = 1 << 20

// streams lists the streams of the account.
func (a api) streams(ctx context.Context) ([]*jetstream.StreamInfo, []inspect.Gap, error) {
	return list[jetstream.StreamInfo](ctx, a, "STREAM.LIST", "stream")
}

// consumers lists the consumers of a stream.
func (a api) consumers(ctx context.Context, stream string) ([]*jetstream.ConsumerInfo, []inspect.Gap, error) {
	return list[jetstream.ConsumerInfo](ctx, a, "CONSUMER.LIST."+stream, "consumer of stream "+shown(stream))
}

// stream describes one stream.
func (a api) stream(ctx context.Context, name string) (*jetstream.StreamInfo, error) {
	var info jetstream.StreamInfo
	if err := a.ask(ctx, "STREAM.INFO."+name, struct{}{}, &info); err != nil {
		return nil, err
	}
	return &info, nil
}

// list reads all pages of a listing. Each item that the servers could not
// describe, or that this program does not understand, is a gap.
func list[T any](ctx context.Context, a api, endpoint, what string) (all []*T, gaps []inspect.Gap, err error) {
	for offset := 0; offset < mostListed; {
		var page struct {
			Total     *int              `json:"total"`
			Streams   []json.RawMessage `json:"streams"`
			Consumers []json.RawMessage `json:"consumers"`
			Missing   []string          `json:"missing"`
			Offline   map[string]string `json:"offline"`
		}
		if err := a.ask(ctx, endpoint, map[string]int{"offset": offset}, &page); err != nil {
			return all, gaps, err
		}
		if page.Total == nil {
			return all, gaps, fmt.Errorf("%s: not a listing", a.prefix+endpoint)
		}
		items := append(page.Streams, page.Consumers...)
		for _, item := range items {
			parsed := new(T)
			if err := json.Unmarshal(item, parsed); err != nil {
				gaps = append(gaps, inspect.Gap{What: what, Why: "not understood: " + err.Error()})
				continue
			}
			all = append(all, parsed)
		}
		for _, name := range page.Missing {
			gaps = append(gaps, inspect.Gap{What: fmt.Sprintf("%s %s", what, shown(name)), Why: "the server that leads it did not answer in time"})
		}
		for name, why := range page.Offline {
			gaps = append(gaps, inspect.Gap{What: fmt.Sprintf("%s %s", what, shown(name)), Why: "offline: " + shown(why)})
		}
		offset += len(items)
		switch {
		case offset >= *page.Total:
			return all, gaps, nil
		case len(items) == 0:
			return all, append(gaps, inspect.Gap{What: what, Why: fmt.Sprintf("the server counts %d and lists %d", *page.Total, offset)}), nil
		}
	}
	return all, append(gaps, inspect.Gap{What: what, Why: fmt.Sprintf("more than %d are listed", mostListed)}), nil
}
