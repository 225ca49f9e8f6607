package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/bench/natsgo"
	"github.com/natsops/natsops/internal/benchreport"
	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/natsconn"
	"github.com/natsops/natsops/internal/slo"
)

// benchOptions is what the flags of every workload say.
type benchOptions struct {
	conn       natsconn.Config
	monitor    string
	output     string
	save       string
	objectives []string
	repeat     int
	noProgress bool
}

func (o *benchOptions) add(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVar(&o.monitor, "monitor", "", "ask the server's monitoring endpoint at `URL` what the load costs it")
	f.VarP(choice(&o.output, benchreport.Formats()...), "output", "o", "print the result as `FORMAT`: "+strings.Join(benchreport.Formats(), ", "))
	f.StringVar(&o.save, "save", "", "also write the result as JSON to `FILE`")
	f.StringArrayVar(&o.objectives, "slo", nil, "exit with 4 unless `OBJECTIVES` hold, for example 'p99<5ms,rate>=100k/s,lost==0'")
	f.Var(countFlag(&o.repeat, 1), "repeat", "run `N` times; report the median and the spread")
	f.BoolVar(&o.noProgress, "no-progress", false, "show no progress (it is only shown on a terminal)")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(benchreport.Formats(), cobra.ShellCompDirectiveNoFileComp))
}

// A client library allocates for every message, and with a heap of a few
// megabytes the collector runs a hundred times a second. What it takes then is
// missing for the load: with this a fan-out delivers a sixth more.
const gcPercent = 400

// A benchJob is one run to make.
type benchJob struct {
	config bench.Config
	header nats.Header
}

func (j benchJob) driver(target natsconn.Target) natsgo.Driver {
	d := natsgo.Driver{Dial: target.Connect, Header: j.header}
	if j.config.Workload == bench.Pub && j.config.Schedule == nil {
		d.Bulk = j.config.Senders
	}
	return d
}

// runBench makes the runs and prints what they measured, also when they were
// cut short.
func runBench(ctx context.Context, w world, o benchOptions, jobs []benchJob) (err error) {
	objectives, err := o.parseObjectives(jobs)
	if err != nil {
		return err
	}
	if err := checkSave(o.save); err != nil {
		return err
	}
	if err := checkMonitor(o.monitor); err != nil {
		return err
	}
	place, err := loadPlace(ctx, w, o.conn, o.monitor)
	if err != nil {
		return err
	}
	defer func() {
		if closing := place.close(); err == nil {
			err = closing
		}
	}()
	if w.getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	}
	doc, runErr := makeRuns(ctx, w, o, place, jobs)
	if len(doc.Results) == 0 {
		return runErr
	}
	doc.SLO = judge(objectives, doc)
	if err := writeDocument(w, o, doc); err != nil {
		return err
	}
	if runErr != nil {
		return runErr
	}
	return missed(doc.SLO)
}

func (o benchOptions) parseObjectives(jobs []benchJob) ([]slo.Objective, error) {
	if len(o.objectives) == 0 {
		return nil, nil
	}
	if len(jobs) > 1 {
		return nil, usagef("--slo needs a workload: natsops bench request --slo …")
	}
	objectives, err := slo.Parse(strings.Join(o.objectives, ","), bench.Metrics(jobs[0].config))
	if err != nil {
		return nil, usagef("--slo: %w", err)
	}
	return objectives, nil
}

func checkMonitor(monitor string) error {
	if monitor == "" {
		return nil
	}
	u, err := url.Parse(monitor)
	if err != nil {
		return usagef("--monitor is no URL; give for example http://127.0.0.1:8222") // it may hold a password
	}
	if u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usagef("--monitor %s is no monitoring endpoint; give for example http://127.0.0.1:8222", u.Redacted())
	}
	return nil
}

