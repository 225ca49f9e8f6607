package main

import (
	"strings"
	"time"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/quantity"
)

// maxRate asks for no rate: as fast as it goes.
const maxRate = "max"

// schedule makes the flags --rate and --schedule into a schedule; nil means
// unpaced. The form of the rate must fit the schedule: one rate for constant and
// poisson, FROM..TO for ramp, A,B,C for steps.
func schedule(kind, rate string, over time.Duration, seed uint64) (bench.Schedule, error) {
	if rate == maxRate {
		if kind != "constant" {
			return nil, usagef("--schedule %s needs a --rate", kind)
		}
		return nil, nil
	}
	switch kind {
	case "ramp":
		from, to, ok := strings.Cut(rate, "..")
		if !ok {
			return nil, usagef("--schedule ramp needs --rate FROM..TO, for example 1k..10k, not %q", rate)
		}
		a, err := rateIn(from, rate)
		if err != nil {
			return nil, err
		}
		b, err := rateIn(to, rate)
		return bench.Ramp{From: a, To: b, Over: over}, err
	case "steps":
		rates, err := manyRates(rate)
		if err != nil {
			return nil, err
		}
		return bench.Steps{Rates: rates, Each: over / time.Duration(len(rates))}, nil
	case "poisson":
		r, err := oneRate(rate)
		return bench.Poisson{Rate: r, Seed: seed}, err
	default:
		r, err := oneRate(rate)
		return bench.Constant(r), err
	}
}

func oneRate(s string) (float64, error) { return rateIn(s, s) }

// rateIn reads one rate of what the user wrote.
func rateIn(s, whole string) (float64, error) {
	if strings.Contains(s, "..") {
		return 0, usagef("--rate %q is a range: say --schedule ramp, or give one rate", s)
	}
	if strings.Contains(s, ",") {
		return 0, usagef("--rate %q is a list: say --schedule steps, or give one rate", s)
	}
	r, err := quantity.ParseRate(s)
	if err != nil {
		return 0, usagef("invalid argument %q for --rate: %w", whole, err)
	}
	if r <= 0 {
		return 0, usagef("--rate %q sends nothing; give a rate above 0, or max", s)
	}
	return r, nil
}

func manyRates(s string) ([]float64, error) {
	parts := strings.Split(s, ",")
	if len(parts) < 2 {
		return nil, usagef("--schedule steps needs --rate with a list, for example 1k,2k,5k, not %q", s)
	}
	rates := make([]float64, len(parts))
	for i, p := range parts {
		var err error
		if rates[i], err = rateIn(p, s); err != nil {
			return nil, err
		}
	}
	return rates, nil
}
