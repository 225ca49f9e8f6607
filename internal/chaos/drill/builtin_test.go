package drill

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/hint"
)

func TestEveryFileIsADrillAndEveryDrillAFile(t *testing.T) {
	paths, err := filepath.Glob("builtin/*")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range paths {
		got = append(got, strings.TrimSuffix(filepath.Base(p), ".yaml"))
	}
	want := slices.Sorted(slices.Values(slices.Concat(Names(), ControlNames())))
	if !slices.Equal(got, want) {
		t.Errorf("files %v\nnames %v", got, want)
	}
}

func TestBuiltInDrillsSayAllAboutThemselves(t *testing.T) {
	for _, name := range slices.Concat(Names(), ControlNames()) {
		d, err := Builtin(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d.Name != name || d.Title == "" || d.About == "" || d.Promise == "" || d.Hypothesis == "" {
			t.Errorf("%s: calls itself %q, or says too little", name, d.Name)
		}
		if len(d.Title) > 60 || strings.HasSuffix(d.Title, ".") {
			t.Errorf("%s: the title %q is no half line", name, d.Title)
		}
		if d.Control != slices.Contains(ControlNames(), name) {
			t.Errorf("%s: control is %v", name, d.Control)
		}
		if took := d.Steady.Window + d.Span() + d.Observe; took > 75*time.Second && name != "broker-crash" && name != "rolling-restart" {
			t.Errorf("%s: it takes %s", name, took)
		}
		if len(d.Faults) > 0 && d.Load.PerServer == 0 && d.Load.Any == 0 {
			t.Errorf("%s: nobody publishes", name)
		}
	}
}

// A drill that loses nothing must say so: the default of expect is not beside
// what a file expects.
func TestBuiltInDrillsExpectThatNothingIsLostOrSayThatTheyLose(t *testing.T) {
	for _, d := range slices.Concat(Builtins(), Controls()) {
		var metrics []string
		for _, o := range d.Expect {
			metrics = append(metrics, o.String())
		}
		if !d.Loses && !slices.Contains(metrics, "lost == 0") {
			t.Errorf("%s expects %v", d.Name, metrics)
		}
	}
}

func TestEachKindOfFaultThatBreaksServersOrLinksHasADrill(t *testing.T) {
	used := map[string]bool{}
	for _, d := range slices.Concat(Builtins(), Controls()) {
		for _, f := range d.Faults {
			used[f.Kind] = true
		}
	}
	// Of these the effect is on clients that are somebody's, or a limit that is.
	for _, kind := range []string{"client-lame-duck", "connection-storm", "fill"} {
		used[kind] = true
	}
	for _, k := range fault.Kinds() {
		if !used[k.Name] {
			t.Errorf("no drill shows %s", k.Name)
		}
	}
}

func TestADrillThatIsNotBuiltInHasANearName(t *testing.T) {
	_, err := Builtin("kil-node")
	if !errors.Is(err, ErrFile) || hint.Of(err) != "kill-node" {
		t.Errorf("%v, hint %q", err, hint.Of(err))
	}
	if _, err := Source("../drill"); !errors.Is(err, ErrFile) || !strings.HasPrefix(hint.Of(err), "one of kill-node, ") {
		t.Errorf("%v, hint %q", err, hint.Of(err))
	}
}

func TestSourceIsTheFile(t *testing.T) {
	got, err := Source("kill-node")
	want, errRead := os.ReadFile("builtin/kill-node.yaml")
	if err != nil || errRead != nil || got != string(want) {
		t.Errorf("got %q, %v, %v", got, err, errRead)
	}
}
