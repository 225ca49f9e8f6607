package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/inspectreport"
	"github.com/natsops/natsops/internal/sample"
)

// A fleet is a cluster of real servers of one version.
type fleet struct {
	urls, monitors []string
	processes      []*exec.Cmd
}

const fleetConfig = `
server_name: %[1]s
listen: "127.0.0.1:%[2]d"
http: "127.0.0.1:%[3]d"
jetstream { store_dir: %[4]q }
accounts {
  SYS { users: [{user: system, password: secret}] }
  APP { jetstream: enabled, users: [{user: app, password: secret}] }
}
system_account: SYS
no_auth_user: app
cluster { name: old, listen: "127.0.0.1:%[5]d", routes: [%[6]s] }
`

// startFleet starts three servers from a binary.
func startFleet(t *testing.T, binary string) *fleet {
	t.Helper()
	f := &fleet{}
	var clients, monitors, routes []int
	for range 3 {
		clients, monitors, routes = append(clients, freePort(t)), append(monitors, freePort(t)), append(routes, freePort(t))
	}
	var peers []string
	for _, port := range routes {
		peers = append(peers, fmt.Sprintf("nats://127.0.0.1:%d", port))
	}
	dir := t.TempDir()
	for i := range 3 {
		name := fmt.Sprintf("n%d", i+1)
		config := filepath.Join(dir, name+".conf")
		text := fmt.Sprintf(fleetConfig, name, clients[i], monitors[i], filepath.Join(dir, name), routes[i], strings.Join(peers, ", "))
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		server := exec.Command(binary, "-c", config, "-l", filepath.Join(dir, name+".log"))
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = server.Process.Kill()
			_ = server.Wait()
		})
		f.urls = append(f.urls, fmt.Sprintf("nats://127.0.0.1:%d", clients[i]))
		f.monitors = append(f.monitors, fmt.Sprintf("http://127.0.0.1:%d", monitors[i]))
		f.processes = append(f.processes, server)
	}
	return f
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// start starts the sample applications, as soon as the cluster takes them.
func (f *fleet) start(t *testing.T, names []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	dial := func(_ context.Context, name string) (*nats.Conn, error) {
		return nats.Connect(strings.Join(f.urls, ","), nats.Name(name), nats.MaxReconnects(-1))
	}
	var traffic *sample.Traffic
	var err error
	for ; ; <-time.After(500 * time.Millisecond) {
		if traffic, err = sample.Start(t.Context(), dial, sample.Options{Names: names, Replicas: 3}); err == nil {
			break
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = traffic.Stop() })
	if err := traffic.Settled(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestOlderServersAreUnderstood(t *testing.T) {
	cache := os.Getenv("NATSOPS_COMPAT")
	if cache == "" {
		t.Skip("it takes servers of other versions: make compat")
	}
	for version := range strings.FieldsSeq(os.Getenv("NATSOPS_COMPAT_VERSIONS")) {
		t.Run(version, func(t *testing.T) {
			f := startFleet(t, filepath.Join(cache, version, "nats-server"))
			names := []string{"ok", "filtered", "idle", "work-queue", "falling-behind", "ack-stalled", "no-clients", "poison", "exhausted", "ack-none", "push", "push-unbound", "hung", "evicting"}
			if !strings.HasPrefix(version, "v2.10.") {
				names = append(names, "paused") // since 2.11
			}
			f.start(t, names)
			all := strings.Join(f.urls, ",")
			routes := map[string][]string{
				"account": {"-s", all},
				"system":  {"-s", all, "--user", "system", "--password", "secret"},
				"monitor": {"--monitor", strings.Join(f.monitors, ",")},
			}
			for route, args := range routes {
				t.Run("lag/"+route, func(t *testing.T) { expectLag(t, names, args) })
				t.Run("doctor/"+route, func(t *testing.T) { expectDoctor(t, version, route, args) })
			}
			for kind, more := range map[string]string{
				"kick": "    params: {every: 500ms}", "step-down": "", "consumer-pause": "", "ack-hold": "", "nak-storm": "", "connection-storm": "", "reconnect-storm": "",
			} {
				t.Run("chaos/"+kind, func(t *testing.T) { expectDrill(t, version, all, drillOf(kind, more)) })
			}
			t.Run("frozen", func(t *testing.T) { expectFrozen(t, f, routes["system"]) })
		})
	}
}

func expectLag(t *testing.T, names, args []string) {
	t.Helper()
	o := natsops(t, nil, append([]string{"lag", "--all", "-o", "json", "--fail-on", "never"}, args...)...)
	var doc inspectreport.Lag
	if err := json.Unmarshal([]byte(o.stdout), &doc); err != nil {
		t.Fatalf("%v\n%s", err, o.stderr)
	}
	if !doc.Picture.Complete || doc.Totals.Unknown > 0 {
		t.Errorf("the picture is not complete: %+v", doc.Picture.Gaps)
	}
	for _, s := range sample.Scenarios() {
		if !slices.Contains(names, s.Name) {
			continue
		}
		i := slices.IndexFunc(doc.Consumers, func(c inspectreport.Consumer) bool {
			ok, _ := path.Match(s.Consumer, c.Consumer)
			return ok && c.Stream == s.Stream
		})
		if i < 0 {
			t.Errorf("%s is not there", s.Name)
		} else if c := doc.Consumers[i]; string(c.Status) != s.Want {
			t.Errorf("%s is %s, want %s: %s", s.Name, c.Status, s.Want, c.Advice)
		}
	}
}

func expectDoctor(t *testing.T, version, route string, args []string) {
	t.Helper()
	o := natsops(t, nil, append([]string{"doctor", "-o", "json", "--fail-on", "never"}, args...)...)
	var doc inspectreport.Doctor
	if err := json.Unmarshal([]byte(o.stdout), &doc); err != nil || o.code != 0 {
		t.Fatalf("exit code %d, %v\n%s", o.code, err, o.stderr)
	}
	found := map[string]bool{}
	for _, f := range doc.Findings {
		found[f.Check] = true
	}
	for _, check := range []string{"lag.falling-behind", "lag.redelivery-loop", "lag.no-clients"} {
		if !found[check] {
			t.Errorf("%s found nothing", check)
		}
	}
	old := strings.HasPrefix(version, "v2.10.") || strings.HasPrefix(version, "v2.11.")
	needs := slices.ContainsFunc(doc.Skipped, func(s inspectreport.Skip) bool { return strings.Contains(s.Why, "needs nats-server 2.12") })
	if route != "account" && needs != old {
		t.Errorf("checks that need 2.12 are skipped: %v, want %v", needs, old)
	}
	for _, s := range doc.Skipped {
		t.Logf("skipped: %s: %s", s.Check, s.Why)
	}
}

// drillOf is a short drill of one fault.
func drillOf(kind, more string) string {
	lasts := "    for: 2s\n"
	if kind == "step-down" || kind == "reconnect-storm" {
		lasts = "" // it is over at once
	}
	return "apiVersion: natsops/v1\nkind: Drill\nname: short\nload: {rate: 50/s}\nsteady: {window: 2s, limit: 1m, slo: ['errors==0']}\n" +
		"faults:\n  - type: " + kind + "\n" + lasts + more + "\nobserve: 3s\nexpect: ['lost==0', 'duplicates_stored==0', 'unexpected==0', 'undelivered==0']\n"
}

// expectDrill has a drill pass, or be refused where the server is too old for it.
func expectDrill(t *testing.T, version, servers, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "drill.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"XDG_STATE_HOME": t.TempDir()}
	o := natsops(t, env, "chaos", "run", file, "-s", servers, "--system-user", "system", "--system-password", "secret", "--yes", "-o", "json")
	if strings.Contains(text, "consumer-pause") && strings.HasPrefix(version, "v2.10.") {
		if o.code != 2 || !strings.Contains(o.stderr, "needs nats-server 2.11") {
			t.Errorf("exit code %d: %s", o.code, o.stderr)
		}
		return
	}
	if o.code != 0 {
		t.Errorf("exit code %d: %s\n%s", o.code, o.stderr, o.stdout)
	}
}

// expectFrozen has one server of three not answer.
func expectFrozen(t *testing.T, f *fleet, args []string) {
	t.Helper()
	third := f.processes[2].Process
	if err := freeze(third); err != nil {
		t.Skipf("this system cannot stop a process in the middle of what it does: %v", err)
	}
	args[1] = f.urls[0]
	o := natsops(t, nil, append([]string{"lag", "--all", "-o", "json", "--fail-on", "never", "--window", "0"}, args...)...)
	var doc inspectreport.Lag
	if err := json.Unmarshal([]byte(o.stdout), &doc); err != nil || o.code != 8 {
		t.Fatalf("exit code %d, %v\n%s", o.code, err, o.stderr)
	}
	if !strings.Contains(o.stderr, "n3") || len(doc.Picture.Servers) != 3 || doc.Picture.Servers[2].State != "unknown" {
		t.Errorf("n3 is not missed: %s\n%+v", o.stderr, doc.Picture.Servers)
	}
	for _, c := range doc.Consumers {
		if c.Leader == "n3" && (c.Status != "UNREACHABLE" || c.Backlog != nil) {
			t.Errorf("%s/%s of n3 is %s", c.Stream, c.Consumer, c.Status)
		}
	}
}
