package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/natsops/natsops/"

// layers is the architecture: which packages of this module each package may
// import. Arrows point down only. docs/explanation/architecture.md shows the
// same table.
func layers() map[string][]string {
	return map[string][]string{
		"cmd/natsops": {
			"internal/action", "internal/bench", "internal/bench/natsgo", "internal/benchreport", "internal/chaos", "internal/chaos/drill", "internal/chaos/fault", "internal/chaos/journal", "internal/chaos/process", "internal/chaos/proxy", "internal/chaos/watchdog", "internal/chaosreport", "internal/deadletter", "internal/hint", "internal/inspect", "internal/inspect/doctor", "internal/inspect/lag", "internal/inspectreport", "internal/lab", "internal/ledger", "internal/natsconn", "internal/quantity", "internal/report", "internal/sample", "internal/slo",
		},
		"internal/action":         {"internal/hint"},
		"internal/bench":          {"internal/hint", "internal/ledger", "internal/quantity", "internal/slo", "internal/stats"},
		"internal/bench/natsgo":   {"internal/bench"},
		"internal/benchreport":    {"internal/bench", "internal/ledger", "internal/quantity", "internal/report", "internal/slo", "internal/stats"},
		"internal/chaos":          {"internal/chaos/drill", "internal/chaos/fault", "internal/chaos/history", "internal/chaos/load", "internal/chaos/proxy", "internal/hint", "internal/inspect", "internal/inspect/lag", "internal/slo"},
		"internal/chaos/drill":    {"internal/chaos/fault", "internal/chaos/load", "internal/hint", "internal/ledger", "internal/quantity", "internal/slo"},
		"internal/chaos/fault":    {"internal/chaos/process", "internal/chaos/proxy", "internal/hint", "internal/quantity"},
		"internal/chaos/history":  {},
		"internal/chaos/journal":  {"internal/chaos/fault", "internal/chaos/process", "internal/hint"},
		"internal/chaos/load":     {"internal/chaos/history", "internal/ledger"},
		"internal/chaos/process":  {},
		"internal/chaos/proxy":    {"internal/hint"},
		"internal/chaos/watchdog": {"internal/chaos/process"},
		"internal/chaosreport":    {"internal/chaos", "internal/chaos/drill", "internal/chaos/fault", "internal/chaos/history", "internal/chaos/journal", "internal/quantity", "internal/report", "internal/slo"},
		"internal/deadletter":     {"internal/action", "internal/hint", "internal/inspect"},
		"internal/hint":           {},
		"internal/inspect":        {"internal/hint", "internal/inspect/wire"},
		"internal/inspect/doctor": {"internal/inspect", "internal/inspect/lag", "internal/quantity"},
		"internal/inspect/lag":    {"internal/inspect", "internal/quantity"},
		"internal/inspect/wire":   {},
		"internal/inspectreport":  {"internal/action", "internal/deadletter", "internal/inspect", "internal/inspect/doctor", "internal/inspect/lag", "internal/quantity", "internal/report"},
		"internal/lab":            {},
		"internal/leaktest":       {},
		"internal/ledger":         {},
		"internal/natsconn":       {"internal/hint"},
		"internal/quantity":       {},
		"internal/report":         {},
		"internal/sample":         {"internal/hint"},
		"internal/schematest":     {},
		"internal/slo":            {"internal/hint", "internal/quantity"},
		"internal/stats":          {},
	}
}

// owners lists what is not ours, each with the packages that may touch it. A
// library that is not here is a decision that nobody has made yet.
func owners() map[string][]string {
	return map[string][]string{
		"github.com/HdrHistogram/hdrhistogram-go":  {"internal/stats"},
		"github.com/nats-io/nats-server/v2":        {"internal/lab"},
		"github.com/nats-io/nats.go":               {"cmd/natsops", "internal/bench/natsgo", "internal/chaos", "internal/chaos/fault", "internal/chaos/load", "internal/deadletter", "internal/inspect", "internal/inspect/wire", "internal/natsconn", "internal/sample"},
		"github.com/nats-io/nkeys":                 {"internal/lab", "internal/natsconn"},
		"github.com/nats-io/nuid":                  {"internal/sample"},
		"github.com/klauspost/compress":            {"internal/inspect/wire"},
		"github.com/google/go-cmp":                 {"internal/schematest"},
		"github.com/santhosh-tekuri/jsonschema/v6": {"internal/schematest"},
		"github.com/olekukonko/tablewriter":        {"internal/report"},
		"github.com/spf13/cobra":                   {"cmd/natsops"},
		"github.com/spf13/pflag":                   {"cmd/natsops"},
		"github.com/synadia-io/orbit.go":           {"internal/natsconn"},
		"go.yaml.in/yaml/v3":                       {"internal/chaos/drill"},
		"go.uber.org/goleak":                       {"internal/leaktest"},
		"golang.org/x/net":                         {"internal/natsconn"},
		"golang.org/x/sys":                         {"internal/bench", "internal/chaos/journal", "internal/chaos/process", "internal/inspect", "internal/lab"},
		"golang.org/x/term":                        {"cmd/natsops"},
	}
}

