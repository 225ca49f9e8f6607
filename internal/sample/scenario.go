package sample

import (
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// A Scenario is one consumer with those who publish for it and those who
// process what is published. Some scenarios share a stream.
type Scenario struct {
	Name     string   // for [Options]
	About    string   // what its application does, in a sentence
	Stream   string   // of the consumer
	Consumer string   // the name, or a pattern of [path.Match] where the client chooses the name
	Want     string   // status that natsops lag should show once it has settled: "ACK_STALLED"
	WantTags []string // and tags; more may show
	Curated  bool     // belongs to the set that is shown to people

	with     []string // other scenarios that it makes no sense without
	consumer jetstream.ConsumerConfig
	clients  []client
	settled  []condition
}

// A Habit is what applications do without JetStream, well or badly.
type Habit struct {
	Name    string // for [Options]
	About   string // what the application does, in a sentence
	Client  string // name of the connections that show it
	Want    string // check of natsops doctor that should find it: "conn.per-request"; "": it is healthy
	Curated bool   // belongs to the set that is shown to people

	clients []client
}

// Scenarios returns the table of scenarios. No two have the same Name, nor the
// name of a habit.
func Scenarios() []Scenario {
	return slices.Concat(
		healthyScenarios(), deliveryScenarios(), slowScenarios(), abandonedScenarios(), stuckScenarios(),
		repeatedScenarios(), lossScenarios(),
	)
}

// Curated names the scenarios and habits that show people what there is to see.
func Curated() []string { return names(func(curated bool) bool { return curated }) }

// All names every scenario and every habit.
func All() []string { return names(func(bool) bool { return true }) }

func names(wanted func(curated bool) bool) []string {
	var all []string
	for _, s := range Scenarios() {
		if wanted(s.Curated) {
			all = append(all, s.Name)
		}
	}
	for _, h := range Habits() {
		if wanted(h.Curated) {
			all = append(all, h.Name)
		}
	}
	return all
}
