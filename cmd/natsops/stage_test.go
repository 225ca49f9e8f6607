package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/natsops/natsops/internal/lab"
)

// A stage is what a script plays on: its server, the test's own connection to
// it, and the processes in the background.
type stage struct {
	environment []string // names of variables that processes get
	server      *lab.Server
	nc          *nats.Conn
	heard       map[string]*audience
	processes   map[string]*background
	accepted    chan struct{} // closed when somebody has come to the mute server
}

type stageKey struct{}

func stageOf(ts *testscript.TestScript) *stage { return ts.Value(stageKey{}).(*stage) }

func setUpStage(e *testscript.Env) error {
	e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
	e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, "config"))
	e.Setenv("LANG", "C.UTF-8")
	e.Setenv("NATS_TIMEOUT", "30s") // more than a machine needs that has much else to do
	s := &stage{heard: map[string]*audience{}, processes: map[string]*background{}}
	for _, pair := range e.Vars {
		name, _, _ := strings.Cut(pair, "=")
		s.environment = append(s.environment, name)
	}
	s.environment = append(s.environment, "NATS_URL", "NATS_CONTEXT", "GOMAXPROCS", "XDG_STATE_HOME")
	e.Values[stageKey{}] = s
	e.Defer(s.strike)
	return nil
}

// strike ends what the script has started.
func (s *stage) strike() {
	for _, p := range s.processes {
		p.kill()
	}
	if s.nc != nil {
		s.nc.Close()
	}
}

// connection is the test's own connection to the server of the script.
func (s *stage) connection(ts *testscript.TestScript) *nats.Conn {
	if s.nc == nil {
		if s.server == nil {
			ts.Fatalf("serve first")
		}
		var err error
		s.nc, err = nats.Connect(s.server.URL(), nats.Name("the test"), nats.Timeout(patience), nats.MaxReconnects(-1))
		ts.Check(err)
	}
	return s.nc
}

func cmdServe(ts *testscript.TestScript, args []string) {
	var cfg lab.Config
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar((*string)(&cfg.Auth), "auth", "", "")
	flags.StringVar((*string)(&cfg.TLS), "tls", "", "")
	flags.BoolVar(&cfg.TLSFirst, "tlsfirst", false, "")
	flags.Func("user", "", func(text string) error {
		name, denied, _ := strings.Cut(text, ":")
		u := lab.User{Name: name, Password: "known"}
		if denied != "" {
			u.DenyPublish = strings.Split(denied, ",")
		}
		cfg.Users = append(cfg.Users, u)
		return nil
	})
	ts.Check(flags.Parse(args))
	server, err := lab.Start(cfg)
	ts.Check(err)
	ts.Defer(func() { _ = server.Stop() })
	stageOf(ts).server = server
	_, address, _ := strings.Cut(server.URL(), "://")
	creds, system := server.Credentials(), lab.Credentials{}
	if c, ok := server.SystemCredentials(); ok {
		system = c
	}
	for name, value := range map[string]string{
		"NATS_URL": server.URL(), "ADDRESS": address, "MONITOR": server.MonitorURL(),
		"USER": creds.User, "PASSWORD": creds.Password, "TOKEN": creds.Token, "NKEY": creds.NKeyFile,
		"SYSTEM_PASSWORD": system.Password,
		"CA":              creds.CAFile, "CERT": creds.CertFile, "KEY": creds.KeyFile,
	} {
		ts.Setenv(name, value)
	}
}

func cmdRestart(ts *testscript.TestScript, _ []string) {
	ts.Check(stageOf(ts).server.Restart(context.Background()))
}

func cmdHalt(ts *testscript.TestScript, _ []string) {
	ts.Check(stageOf(ts).server.Stop())
}

func cmdMute(ts *testscript.TestScript, _ []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv("NATS_URL", "nats://"+listener.Addr().String())
	accepted := make(chan struct{})
	stageOf(ts).accepted = accepted
	over := make(chan struct{})
	ts.Defer(func() { listener.Close(); close(over) })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		close(accepted)
		<-over
		conn.Close()
	}()
}

func cmdAccepted(ts *testscript.TestScript, _ []string) {
	select {
	case <-stageOf(ts).accepted:
	case <-time.After(patience):
		ts.Fatalf("nobody has come")
	}
}

func cmdContext(ts *testscript.TestScript, args []string) {
	creds := stageOf(ts).server.Credentials()
	content, err := json.Marshal(map[string]string{
		"url": stageOf(ts).server.URL(), "user": creds.User, "password": creds.Password, "token": creds.Token,
	})
	ts.Check(err)
	dir := filepath.Join(ts.Getenv("XDG_CONFIG_HOME"), "nats", "context")
	ts.Check(os.MkdirAll(dir, 0o700))
	ts.Check(os.WriteFile(filepath.Join(dir, args[0]+".json"), content, 0o600))
}