// makeRuns makes every job as often as asked, and returns what there is when
// one fails.
func makeRuns(ctx context.Context, w world, o benchOptions, p place, jobs []benchJob) (benchreport.Document, error) {
	doc := benchreport.Document{
		Schema: benchreport.Schema, StartedAt: time.Now(), Version: w.version, Target: p.target.String(), Lab: p.lab != nil,
		Host: benchreport.Host{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version()},
	}
	env, closeEnv, err := p.benchEnv(ctx)
	if err != nil {
		return doc, err
	}
	defer closeEnv()
	progress := newProgress(w, !o.noProgress)
	defer progress.clear()
	for i, job := range jobs {
		job.config.Timeout = p.target.Timeout() // a flag, the environment or a context says it
		for n := range o.repeat {
			progress.label(i*o.repeat+n+1, len(jobs)*o.repeat, job.config.Title())
			env.Driver = job.driver(p.target)
			env.Progress = progress.show
			res, err := bench.Run(ctx, job.config, env)
			if err != nil && res.StartedAt.IsZero() {
				return doc, err
			}
			res.Run = n + 1
			doc.Results = append(doc.Results, res)
			if err != nil {
				return doc, err
			}
		}
	}
	if o.repeat > 1 {
		doc.Spreads = bench.Spreads(doc.Results)
	}
	return doc, nil
}

// benchEnv finds out whom to ask what the load costs the server.
func (p place) benchEnv(ctx context.Context) (bench.Env, func(), error) {
	nc, err := p.target.Connect(ctx, "natsops bench witness", nats.MaxReconnects(-1))
	if err != nil {
		return bench.Env{}, nil, err
	}
	env := bench.Env{SameHost: p.lab != nil || onLoopback(nc.ConnectedAddr())}
	most := lookAround
	if p.monitor != "" {
		most = p.target.Timeout() // it is not a guess
	}
	look, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	source, err := inspect.FindVarz(look, nc, p.monitor)
	if err != nil {
		if p.monitor != "" && p.lab == nil {
			nc.Close()
			return env, nil, usagef("--monitor %s: %w", p.monitor, err)
		}
		env.NoUsage = withHint(err)
		return env, nc.Close, nil
	}
	pid := 0
	if p.lab != nil {
		pid = p.lab.PID()
	}
	env.Usage = func(ctx context.Context) (bench.UsageSample, error) { return usageOf(ctx, source, pid) }
	return env, nc.Close, nil
}

// onLoopback reports whether an address, as in host:port, is this machine's.
func onLoopback(addr string) bool {
	at, err := netip.ParseAddrPort(addr)
	return err == nil && at.Addr().Unmap().IsLoopback()
}

// withHint puts why the server's usage is not known and its remedy into one
// sentence.
func withHint(err error) string {
	why := strings.TrimPrefix(err.Error(), inspect.ErrNoVarz.Error()+": ")
	if remedy := hint.Of(err); remedy != "" {
		return why + "; try " + remedy
	}
	return why
}

// usageOf asks the server what it has used. The operating system knows the CPU
// time of a lab's process to the tick; a server itself only knows its share
// over the last second.
func usageOf(ctx context.Context, source inspect.VarzSource, pid int) (bench.UsageSample, error) {
	v, err := source.Varz(ctx)
	if err != nil {
		return bench.UsageSample{}, err
	}
	s := bench.UsageSample{
		Source: source.Name, ServerID: v.ServerID, At: time.Now(), Started: v.Start,
		CPUCores: v.CPUPercent / 100, Cores: v.Cores, MemBytes: v.MemBytes,
		InMsgs: v.InMsgs, OutMsgs: v.OutMsgs, SlowConsumers: v.SlowConsumers, Connections: v.Connections,
	}
	if cpu, known := inspect.ProcessCPU(pid); known {
		s.CPUTime = cpu
	}
	return s, nil
}

func judge(objectives []slo.Objective, doc benchreport.Document) []slo.Verdict {
	if len(objectives) == 0 {
		return nil
	}
	return slo.Judge(objectives, func(name string) (float64, bool) { return bench.MetricOf(doc.Results, name) })
}

// missed returns an error that names every objective that was missed.
func missed(verdicts []slo.Verdict) error {
	var broken []string
	for _, v := range verdicts {
		if !v.Met {
			broken = append(broken, v.String())
		}
	}
	if len(broken) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", errObjectiveMissed, strings.Join(broken, "; "))
}

func writeDocument(w world, o benchOptions, doc benchreport.Document) error {
	if o.save != "" {
		err := save(o.save, 0o644, func(out io.Writer) error { return benchreport.Write(out, "json", doc, w.style(out)) })
		if err != nil {
			return fmt.Errorf("cannot save the result to %s: %w", o.save, cause(err))
		}
	}
	return benchreport.Write(w.stdout, o.output, doc, w.style(w.stdout))
}
