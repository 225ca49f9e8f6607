package deadletter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/inspect"
)

func (r *Report) fail(s *Step, class Class, err error) {
	r.Failures = append(r.Failures, Failure{Of: s.ID(), Class: class, Error: err.Error()})
}

// tried returns how many messages were sent or attempted.
func (r *Report) tried() int {
	return r.Stored + r.Duplicates + r.failed()
}

// failed returns how many copies were not stored, as far as is known.
func (r *Report) failed() int {
	n := 0
	for _, f := range r.Failures {
		if f.Class != ClassKept {
			n++
		}
	}
	return n
}

// summary says in one line what was done.
func (r *Report) summary() string {
	parts := []string{fmt.Sprintf("%d stored", r.Stored)}
	for _, part := range []struct {
		n    int
		what string
	}{
		{r.Duplicates, "stored before"},
		{r.Deleted, "originals deleted"},
		{r.failed(), "failed"},
		{len(r.Failures) - r.failed(), "originals not deleted"},
		{r.Skipped, "skipped"},
		{r.Unsent, "not sent"},
	} {
		if part.n == 1 {
			part.what = strings.Replace(part.what, "originals", "original", 1)
		}
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	return strings.Join(parts, ", ")
}

// verdict is the error of a redrive that was not done wholly. stop is what ended
// it early, if anything.
func (r *Report) verdict(stop error) error {
	const again = "running it again: within the duplicate window nothing is stored twice"
	switch {
	case errors.Is(stop, context.Canceled) || errors.Is(stop, context.DeadlineExceeded) && !errors.Is(stop, ErrUnacknowledged):
		return fmt.Errorf("redrive stopped, %s: %w", r.summary(), stop)
	case stop != nil:
		return hint.Wrap(fmt.Errorf("redrive stopped, %s: %w", r.summary(), stop), cmp.Or(hint.Of(stop), again))
	case len(r.Failures) > 0:
		f := r.Failures[0]
		return fmt.Errorf("redrive: %d of %d failed, the first, %s: %s", len(r.Failures), r.tried(), shown(f.Of), f.Error)
	}
	return nil
}

// keys returns the consumers whose messages will be sent.
func (p *Plan) keys() []inspect.Key {
	var keys []inspect.Key
	for _, s := range p.Steps {
		if s.Skip == "" && !slices.Contains(keys, s.Key) {
			keys = append(keys, s.Key)
		}
	}
	return keys
}

// describe says in words what is changed.
func (p *Plan) describe() string {
	n, _ := p.Sends()
	var names []string
	for _, k := range p.keys() {
		names = append(names, k.String())
	}
	if n == 0 {
		return "no message"
	}
	return fmt.Sprintf("%s given up by %s", messages(n), shownAll(names))
}

// object is what has to be typed: the consumer, the stream if there are several
// consumers, or how many messages if there are several streams.
func (p *Plan) object() string {
	keys := p.keys()
	n, _ := p.Sends()
	switch sameStream := !slices.ContainsFunc(keys, func(k inspect.Key) bool { return k.Stream != keys[0].Stream }); {
	case len(keys) == 1:
		return shown(keys[0].String())
	case len(keys) > 1 && sameStream:
		return shown(keys[0].Stream)
	}
	return messages(n)
}

// impact says what will happen.
func (p *Plan) impact() []string {
	var all []string
	count, bytes := map[string]int{}, map[string]int{}
	skipped, warned := map[string]int{}, map[string]int{}
	deletes := 0
	for _, s := range p.Steps {
		if s.Skip != "" {
			skipped[s.Skip]++
			continue
		}
		count[s.Stream]++
		bytes[s.Stream] += s.Size
		if s.Delete {
			deletes++
		}
		for _, w := range s.Warnings {
			warned[w]++
		}
	}
	for _, stream := range slices.Sorted(maps.Keys(count)) {
		all = append(all, fmt.Sprintf("publishes %s, %d bytes, into stream %s", messages(count[stream]), bytes[stream], shown(stream)))
	}
	if deletes > 0 {
		all = append(all, fmt.Sprintf("deletes the originals of %s, each when its copy is stored", messages(deletes)))
	}
	if len(p.Others) > 0 {
		var names []string
		for _, k := range p.Others {
			names = append(names, k.String())
		}
		all = append(all, "also delivers copies to "+shownAll(names))
	}
	all = append(all, tally(skipped, "skips %s: %s")...)
	all = append(all, tally(warned, "for %s: %s")...)
	return append(all, p.Warnings...)
}

// mostReasons is how many reasons are told before they are only counted. All are
// in the steps.
const mostReasons = 5

// tally writes a line for each reason, the most frequent first.
func tally(reasons map[string]int, format string) []string {
	order := slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(reasons[b], reasons[a]), cmp.Compare(a, b))
	})
	var all []string
	for _, reason := range order[:min(len(order), mostReasons)] {
		all = append(all, fmt.Sprintf(format, messages(reasons[reason]), reason))
	}
	rest := 0
	for _, reason := range order[len(all):] {
		rest += reasons[reason]
	}
	if rest > 0 {
		all = append(all, fmt.Sprintf(format, messages(rest), "other reasons"))
	}
	return all
}

func messages(n int) string {
	if n == 1 {
		return "1 message"
	}
	return fmt.Sprintf("%d messages", n)
}
