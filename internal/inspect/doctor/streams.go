package doctor

import (
	"fmt"
	"slices"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
)

func streamChecks() []Check {
	need := inspect.Need{Consumers: true}
	return []Check{
		{
			ID: "stream.nearly-full", Title: "streams near a limit that refuses or drops messages", Of: "stream", Needs: need, run: nearlyFull,
			Why: "At the limit a stream that discards new messages refuses to store more, and publishers fail. A work queue that discards old ones throws away work that nobody has done.",
			Do:  "Raise the limit, add consumers, or remove what is not needed: nats stream purge --keep or max_age.",
		},
		{
			ID: "stream.loss-ahead", Title: "messages that limits will delete before they are delivered", Of: "consumer", Needs: need, run: lossAhead,
			Why: "The backlog reaches back to where limits delete. From then on it stays the same, which looks stable, while messages are lost.",
			Do:  "Add workers now, or raise max_age, max_bytes or max_msgs of the stream until they have caught up.",
		},
		{
			ID: "stream.duplicate-window", Title: "streams that have to remember very many message IDs", Of: "stream", Needs: need, Twice: true, run: duplicateWindow,
			Why: "For each message with an ID within the duplicate window the server keeps some 100 bytes in memory, and reads them all again when it restarts.",
			Do:  "Shorten duplicate_window to what a publisher needs for its retries: seconds, not hours.",
		},
		{
			ID: "stream.no-ack", Title: "streams that do not acknowledge", Of: "stream", Needs: need, run: noAck,
			Why: "A publisher does not learn that its message was not stored: when the stream is full, has no leader, or drops what comes in too fast.",
			Do:  "Set no_ack to false, and publish with acknowledgements: asynchronously, if latency matters.",
		},
		{
			ID: "stream.uncompressed", Title: "large streams without compression", Of: "stream", Needs: need, run: uncompressed,
			Why: "Text such as JSON takes several times the disk that it needs, in each replica.",
			Do:  "nats stream edit --compression s2: it applies to what is stored from then on, and costs some CPU.",
		},
	}
}

func nearlyFull(p *patient) []symptom {
	var found []symptom
	for _, s := range p.configuredStreams() {
		last := s.last()
		cfg, state := last.Config, last.State
		keeps := cfg.Retention == "workqueue" || cfg.Retention == "interest"
		if (cfg.Discard != "new" && !keeps) || cfg.Sealed || mqtt(last.Name) {
			continue // a stream that discards old messages is full by design
		}
		blank := symptom{object: streamName(last), key: last.Key()}
		near := append(p.nearLimit(blank, "bytes", float64(state.Bytes), float64(cfg.MaxBytes)),
			p.nearLimit(blank, "messages", float64(state.Messages), float64(cfg.MaxMsgs))...)
		for i := range near {
			if cfg.Discard != "new" {
				near[i].fact += ", then old messages are dropped, delivered or not"
			}
		}
		found = append(found, near...)
	}
	return found
}

func lossAhead(p *patient) []symptom {
	var found []symptom
	for _, c := range p.configuredConsumers() {
		v := p.verdict(c.last())
		if v == nil || !v.ToLoss.Known || v.ToLoss.Value > p.cfg.LossWithin.Seconds() || !behind(v.Status) {
			continue
		}
		s := symptom{
			object: consumerName(c.last()), key: v.Key, severity: inspect.Warn, weight: -v.ToLoss.Value, next: v.Next,
			fact: fmt.Sprintf("%s of messages left until limits delete what was not delivered", seconds(v.ToLoss.Value)),
		}
		if v.ToLoss.Value < p.cfg.LossWithin.Seconds()/6 {
			s.severity = inspect.Crit
		}
		found = append(found, s)
	}
	return found
}

// behind reports whether a status means that a backlog does not go away by
// itself. Where max_age is short every message is near its end, and nothing is
// wrong.
func behind(s lag.Status) bool {
	return slices.Contains([]lag.Status{
		lag.NoClients, lag.AckStalled, lag.RedeliveryLoop, lag.ServerStall, lag.ClientStalled, lag.AckBound,
		lag.FallingBehind, lag.SteadyLag, lag.Paused, lag.NoLeader, lag.LosingData,
	}, s)
}

func duplicateWindow(p *patient) []symptom {
	var found []symptom
	for _, s := range p.configuredStreams() {
		last := s.last()
		stored, ok := growth(s, func(s *inspect.Stream) uint64 { return s.State.LastSeq })
		if !ok {
			continue
		}
		if ids := stored / s.elapsed().Seconds() * last.Config.Duplicates.Seconds(); ids > p.cfg.DuplicateIDs {
			found = append(found, symptom{
				object: streamName(last), key: last.Key(), severity: inspect.Info, weight: ids,
				fact: fmt.Sprintf("at %s within %s up to %s message IDs", perSecond(stored, s.elapsed()), duration(last.Config.Duplicates), number(ids)),
			})
		}
	}
	return found
}

func noAck(p *patient) []symptom {
	var found []symptom
	for _, s := range p.configuredStreams() {
		if last := s.last(); last.Config.NoAck && !mqtt(last.Name) {
			found = append(found, symptom{
				object: streamName(last), key: last.Key(), severity: inspect.Info, fact: "no_ack is true",
			})
		}
	}
	return found
}

func uncompressed(p *patient) []symptom {
	var found []symptom
	for _, s := range p.configuredStreams() {
		last := s.last()
		plain := last.Config.Compression == "" || last.Config.Compression == "none"
		if plain && last.Config.Storage == "file" && last.State.Bytes > p.cfg.CompressBytes && last.State.Messages > 0 {
			found = append(found, symptom{
				object: streamName(last), key: last.Key(), severity: inspect.Info, weight: float64(last.State.Bytes),
				fact: fmt.Sprintf("%s on disk, %s per message", size(last.State.Bytes), size(last.State.Bytes/last.State.Messages)),
			})
		}
	}
	return found
}
