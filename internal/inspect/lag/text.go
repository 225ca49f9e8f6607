package lag

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/quantity"
)

// The words of advice: three digits are enough for people.

func count(n float64) string { return quantity.FormatCount(n) }
func rate(n float64) string  { return quantity.FormatRate(n) }

func span(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day {
		return strconv.FormatInt(int64(d/day), 10) + " days"
	}
	return quantity.FormatDuration(d)
}

func seconds(s float64) string {
	if math.IsInf(s, 1) {
		return "never"
	}
	return span(duration(s))
}

// duration turns seconds into a duration, as long as one can be.
func duration(s float64) time.Duration {
	return time.Duration(min(s*float64(time.Second), math.MaxInt64/2))
}

// about writes a figure, with ~ if it is an estimate.
func (f Figure) about(format func(float64) string) string {
	switch {
	case !f.Known:
		return "?"
	case !f.Exact:
		return "~" + format(f.Value)
	default:
		return format(f.Value)
	}
}

func messages(n float64) string { return counted(n, "message") }

func counted(n float64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return count(n) + " " + what + "s"
}

func limitText(name string, value any) string {
	if d, ok := value.(time.Duration); ok {
		return name + "=" + quantity.FormatDuration(d)
	}
	return fmt.Sprintf("%s=%v", name, value)
}

// join joins sentences, without the empty ones.
func join(sentences ...string) string {
	var b strings.Builder
	for _, s := range sentences {
		if s == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s)
	}
	return b.String()
}

// Commands ready to paste into a POSIX shell.

func (s *series) consumerCommand(verb string, flags ...string) string {
	return command("nats consumer "+verb, flags, s.key.Stream, s.key.Consumer)
}

func (s *series) streamCommand(verb string, args ...string) string {
	return command("nats stream "+verb, nil, append([]string{s.key.Stream}, args...)...)
}

func (s *series) explainCommand() string {
	pattern := s.key.Stream + "/" + s.key.Consumer
	if strings.ContainsAny(pattern, `\[?`) { // natsops takes patterns
		pattern = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `?`, `\?`).Replace(pattern)
	}
	return command("natsops lag", []string{"--explain"}, pattern)
}

func (s *series) deadLetterCommand() string {
	return command("natsops dlq ls", nil, s.key.Stream+"/"+s.key.Consumer)
}

// command appends arguments, after flags if one of them could be taken for a flag.
func command(verb string, flags []string, args ...string) string {
	words, dashed := []string{verb}, false
	for _, a := range args {
		dashed = dashed || strings.HasPrefix(a, "-")
	}
	if !dashed {
		for _, a := range args {
			words = append(words, Quote(a))
		}
		return strings.Join(append(words, flags...), " ")
	}
	words = append(append(words, flags...), "--")
	for _, a := range args {
		words = append(words, Quote(a))
	}
	return strings.Join(words, " ")
}

// Quote makes a word of the shell mean itself.
func Quote(word string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:=,@+%"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Evidence that several rules show.

func (s *series) sayBacklog(rule string) Evidence {
	value := count(s.v.Backlog.Value) + " (num_pending " + strconv.FormatUint(s.now.NumPending, 10) +
		", num_ack_pending " + strconv.Itoa(s.now.NumAckPending) + ")"
	return Evidence{What: "backlog", Value: value, Rule: rule}
}

func (s *series) sayAge(rule string) Evidence {
	value := s.v.OldestAge.about(seconds)
	if !s.v.OldestAge.Known {
		value += " (" + s.v.OldestAge.Why + ")"
	}
	return Evidence{What: "oldest message", Value: value, Rule: rule}
}

func (s *series) saySilence(rule string) Evidence {
	return Evidence{What: "last activity", Value: s.lastDelivery(), Rule: rule}
}

func (s *series) sayDeliveries(rule string) Evidence {
	return Evidence{What: "deliveries", Value: fmt.Sprintf("%s in %s", count(s.change.deliveries), span(s.change.span)), Rule: rule}
}

func (s *series) sayDone(rule string) Evidence {
	return Evidence{What: "finished", Value: fmt.Sprintf("%s in %s", count(s.change.done), span(s.change.span)), Rule: rule}
}

func (s *series) sayWaiting(rule string) Evidence {
	return Evidence{What: "num_waiting", Value: fmt.Sprintf("%d, %s", s.now.NumWaiting, s.extent(func(p sample) int { return p.c.NumWaiting })), Rule: rule}
}

func (s *series) sayUnacked(rule string) Evidence {
	value := fmt.Sprintf("%d, %s", s.now.NumAckPending, s.extent(sample.unacked))
	if s.cfg.MaxAckPending > 0 {
		value += fmt.Sprintf("; max_ack_pending %d", s.cfg.MaxAckPending)
	}
	return Evidence{What: "num_ack_pending", Value: value, Rule: rule}
}

// extent says between which values something was.
func (s *series) extent(of func(sample) int) string {
	low, high := of(s.samples[0]), of(s.samples[0])
	for _, p := range s.samples {
		low, high = min(low, of(p)), max(high, of(p))
	}
	if low == high {
		return s.all()
	}
	return fmt.Sprintf("%d to %d %s", low, high, s.all())
}