func TestPackagesImportOnlyWhatTheirLayerMay(t *testing.T) {
	// Files for one system only have imports too.
	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			imports := importsOn(t, goos)
			for _, name := range slices.Sorted(maps.Keys(imports)) {
				if _, known := layers()[name]; !known {
					t.Errorf("package %s is missing from layers", name)
				}
				for _, imported := range imports[name] {
					if fault := forbidden(name, imported); fault != "" {
						t.Error(fault)
					}
				}
			}
			for _, name := range slices.Sorted(maps.Keys(layers())) {
				if _, exists := imports[name]; !exists {
					t.Errorf("layers lists %s, which does not exist", name)
				}
			}
		})
	}
}

// importsOn returns what each package of the module imports, without its tests.
func importsOn(t *testing.T, goos string) map[string][]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "../../...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	imports := map[string][]string{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&pkg); err != nil {
			t.Fatal(err)
		}
		imports[strings.TrimPrefix(pkg.ImportPath, module)] = pkg.Imports
	}
	return imports
}

// forbidden says why a package must not import another, or nothing.
func forbidden(name, imported string) string {
	if dependency, ours := strings.CutPrefix(imported, module); ours {
		if !slices.Contains(layers()[name], dependency) {
			return fmt.Sprintf("%s must not import %s", name, dependency)
		}
		return ""
	}
	if host, _, _ := strings.Cut(imported, "/"); !strings.Contains(host, ".") {
		return "" // the standard library
	}
	for library, may := range owners() {
		if imported == library || strings.HasPrefix(imported, library+"/") {
			if !slices.Contains(may, name) {
				return fmt.Sprintf("%s must not import %s; only %s may", name, imported, strings.Join(may, ", "))
			}
			return ""
		}
	}
	return fmt.Sprintf("%s imports %s, which is missing from owners", name, imported)
}

func TestForbiddenImportsAreFound(t *testing.T) {
	for _, c := range []struct{ name, imported, want string }{
		{"internal/bench", module + "internal/ledger", ""},
		{"internal/bench", module + "internal/inspect", "internal/bench must not import internal/inspect"},
		{"internal/bench", module + "internal/bench/natsgo", "internal/bench must not import internal/bench/natsgo"},
		{"internal/bench", "github.com/nats-io/nats.go", "internal/bench must not import github.com/nats-io/nats.go; only cmd/natsops, internal/bench/natsgo, internal/chaos, internal/chaos/fault, internal/chaos/load, internal/deadletter, internal/inspect, internal/inspect/wire, internal/natsconn, internal/sample may"},
		{"internal/bench", "github.com/nats-io/nats.go/jetstream", "internal/bench must not import github.com/nats-io/nats.go/jetstream; only cmd/natsops, internal/bench/natsgo, internal/chaos, internal/chaos/fault, internal/chaos/load, internal/deadletter, internal/inspect, internal/inspect/wire, internal/natsconn, internal/sample may"},
		{"internal/bench", "github.com/spf13/pflag", "internal/bench must not import github.com/spf13/pflag; only cmd/natsops may"},
		{"internal/lab", "github.com/nats-io/nats-server/v2/server", ""},
		{"internal/hint", "example.com/clever", "internal/hint imports example.com/clever, which is missing from owners"},
		{"internal/new", module + "internal/hint", "internal/new must not import internal/hint"},
		{"internal/hint", "net/http", ""},
	} {
		if got := forbidden(c.name, c.imported); got != c.want {
			t.Errorf("forbidden(%s, %s)\n got %q\nwant %q", c.name, c.imported, got, c.want)
		}
	}
}

// The page has the table in the form that layerTable writes; what stands around
// it is up to the page.
func TestArchitecturePageShowsTheLayers(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "explanation", "architecture.md"))
	if err != nil {
		t.Fatalf("%v\nthe page must have this table:\n%s", err, layerTable(layers()))
	}
	table := regexp.MustCompile(`(?m)^\| package \| may import \|\n(\|.*\n)*`).FindString(string(page))
	if diff := cmp.Diff(layerTable(layers()), table); diff != "" {
		t.Errorf("docs/explanation/architecture.md differs from layers (-want +got):\n%s", diff)
	}
}

func layerTable(layers map[string][]string) string {
	var table strings.Builder
	table.WriteString("| package | may import |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(layers)) {
		may := "nothing of ours"
		if len(layers[name]) > 0 {
			may = "`" + strings.Join(layers[name], "`, `") + "`"
		}
		fmt.Fprintf(&table, "| `%s` | %s |\n", name, may)
	}
	return table.String()
}