func cmdRespond(ts *testscript.TestScript, args []string) {
	nc := stageOf(ts).connection(ts)
	flags := flag.NewFlagSet("respond", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	times := flags.Int("times", math.MaxInt, "")
	twice := flags.Bool("twice", false, "")
	ts.Check(flags.Parse(args))
	_, err := nc.Subscribe(flags.Arg(0), func(m *nats.Msg) {
		if *times--; *times < 0 {
			return
		}
		m.Respond(m.Data)
		if *twice {
			m.Respond(m.Data)
		}
	})
	ts.Check(err)
	ts.Check(nc.FlushTimeout(patience))
}

// An audience keeps the messages of a subject.
type audience struct {
	mu       sync.Mutex
	messages []*nats.Msg
}

func (a *audience) add(m *nats.Msg) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.messages = append(a.messages, m)
}

func (a *audience) all() []*nats.Msg {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.messages)
}

func cmdListen(ts *testscript.TestScript, args []string) {
	nc, a := stageOf(ts).connection(ts), &audience{}
	_, err := nc.Subscribe(args[0], a.add)
	ts.Check(err)
	ts.Check(nc.FlushTimeout(patience))
	stageOf(ts).heard[args[0]] = a
}

// cmdHeard writes how many messages came on each subject and with each header,
// and the payload of the first to the file payload.
func cmdHeard(ts *testscript.TestScript, args []string) {
	a := stageOf(ts).heard[args[0]]
	want := number(ts, args[1])
	eventually(ts, "heard "+args[1]+" messages on "+args[0], func() bool { return len(a.all()) >= want })
	counts := map[string]int{}
	messages := a.all()
	for _, m := range messages {
		counts["subject "+m.Subject]++
		for name, values := range m.Header {
			counts["header "+name+": "+strings.Join(values, "|")]++
		}
	}
	for _, line := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(ts.Stdout(), "%s %d\n", line, counts[line])
	}
	if len(messages) > 0 {
		ts.Check(os.WriteFile(ts.MkAbs("payload"), messages[0].Data, 0o600))
	}
}

func cmdUnheard(ts *testscript.TestScript, args []string) {
	ts.Check(stageOf(ts).connection(ts).FlushTimeout(patience)) // so that what was published has come
	if messages := stageOf(ts).heard[args[0]].all(); len(messages) > 0 {
		ts.Fatalf("heard %d messages on %s, the first on %s", len(messages), args[0], messages[0].Subject)
	}
}

// enoughLoad is so many messages that a load is surely more than the probes
// that come before it.
const enoughLoad = 200

func cmdFlows(ts *testscript.TestScript, args []string) {
	flags := flag.NewFlagSet("flows", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	url := flags.String("at", "", "")
	ts.Check(flags.Parse(args))
	var nc *nats.Conn
	if *url == "" {
		nc = stageOf(ts).connection(ts)
	} else {
		var err error
		nc, err = nats.Connect(*url, nats.Timeout(patience))
		ts.Check(err)
		defer nc.Close()
	}
	sub, err := nc.SubscribeSync(flags.Arg(0))
	ts.Check(err)
	ts.Check(sub.AutoUnsubscribe(enoughLoad)) // or a load without a rate could be too much for us
	for range enoughLoad {
		if _, err := sub.NextMsg(patience); err != nil {
			ts.Fatalf("no load on %s: %v", flags.Arg(0), err)
		}
	}
}

// clients are the connections that the server of the script has.
func (s *stage) clients(ts *testscript.TestScript) []connection {
	var page struct {
		Connections []connection `json:"connections"`
	}
	ts.Check(monitor(s.server, "/connz?subs=1&limit=5000", &page))
	return page.Connections
}

type connection struct {
	Name          string   `json:"name"`
	Subscriptions []string `json:"subscriptions_list"`
}

func cmdSubscribed(ts *testscript.TestScript, args []string) {
	want := number(ts, args[1])
	eventually(ts, args[1]+" subscriptions of "+args[0], func() bool {
		n := 0
		for _, c := range stageOf(ts).clients(ts) {
			if slices.Contains(c.Subscriptions, args[0]) {
				n++
			}
		}
		return n == want
	})
}

func cmdDisconnected(ts *testscript.TestScript, _ []string) {
	eventually(ts, "no connection of natsops", func() bool {
		return !slices.ContainsFunc(stageOf(ts).clients(ts), func(c connection) bool {
			return strings.HasPrefix(c.Name, "natsops")
		})
	})
}
