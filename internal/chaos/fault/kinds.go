package fault

import (
	"slices"

	"github.com/natsops/natsops/internal/hint"
)

// Kinds are all sorts of faults: those that any cluster can be asked for, those
// of bad clients, those of processes, those of links.
func Kinds() []Kind {
	return slices.Concat(apiKinds(), clientKinds(), processKinds(), linkKinds())
}

// Lookup returns the kind called name. Its error is [ErrSpec].
func Lookup(name string) (Kind, error) {
	var names []string
	for _, k := range Kinds() {
		if k.Name == name {
			return k, nil
		}
		names = append(names, k.Name)
	}
	return Kind{}, hint.Wrap(refuse(ErrSpec, "there is no fault %q", name), oneOf(name, names))
}

// apiKinds are the faults that servers offer themselves.
func apiKinds() []Kind {
	return []Kind{kickKind(), lameDuckKind(), stepDownKind(), pauseKind()}
}

// clientKinds are what bad clients do.
func clientKinds() []Kind {
	return []Kind{
		ackHoldKind(), nakStormKind(), slowSubscriberKind(), connectionStormKind(), reconnectStormKind(), floodKind(), fillKind(),
	}
}
