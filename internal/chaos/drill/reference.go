package drill

import (
	"fmt"
	"strings"
)

// Rows lists every key of a drill file, a section before what is in it.
func Rows() []Row { return rows("", drillKeys()) }

// Reference is the page of the keys and metrics of drills, in Markdown.
func Reference() string {
	var page strings.Builder
	page.WriteString("# Drill files\n\n" +
		"A drill is a YAML file of one document. `natsops chaos describe NAME` shows a built-in one to begin with.\n" +
		"A key that is not in this table is an error, and so is one that is there twice; anchors and aliases may be used.\n" +
		"An error names the file and the line, and nothing is sent (exit code 2).\n\n" +
		"## Keys\n\n`faults[].type` is the key `type` of each item of the list `faults`.\n\n" +
		"| key | type | default | meaning |\n|---|---|---|---|\n")
	for _, r := range Rows() {
		fallback := ""
		switch {
		case r.Required:
			fallback = "required"
		case r.Default != "":
			fallback = "`" + r.Default + "`"
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", r.Key, r.Type, fallback, r.About)
	}
	page.WriteString("\n## Metrics\n\n" +
		"What objectives can be set for: in `steady.slo`, before anything is broken and again at the end, and in `expect`.\n" +
		"What could not be measured is not met.\n\n" +
		"| metric | unit | in | what it is |\n|---|---|---|---|\n")
	for _, m := range Metrics() {
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", m.Name, m.Unit, m.where(), m.Doc)
	}
	return page.String()
}

func (m Metric) where() string {
	switch {
	case m.Steady && m.Expect:
		return "`steady.slo`, `expect`"
	case m.Steady:
		return "`steady.slo`"
	default:
		return "`expect`"
	}
}
