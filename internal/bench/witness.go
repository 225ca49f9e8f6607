package bench

import (
	"context"
	"errors"
	"time"
)

// A UsageSample is what a server says it has used, at one moment.
type UsageSample struct {
	Source        string // where the numbers come from
	ServerID      string
	At            time.Time
	Started       time.Time
	CPUTime       time.Duration // of the process since its start; 0: not known
	CPUCores      float64       // as the server says, over about the last second
	Cores         int
	MemBytes      int64
	InMsgs        int64
	OutMsgs       int64
	SlowConsumers int64
	Connections   int
}

// A witness watches the server while a run is on: what it used before and
// after, and its CPU in between.
type witness struct {
	env    Env
	cancel context.CancelFunc
	ended  chan struct{}
	first  UsageSample
	last   UsageSample
	err    error // why first is missing
	cores  []float64
	most   float64
}

const (
	witnessEvery = time.Second
	// witnessPatience is for the two samples that a run cannot do without, next to
	// which nothing else happens. The others are best effort.
	witnessPatience = 5 * time.Second
)

// errNoUsage says that nobody can be asked.
var errNoUsage = errors.New("not available")

func startWitness(ctx context.Context, env Env) *witness {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w := &witness{env: env, cancel: cancel, ended: make(chan struct{})}
	if w.first, w.err = w.sample(ctx, witnessPatience); w.err != nil {
		close(w.ended)
		return w
	}
	w.last = w.first
	go w.watch(ctx)
	return w
}

func (w *witness) sample(ctx context.Context, patience time.Duration) (UsageSample, error) {
	if w.env.Usage == nil {
		return UsageSample{}, errNoUsage
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return w.env.Usage(ctx)
}

func (w *witness) watch(ctx context.Context) {
	defer close(w.ended)
	tick := time.NewTicker(witnessEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if s, err := w.sample(ctx, witnessEvery); err == nil {
				w.add(s)
			}
		}
	}
}

// add enters a sample. CPU time, where it is known, is exact between any two
// samples; what a server says of itself lags by up to a second.
func (w *witness) add(s UsageSample) {
	cores := s.CPUCores
	if s.CPUTime > 0 && s.ServerID == w.last.ServerID {
		cores = (s.CPUTime - w.last.CPUTime).Seconds() / s.At.Sub(w.last.At).Seconds()
	}
	w.cores = append(w.cores, cores)
	if len(w.cores) > maxIntervals {
		w.cores = w.cores[:copy(w.cores, w.cores[len(w.cores)/2:])]
	}
	w.most = max(w.most, cores)
	w.last = s
}

// finish returns what the server used, or why that is not known.
func (w *witness) finish(ctx context.Context) (*ServerUsage, string) {
	w.cancel()
	<-w.ended
	if errors.Is(w.err, errNoUsage) {
		return nil, w.env.NoUsage
	}
	if w.err != nil {
		return nil, w.err.Error()
	}
	last, err := w.sample(context.WithoutCancel(ctx), witnessPatience)
	if err != nil {
		return nil, "the server did not answer after the run: " + err.Error()
	}
	return w.usage(last), ""
}

func (w *witness) usage(last UsageSample) *ServerUsage {
	first := w.first
	restarted := last.ServerID != first.ServerID
	if restarted {
		first = UsageSample{At: last.Started}
	}
	u := &ServerUsage{
		Source:        last.Source,
		Cores:         last.Cores,
		MemBytes:      last.MemBytes,
		MemGrowth:     last.MemBytes - w.first.MemBytes,
		InMsgs:        last.InMsgs - first.InMsgs,
		OutMsgs:       last.OutMsgs - first.OutMsgs,
		SlowConsumers: last.SlowConsumers - first.SlowConsumers,
		Connections:   last.Connections,
		Restarted:     restarted,
	}
	switch {
	case last.CPUTime > 0:
		cpu := last.CPUTime - first.CPUTime
		cores := cpu.Seconds() / max(last.At.Sub(first.At).Seconds(), 1e-9)
		ns := int64(cpu)
		u.CPUCores, u.CPUNS = &cores, &ns
	case len(w.cores) > 0:
		var sum float64
		for _, c := range w.cores {
			sum += c
		}
		mean := sum / float64(len(w.cores))
		u.CPUCores = &mean
	}
	if len(w.cores) > 0 {
		most := w.most
		u.CPUCoresMax = &most
	}
	return u
}
