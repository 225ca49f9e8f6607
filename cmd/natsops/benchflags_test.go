package main

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/natsconn"
)

// parseConfig makes the arguments of a workload's command into what will be
// run. The one file that there is, order.json, holds seven bytes.
func parseConfig(t *testing.T, w bench.Workload, inherited *pflag.FlagSet, args ...string) (bench.Config, nats.Header, error) {
	t.Helper()
	var flags benchFlags
	cmd := &cobra.Command{}
	flags.add(cmd, w)
	if inherited != nil {
		cmd.Flags().AddFlagSet(inherited)
	}
	flags.read = func(name string) ([]byte, error) {
		if name != "order.json" {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return []byte("{\"a\":1}"), nil
	}
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	return flags.config(w, cmd.Flags().Args())
}

// defaults is what runs when no flag is given. The subject is one of our own.
func defaults(w bench.Workload) bench.Config {
	c := bench.Config{Workload: w, Subjects: 1, Timeout: natsconn.DefaultTimeout}
	if w == bench.Sub || w == bench.Reply {
		c.Receivers = 1
		c.Payload.Kind = bench.ZeroPayload
		c.Subject = "orders"
		return c
	}
	c.Senders, c.Size, c.Payload.Kind, c.Seed = 1, 128, bench.RandomPayload, 1
	c.Duration, c.Warmup, c.Rate = 10*time.Second, time.Second, "max"
	if w != bench.Pub {
		c.Receivers = 1
	}
	if w == bench.Request {
		c.Rate, c.Schedule = "1k", bench.Constant(1000)
	}
	return c
}

func TestFlagsBecomeAConfiguration(t *testing.T) {
	type config = bench.Config
	for _, c := range []struct {
		workload bench.Workload
		args     string
		change   func(*config) // of the defaults
	}{
		{bench.Pub, "", func(*config) {}},
		{bench.PubSub, "", func(*config) {}},
		{bench.Request, "", func(*config) {}},
		{bench.Sub, "orders", func(c *config) { c.Idle = 5 * time.Second }},
		{bench.Reply, "orders", func(*config) {}},

		{bench.Pub, "orders.new", func(c *config) { c.Subject = "orders.new" }},
		{bench.Pub, "orders --subjects 100", func(c *config) { c.Subject, c.Subjects = "orders", 100 }},
		{bench.Pub, "--clients 4", func(c *config) { c.Senders = 4 }},
		{bench.PubSub, "--publishers 2 --subscribers 10", func(c *config) { c.Senders, c.Receivers = 2, 10 }},
		{bench.PubSub, "--queue workers", func(c *config) { c.Queue = "workers" }},
		{bench.Request, "--clients 3 --responders 2 --queue workers", func(c *config) { c.Senders, c.Receivers, c.Queue = 3, 2, "workers" }},
		{bench.Sub, "orders.> --clients 4 --queue q --idle 0", func(c *config) { c.Subject, c.Receivers, c.Queue = "orders.>", 4, "q" }},
		{bench.Reply, "orders --clients 4 --queue q --size 1KiB --idle 1s", func(c *config) { c.Receivers, c.Queue, c.Size, c.Idle = 4, "q", 1024, time.Second }},

		// How long. A number of messages takes the place of both times.
		{bench.Pub, "--duration 1m", func(c *config) { c.Duration = time.Minute }},
		{bench.Pub, "--warmup 0s", func(c *config) { c.Warmup = 0 }},
		{bench.Pub, "--duration 1m --warmup 5s", func(c *config) { c.Duration, c.Warmup = time.Minute, 5*time.Second }},
		{bench.Pub, "--msgs 1.5M", func(c *config) { c.Msgs, c.Duration, c.Warmup = 1_500_000, 0, 0 }},
		{bench.Pub, "--msgs 10k --warmup 2s", func(c *config) { c.Msgs, c.Duration, c.Warmup = 10_000, 0, 2*time.Second }},
		{bench.Sub, "orders --msgs 10 --duration 1m", func(c *config) { c.Msgs, c.Duration, c.Idle = 10, time.Minute, 5*time.Second }},

		// When. A schedule lasts as long as the load, the warm-up included.
		{bench.Pub, "--rate 10k/s", func(c *config) { c.Rate, c.Schedule = "10k/s", bench.Constant(10_000) }},
		{bench.Pub, "--rate 0.5", func(c *config) { c.Rate, c.Schedule = "0.5", bench.Constant(0.5) }},
		{bench.Pub, "--rate 2k --schedule poisson --seed 7", func(c *config) {
			c.Rate, c.Schedule, c.Seed = "2k", bench.Poisson{Rate: 2000, Seed: 7}, 7
		}},
		{bench.Pub, "--rate 1k..2k --schedule ramp", func(c *config) {
			c.Rate, c.Schedule = "1k..2k", bench.Ramp{From: 1000, To: 2000, Over: 11 * time.Second}
		}},
		{bench.Pub, "--rate 1k,2k,5k --schedule steps --duration 8s", func(c *config) {
			c.Rate, c.Duration = "1k,2k,5k", 8*time.Second
			c.Schedule = bench.Steps{Rates: []float64{1000, 2000, 5000}, Each: 3 * time.Second}
		}},
		{bench.PubSub, "--rate max", func(*config) {}},
		{bench.Request, "--rate max", func(c *config) { c.Rate, c.Schedule = "max", nil }},

		// A closed loop has no rate unless one is given.
		{bench.Request, "--closed", func(c *config) { c.Closed, c.Rate, c.Schedule = true, "max", nil }},
		{bench.Request, "--closed --rate 1k", func(c *config) { c.Closed = true }},
		{bench.PubSub, "--closed --in-flight 10", func(c *config) { c.Closed, c.InFlight = true, 10 }},
		{bench.Request, "--in-flight 1k --retries 3", func(c *config) { c.InFlight, c.Retries = 1000, 3 }},
		{bench.Request, "orders --external", func(c *config) { c.Subject, c.External = "orders", true }},

		// What. A file has its own size, and room for the stamp after it.
		{bench.Pub, "--size 4KiB --payload zero", func(c *config) { c.Size, c.Payload.Kind = 4096, bench.ZeroPayload }},
		{bench.Pub, "--size 1", func(c *config) { c.Size = 1 }},
		{bench.PubSub, "--size 24", func(c *config) { c.Size = 24 }},
		{bench.Pub, "--payload order.json", func(c *config) {
			c.Size, c.Payload = 7, bench.Payload{Kind: bench.FilePayload, Name: "order.json", Data: []byte(`{"a":1}`)}
		}},
		{bench.PubSub, "--payload order.json", func(c *config) {
			c.Size, c.Payload = 7+24, bench.Payload{Kind: bench.FilePayload, Name: "order.json", Data: []byte(`{"a":1}`)}
		}},
		{bench.Pub, "-H A:1 --header B:2 -H A:3", func(c *config) { c.Headers = []string{"A", "B"} }},
	} {
		t.Run(string(c.workload)+" "+c.args, func(t *testing.T) {
			got, _, err := parseConfig(t, c.workload, nil, words(c.args)...)
			if err != nil {
				t.Fatal(err)
			}
			want := defaults(c.workload)
			c.change(&want)
			if want.Subject == "" {
				if want.Subject = got.Subject; !strings.HasPrefix(got.Subject, "natsops.") {
					t.Errorf("the subject is %q, want one of our own", got.Subject)
				}
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.SortSlices(strings.Compare)); diff != "" {
				t.Errorf("configuration (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHeadersAreReadWithTheirValues(t *testing.T) {
	_, header, err := parseConfig(t, bench.Pub, nil, "-H", "A: 1 ", "-H", "b-C:x:y", "-H", "A:2", "-H", "Empty:")
	if err != nil {
		t.Fatal(err)
	}
	// NATS headers keep their case.
	want := nats.Header{"A": {"1", "2"}, "b-C": {"x:y"}, "Empty": {""}}
	if diff := cmp.Diff(want, header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if _, header, err = parseConfig(t, bench.Pub, nil); header != nil || err != nil {
		t.Errorf("without the flag: %v, %v, want none", header, err)
	}
}

func TestEveryRunHasASubjectOfItsOwn(t *testing.T) {
	first, _, err1 := parseConfig(t, bench.Pub, nil)
	second, _, err2 := parseConfig(t, bench.Pub, nil)
	if err := errors.Join(err1, err2); err != nil || first.Subject == second.Subject {
		t.Errorf("the subjects are %q and %q (%v)", first.Subject, second.Subject, err)
	}
}

// A flag that is read but makes no difference would be a lie.
func TestEveryFlagOfAWorkloadChangesItsConfiguration(t *testing.T) {
	given := map[string]string{
		"clients": "2", "publishers": "2", "subscribers": "2", "responders": "2", "queue": "q", "msgs": "5",
		"duration": "7s", "warmup": "7s", "rate": "7", "schedule": "poisson", "size": "77", "payload": "zero",
		"header": "A:1", "in-flight": "7", "closed": "true", "retries": "7", "idle": "7s", "external": "true",
		"seed": "7", "subjects": "7",
	}
	for _, w := range workloads() {
		var flags benchFlags
		cmd := &cobra.Command{}
		flags.add(cmd, w.workload)
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			base := []string{"orders"}
			if f.Name == "schedule" {
				base = append(base, "--rate", "5")
			}
			before, _, err1 := parseConfig(t, w.workload, nil, base...)
			after, _, err2 := parseConfig(t, w.workload, nil, append(base, "--"+f.Name+"="+given[f.Name])...)
			if err := errors.Join(err1, err2); err != nil || cmp.Equal(before, after) {
				t.Errorf("%s --%s %s changes nothing (%v)", w.workload, f.Name, given[f.Name], err)
			}
		})
	}
}
