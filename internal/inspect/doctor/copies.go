package doctor

import (
	"fmt"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

func copyChecks() []Check {
	need := inspect.Need{Consumers: true}
	return []Check{
		{
			ID: "stream.copy-lag", Title: "mirrors and sources that are behind", Of: "copy", Needs: need, run: lateCopies,
			Why: "Readers of the copy see the past, and a copy that is meant to save the day lacks the last messages.",
			Do:  "Look at the link to the origin, and whether the account there still exports what the copy needs.",
		},
		{
			ID: "stream.copy-stuck", Title: "mirrors and sources that have stopped in silence", Of: "copy", Needs: need, Twice: true, run: stuckCopies,
			Why: "The origin goes on and the copy does not, whatever lag it claims: lag can be 0 while it is stuck (nats-server#8630).",
			Do:  "Let the leader of the copy step down, which sets the copying up anew: nats stream cluster step-down.",
		},
	}
}

// copies returns where a stream copies from.
func copies(s *inspect.Stream) []inspect.Source {
	if s.Mirror != nil {
		return []inspect.Source{*s.Mirror}
	}
	return s.Sources
}

func lateCopies(p *patient) []symptom {
	var found []symptom
	for _, s := range p.allStreams() {
		for i, from := range copies(s.last()) {
			late := func(s *inspect.Stream) bool {
				list := copies(s)
				return i < len(list) && list[i].Name == from.Name && list[i].Lag > p.cfg.CopyLag
			}
			symptom := symptom{
				object: streamName(s.last()) + " from " + from.Name, key: s.last().Key(), severity: inspect.Warn, weight: float64(from.Lag),
			}
			switch {
			case from.Active < 0:
				symptom.fact = "has never heard of its origin"
			case from.Active > p.cfg.CopySilent:
				symptom.fact = fmt.Sprintf("has heard nothing for %s, %s messages behind", duration(from.Active), number(from.Lag))
			case s.always(late):
				symptom.fact = number(from.Lag) + " messages behind, in all samples"
			default:
				continue
			}
			found = append(found, symptom)
		}
	}
	return found
}

func stuckCopies(p *patient) []symptom {
	origins := map[inspect.Key]course[inspect.Stream]{}
	for _, s := range p.allStreams() {
		origins[s.last().Key()] = s
	}
	var found []symptom
	for _, s := range p.streams {
		last := s.last()
		copied, ok := growth(s, func(s *inspect.Stream) uint64 { return s.State.LastSeq })
		if !ok || copied > 0 || s.elapsed() < time.Second {
			continue
		}
		for _, from := range copies(last) {
			origin, here := origins[inspect.Key{Account: last.Account, Stream: from.Name}]
			if !here || from.Filter != "" || from.Active > p.cfg.CopySilent { // of another account, or what is said already
				continue
			}
			if stored, severity := unheeded(last, origin); severity > inspect.OK {
				found = append(found, symptom{
					object: streamName(last) + " from " + from.Name, key: last.Key(), severity: severity, weight: stored,
					fact: fmt.Sprintf("%s new messages in the origin within %s, none in the copy, which claims to be %s behind",
						number(stored), duration(s.elapsed()), number(from.Lag)),
				})
			}
		}
	}
	return found
}

// unheeded says how many messages an origin got that a copy, which got none,
// should have by now. What came in the last moment may still be under way.
func unheeded(to *inspect.Stream, origin course[inspect.Stream]) (stored float64, severity inspect.Severity) {
	stored, known := growth(origin, func(s *inspect.Stream) uint64 { return s.State.LastSeq })
	switch {
	case !known || stored == 0:
		return 0, inspect.OK
	case to.Mirror == nil: // its sequence numbers are its own: a steady stream of messages must do
		if stored < 2 || stored < origin.elapsed().Seconds() {
			return 0, inspect.OK
		}
		return stored, inspect.Warn
	case to.State.LastSeq < origin.samples[len(origin.samples)-2].State.LastSeq:
		return stored, inspect.Crit
	}
	return 0, inspect.OK
}
