package drill

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/chaos/load"
	"github.com/natsops/natsops/internal/slo"
)

// head makes a file of what follows; that is on line 4 and below.
const head = "apiVersion: natsops/v1\nkind: Drill\nname: mine\n"

// least is the shortest drill.
const least = head + "faults: [{type: kill}]\n"

func TestAFileSaysAllOfADrill(t *testing.T) {
	got, err := Parse("mine.yaml", []byte(`
apiVersion: natsops/v1
kind: Drill
name: my-drill
title: T
about: |
  A.
  B.
promise: P
hypothesis: H
load:
  rate: 1.5k/s
  publishers: {per_server: 2, any: 3}
  size: 1KiB
  ack_wait: 1500ms
  retry: no-id
  consumers: {workers: 4, work: 1ms, ack_wait: 3s, max_ack_pending: 50, max_deliver: 7}
  storage: memory
  like_stream: ORDERS
steady: {window: 3s, limit: 20s, slo: 'errors==0, publish_p99<500ms'}
faults:
  - type: kick
    victim: {servers: [n1, n2], client: "bill*", user: u, account: A, subject: s.>, cid: 42, percent: 50%, max: 5}
    params: {every: 1s, rate: 10}
    for: 5s
  - {type: kill, victim: {role: stream-leader, tag: "az:west"}, at: 2s, for: 4s}
observe: 40s
abort_if: {bystander_outage: 5s, leaderless: 0}
limits: {max_victims: 1, max_percent: 34, keep_quorum: false, max_time: 2m}
expect:
  - lost==0
  - "outage_max<10s,availability>99.9%"
loses: false
control: true
lab: {nodes: 5}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Drill{
		Name: "my-drill", Title: "T", About: "A.\nB.", Promise: "P", Hypothesis: "H",
		Load: Load{
			Rate: 1500, PerServer: 2, Any: 3, Size: 1024, AckWait: 1500 * time.Millisecond, Retry: load.NoID,
			Workers: 4, Work: time.Millisecond, Memory: true, LikeStream: "ORDERS",
			ConsumerAckWait: 3 * time.Second, MaxAckPending: 50, MaxDeliver: 7,
		},
		Steady: Steady{Window: 3 * time.Second, Limit: 20 * time.Second, SLO: []slo.Objective{
			{Metric: "errors", Op: slo.Equal, Unit: slo.Count},
			{Metric: "publish_p99", Op: slo.Less, Want: 5e8, Unit: slo.Duration},
		}},
		Faults: []fault.Spec{
			{
				Kind: "kick", Params: map[string]string{"every": "1s", "rate": "10"}, For: 5 * time.Second,
				Victim: fault.Victim{
					Servers: []string{"n1", "n2"}, Client: "bill*", User: "u", Account: "A", Subject: "s.>", CID: 42, Percent: 50, Max: 5,
				},
			},
			{Kind: "kill", Victim: fault.Victim{Role: "stream-leader", Tag: "az:west"}, At: 2 * time.Second, For: 4 * time.Second},
		},
		Observe: 40 * time.Second,
		Abort:   Abort{Bystanders: 5 * time.Second},
		Limits:  Limits{MaxVictims: 1, MaxPercent: 34, MaxTime: 2 * time.Minute},
		Expect: []slo.Objective{
			{Metric: "lost", Op: slo.Equal, Unit: slo.Count},
			{Metric: "outage_max", Op: slo.Less, Want: 1e10, Unit: slo.Duration},
			{Metric: "availability", Op: slo.Greater, Want: 0.999, Unit: slo.Ratio},
		},
		Control: true,
		Lab:     Lab{Nodes: 5},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatAFileDoesNotSayHasDefaults(t *testing.T) {
	got, err := Parse("f", []byte(least))
	if err != nil {
		t.Fatal(err)
	}
	kill, err := fault.Lookup("kill")
	if err != nil {
		t.Fatal(err)
	}
	want := Defaults()
	want.Name, want.Faults = "mine", []fault.Spec{{Kind: "kill", For: kill.Default}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.Load.Rate != 100 || got.Load.AckWait != 2*time.Second || got.Load.Retry != load.SameID || !got.Limits.KeepQuorum ||
		len(got.Expect) != 2 || len(got.Steady.SLO) != 3 || got.Lab.Nodes != 3 {
		t.Errorf("defaults %+v", got)
	}
}

func TestAnchorsAndAliasesStandForWhatTheyName(t *testing.T) {
	got, err := Parse("f", []byte(head+`faults:
  - &one {type: kill, victim: &who {role: any}, for: &long 5s}
  - *one
  - {type: freeze, victim: *who, for: *long, at: 20s}
`))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Faults) != 3 || got.Faults[2].Victim.Role != "any" || got.Faults[2].For != 5*time.Second || !cmp.Equal(got.Faults[0], got.Faults[1]) {
		t.Errorf("faults %+v", got.Faults)
	}
}

func TestAnErrorNamesTheLineAndWhatFits(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":            {"", "f:1: the file is empty; "},
		"only comments":    {"# nothing\n", "f:1: the file is empty; "},
		"only a mark":      {"---\n", "f:1: the file is empty; "},
		"a word":           {"hello", `f:1: it is "hello"; want keys and their values: apiVersion, `},
		"a list":           {"- a\n", `f:1: it is a list; want keys and their values: `},
		"a second drill":   {least + "---\nname: x\n", "f:5: a second document begins; "},
		"junk at the end":  {least + "...\n}\n", "f:"},
		"a tab":            {head + "load:\n\trate: 3\n", "f:5: a tab stands before the first word; indent with spaces"},
		"bad indentation":  {head + "title: x\n  about: y\n", "f:5: it is not YAML: mapping values are not allowed in this context; look at "},
		"an open quote":    {head + "title: 'x\n", "f:"},
		"an open bracket":  {head + "faults: [\n", "f:"},
		"no such anchor":   {head + "observe: 1s\nfaults: *gone\n", "f:5: *gone stands for nothing; "},
		"not UTF-8":        {head + "title: \xff\n", "f:4: it is not UTF-8; "},
		"a control char":   {head + "title: \x00\n", "f:4: there is the control character U+0000; "},
		"no such key":      {head + "fautls: []\n", `f:4: there is no key "fautls"; did you mean "faults"?`},
		"far from any key": {head + "zzzzzzzz: 1\n", `f:4: there is no key "zzzzzzzz"; want one of: apiVersion, kind, name, `},
		"merging":          {head + "<<: {observe: 3s}\n", `f:4: there is no key "<<"; want one of: `},
		"no such key below": {
			least + "load:\n  rate: 3\n  publishers:\n    any: 1\n    per_sever: 1\n",
			`f:9: load.publishers: there is no key "per_sever"; did you mean "per_server"?`,
		},
		"no such key of a fault":  {head + "faults:\n  - type: kill\n    fro: 3s\n", `f:6: faults[0]: there is no key "fro"; did you mean "for"?`},
		"no such key of a victim": {head + "faults:\n  - type: kill\n    victim:\n      rol: any\n", `f:7: faults[0].victim: there is no key "rol"; did you mean "role"?`},
		"a key twice":             {least + "observe: 3s\nobserve: 4s\n", "f:6: observe: it is there twice; keep this or line 5"},
		"a param twice":           {head + "faults:\n- type: kick\n  params:\n    every: 1s\n    every: 2s\n", "f:8: faults[0].params.every: it is there twice; "},
		"a list as a key":         {head + "? [a]\n: 1\n", "f:4: it is a list as a key; want a word"},
		"another version":         {"apiVersion: natsops/v2\nkind: Drill\nname: x\nfaults: [{type: kill}]\n", `f:1: apiVersion: it is "natsops/v2"; want natsops/v1`},
		"another kind":            {"apiVersion: natsops/v1\nkind: Dril\nname: x\nfaults: [{type: kill}]\n", `f:2: kind: it is "Dril"; want Drill`},
		"no name":                 {"apiVersion: natsops/v1\nkind: Drill\nfaults: [{type: kill}]\n", `f:1: the key "name" is missing; lower-case words`},
		"a name in capitals":      {strings.Replace(least, "mine", "My Drill", 1), `f:3: name: it is "My Drill"; want lower-case words with hyphens`},
		"a name of two lines":     {strings.Replace(least, "mine", `"a\nb"`, 1), `f:3: name: it is "a\nb"; want lower-case words`},
		"a mapping for a text":    {least + "title: {a: b}\n", "f:5: title: it is a mapping; want a text"},
		"nothing for a text":      {least + "title:\n", "f:5: title: it has no value; give it a text, or leave it out"},
		"an empty text":           {least + "title: ' '\n", "f:5: title: it is empty; leave it out"},
		"nothing for a section":   {least + "load:\n", "f:5: load: it has no value; give it a section, or leave it out"},
		"a text for a section":    {least + "load: fast\n", `f:5: load: it is "fast"; want keys and their values: rate, `},
		"a text for a list":       {head + "faults: kill\n", `f:4: faults: it is "kill"; want a list`},
		"a mapping for a list":    {head + "faults: {type: kill}\n", `f:4: faults: it is a mapping; want a list`},
		"a text for a fault":      {head + "faults:\n- kill\n", `f:5: faults[0]: it is "kill"; want keys and their values: type, `},
		"no rate":                 {least + "load: {rate: fast}\n", `f:5: load.rate: cannot read "fast"; want a rate per second`},
		"no duration":             {least + "observe: 30\n", `f:5: observe: cannot read "30"; want a duration`},
		"a negative duration":     {least + "observe: -3s\n", `f:5: observe: cannot read "-3s"; want a duration`},
		"no size":                 {least + "load: {size: 4K}\n", `f:5: load.size: cannot read "4K"; want a size`},
		"no count":                {least + "load: {publishers: {any: 1.5}}\n", `f:5: load.publishers.any: "1.5" is not whole; want a whole number`},
		"yes for true":            {least + "loses: yes\n", `f:5: loses: it is "yes"; want true or false`},
		"no percentage":           {least + "limits: {max_percent: 0}\n", `f:5: limits.max_percent: it is "0"; want a percentage above 0 and up to 100`},
		"no such way to retry":    {least + "load: {retry: same-di}\n", `f:5: load.retry: it cannot be "same-di"; did you mean "same-id"?`},
		"no such storage":         {least + "load: {storage: disc}\n", `f:5: load.storage: it cannot be "disc"; want one of: file, memory`},
		"no such metric":          {least + "expect: losst==0\n", `f:5: expect: objective "losst==0": unknown metric "losst"; did you mean "lost"?`},
		"no such metric in a list": {
			least + "expect:\n- lost==0\n- outage<3s\n", `f:7: expect[1]: objective "outage<3s": unknown metric "outage"; want one of: lost, `,
		},
		"no comparison":          {least + "expect: lost\n", `f:5: expect: objective "lost"; want a metric, one of`},
		"no objective":           {least + "expect: ''\n", `f:5: expect: no objective; want a metric`},
		"an empty list":          {least + "expect: []\n", `f:5: expect: nothing is expected; want at least one objective`},
		"a mapping as objective": {least + "expect: {lost: 0}\n", `f:5: expect: it is a mapping; want a text, or a list of texts`},
		"a list as objective":    {least + "expect: [[lost==0]]\n", `f:5: expect[0]: it is a list; want a text`},
		"of the end in steady":   {least + "steady: {slo: lost==0}\n", `f:5: steady.slo: lost is not known there; want one of: publish_p50, `},
		"of steady at the end":   {least + "expect: consumer_pending<3\n", `f:5: expect: consumer_pending is not known there; want one of: lost, `},
		"nothing is broken":      {head + "faults: []\n", "f:4: faults: nothing is broken; want at least one fault, or control: true"},
		"no faults":              {head, "f:1: faults: nothing is broken; "},
		"no such fault":          {head + "faults:\n- type: kil\n", `f:5: faults[0].type: `},
		"no type":                {head + "faults:\n- for: 3s\n", `f:5: faults[0]: the key "type" is missing; `},
		"no such param":          {head + "faults:\n- type: kick\n  params:\n    rate: 5\n    evry: 1s\n", `f:8: faults[0].params.evry: `},
		"a list of params":       {head + "faults:\n- type: kick\n  params: [a]\n", `f:6: faults[0].params: it is a list; want names and values`},
		"a list as param":        {head + "faults:\n- type: kick\n  params: {every: [1s]}\n", `f:6: faults[0].params.every: it is a list; want one value`},
		"for no time":            {head + "faults: [{type: kill, for: 0s}]\n", "f:4: faults[0].for: it is 0; want a time, or leave it out"},
		"not at the beginning":   {head + "faults: [{type: kill, at: 3s}]\n", "f:4: faults: the first fault is at 3s; want one at 0s"},
		"no connection":          {head + "faults: [{type: kick, victim: {cid: -1}}]\n", `f:4: faults[0].victim.cid: it is "-1"; want the number of a connection`},
		"longer than the limit": {
			head + "faults:\n- {type: kill, for: 50s}\n- {type: freeze, at: 40s, for: 40s}\nlimits:\n  max_time: 100s\n",
			"f:6: faults[1].for: with observe the drill takes 1m50s, and limits.max_time is 1m40s; want a shorter drill",
		},
		"a window that never ends": {least + "steady:\n  window: 30s\n  limit: 20s\n", "f:6: steady.window: it is longer than the limit of 20s"},
		"a wait that never ends":   {head + "faults: [{type: kill, for: 1s}]\nobserve: 1s\nload: {ack_wait: 5s}\n", "f:6: load.ack_wait: it is longer than faults and observe, 2s"},
		"no wait":                  {least + "load: {ack_wait: 0}\n", "f:5: load.ack_wait: it is 0ns; want 10ms to "},
		"no publishers":            {least + "load: {publishers: {any: 0, per_server: 0}}\n", "f:5: load.publishers: there are none; "},
		"no messages":              {least + "load: {rate: 0}\n", "f:5: load.rate: it is 0/s; want a rate above 0"},
		"too small messages":       {least + "load: {size: 3}\n", "f:5: load.size: it is 3; want 24 to "},
		"too many replicas":        {least + "load: {replicas: 6}\n", "f:5: load.replicas: it is 6; want 0 to 5"},
		"more replicas than nodes": {least + "load: {replicas: 3}\nlab: {nodes: 1}\n", "f:5: load.replicas: it is 3, and the lab has 1 nodes; "},
		"replicas said twice":      {least + "load: {replicas: 3, like_stream: X}\n", "f:5: load.replicas: like_stream says how many already; "},
		"even nodes":               {least + "lab: {nodes: 2}\n", "f:5: lab.nodes: it is 2; want 1, 3 or 5"},
		"work without end":         {least + "load: {consumers: {work: 9s}}\n", "f:5: load.consumers.work: it is as long as ack_wait"},
		"nobody to measure":        {least + "load: {consumers: {workers: 0}}\nexpect: drain<3s\n", "f:6: expect: drain is not known without consumers; "},
		"loses and does not":       {least + "loses: true\nexpect: lost==0\n", "f:6: expect: lost==0 is expected of a drill that says loses: true; "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f", []byte(c.text))
			if err == nil {
				t.Fatalf("no error, want %q\n%s", c.want, c.text)
			}
			if !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %s\nwant %s…", err, c.want)
			}
			if !strings.Contains(err.Error(), "; ") {
				t.Errorf("%q does not say what fits", err)
			}
			checkError(t, err, c.text)
		})
	}
}

var problemLine = regexp.MustCompile(`^f:([1-9][0-9]*): .+$`)

func checkError(t *testing.T, err error, text string) {
	t.Helper()
	var file *FileError
	if !errors.Is(err, ErrFile) || !errors.As(err, &file) {
		t.Fatalf("%v is no FileError", err)
	}
	if strings.ContainsAny(err.Error(), "\n\r") || !strings.HasPrefix(err.Error(), "f:") {
		t.Errorf("not one line that begins with the file: %q", err)
	}
	for i, line := range file.Lines() {
		if !problemLine.MatchString(line) {
			t.Errorf("%q has not the form FILE:LINE: what is wrong", line)
		}
		if n := file.Problems[i].Line; n > strings.Count(text, "\n")+1 {
			t.Errorf("%q: there is no line %d", line, n)
		}
		if i > 0 && file.Problems[i].Line < file.Problems[i-1].Line {
			t.Errorf("%q comes after a later line", line)
		}
	}
}

func TestAllThatIsWrongIsToldInOrder(t *testing.T) {
	_, err := Parse("f", []byte(head+"observe: x\nloses: maybe\nload: {rate: -1}\nfaults: [{type: kill}]\n"))
	var file *FileError
	if !errors.As(err, &file) || len(file.Lines()) != 3 {
		t.Fatalf("got %v, want 3 problems", err)
	}
	for i, key := range []string{"observe", "loses", "load.rate"} {
		if p := file.Problems[i]; p.Key != key || p.Line != i+4 {
			t.Errorf("problem %d is %+v, want %s on line %d", i, p, key, i+4)
		}
	}
	if !strings.HasSuffix(err.Error(), " (and 2 more)") {
		t.Errorf("%q does not tell of the others", err)
	}
}

func TestAFileThatIsTooLongIsNotRead(t *testing.T) {
	_, err := Parse("f", []byte(least+strings.Repeat("#", maxFile)))
	if err == nil || !strings.HasPrefix(err.Error(), "f:1: the file has ") {
		t.Errorf("got %v", err)
	}
}

func TestADrillThatWasChangedIsCheckedLikeAFile(t *testing.T) {
	d, err := Builtin("kill-node")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	d.Observe = time.Hour
	err = d.Check()
	if !errors.Is(err, ErrFile) || !strings.HasPrefix(err.Error(), "faults[0].for: ") {
		t.Errorf("Check = %v", err)
	}
	d = Defaults()
	d.Name, d.Faults = "x", []fault.Spec{{Kind: "kill", At: -time.Second}}
	d.Expect = []slo.Objective{{Metric: "nonsense"}}
	if err := d.Check(); err == nil || !strings.Contains(err.Error(), "faults[0].at: ") {
		t.Errorf("Check = %v", err)
	}
}

func TestSpanIsUntilTheLastHeal(t *testing.T) {
	d := Drill{Faults: []fault.Spec{{For: 9 * time.Second}, {At: 5 * time.Second, For: 6 * time.Second}, {At: time.Second}}}
	if got := d.Span(); got != 11*time.Second {
		t.Errorf("Span = %s, want 11s", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, d := range Names() {
		text, err := Source(d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(text))
	}
	for _, s := range []string{"", "a: &a [*a]", "&a [*a, *a]", "a: b: c", "faults: &f [*f]", "load: &l {publishers: *l}", "\"\\n\": 1", "name: \"\\r\\u2028\"", "? ? a\n", "- - - -", "%YAML 9.9\n---\n", "!!binary x", "a\r\nb: c\rd"} {
		f.Add([]byte(s))
		f.Add([]byte(head + s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse("f", text)
		if err != nil {
			checkError(t, err, strings.ReplaceAll(string(text), "\r", "\n"))
			return
		}
		if err := d.Check(); err != nil {
			t.Errorf("what was read is wrong: %v", err)
		}
	})
}
