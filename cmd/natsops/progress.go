package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/quantity"
)

// A progress is one line on a terminal that is written over and over, at most
// ten times a second. Where there is no terminal it does nothing.
type progress struct {
	out   io.Writer // nil: show nothing
	width int

	mu     sync.Mutex
	prefix string
	last   time.Time
	shown  bool
}

const progressEvery = 100 * time.Millisecond

func newProgress(w world, wanted bool) *progress {
	width := w.width(w.stderr)
	if !wanted || width == 0 || w.getenv("TERM") == "dumb" {
		return &progress{}
	}
	return &progress{out: w.stderr, width: width}
}

// label says which run the lines that follow are about.
func (p *progress) label(n, total int, title string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	workload, _, _ := strings.Cut(title, ":")
	p.prefix = workload
	if total > 1 {
		p.prefix = fmt.Sprintf("[%d/%d] %s", n, total, workload)
	}
}

// show replaces the line, unless the last one is newer than progressEvery.
func (p *progress) show(s bench.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.last) >= progressEvery {
		p.write(p.prefix + "  " + describe(s))
	}
}

// line replaces the line.
func (p *progress) line(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.write(text)
}

func (p *progress) write(text string) {
	if p.out == nil {
		return
	}
	p.last, p.shown = time.Now(), true
	line := []rune(text)
	if len(line) >= p.width {
		line = line[:p.width-1]
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", string(line))
}

// clear removes the line, to make room for the result.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.shown = false
	}
}

func describe(s bench.Progress) string {
	if s.Phase == "connecting" {
		return fmt.Sprintf("connecting %d of %d", s.Done, s.Total)
	}
	parts := []string{s.Phase}
	if s.Total > 0 {
		parts = append(parts, fmt.Sprintf("%3.0f%%", 100*min(1, float64(s.Done)/float64(s.Total))))
	}
	if s.RatePerS > 0 {
		parts = append(parts, quantity.FormatRate(s.RatePerS))
	}
	if s.P99NS != nil {
		parts = append(parts, "p99 "+quantity.FormatDuration(time.Duration(*s.P99NS)))
	}
	if s.ETA > 0 {
		parts = append(parts, "ETA "+s.ETA.Round(time.Second).String())
	}
	parts = append(parts, fmt.Sprintf("%d errors", s.Errors))
	if s.Disconnects > 0 {
		parts = append(parts, fmt.Sprintf("%d disconnects", s.Disconnects))
	}
	return strings.Join(parts, "  ")
}
