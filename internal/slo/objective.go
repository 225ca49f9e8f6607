package slo

// A Metric is something that an objective can be set for.
type Metric struct {
	Name string
	Unit Unit
}

// An Objective demands something of a metric.
type Objective struct {
	Metric string  `json:"metric"`
	Op     Op      `json:"op"`
	Want   float64 `json:"want"` // in base units
	Unit   Unit    `json:"unit"`
}

// String returns the objective for people, "p99 < 5ms", as Parse reads it.
func (o Objective) String() string {
	want := o.Unit.format(o.Want)
	if v, err := o.Unit.parse(want); err != nil || v != o.Want {
		want = o.Unit.exact(o.Want)
	}
	return o.Metric + " " + string(o.Op) + " " + want
}

// An Op compares what was measured with what is wanted.
type Op string

// The comparisons.
const (
	Less         Op = "<"
	LessEqual    Op = "<="
	Greater      Op = ">"
	GreaterEqual Op = ">="
	Equal        Op = "=="
	NotEqual     Op = "!="
)

// holds reports whether got Op want is true. Nothing holds for NaN.
func (op Op) holds(got, want float64) bool {
	switch op {
	case Less:
		return got < want
	case LessEqual:
		return got <= want
	case Greater:
		return got > want
	case GreaterEqual:
		return got >= want
	case Equal:
		return got == want
	default:
		return got < want || got > want
	}
}
