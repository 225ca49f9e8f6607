package doctor

import "github.com/natsops/natsops/internal/inspect"

// A trouble makes a ward ill in one way, and says what a check makes of it.
type trouble struct {
	check string
	name  string      // "": there is one trouble for the check
	make  func(*ward) // what goes wrong
	near  func(*ward) // what looks like it and is no reason for a warning; nil: health itself
	blind func(*ward) // what keeps the check from looking; nil: nothing but what all depend on
	why   string      // part of the reason for which it is skipped then

	severity inspect.Severity
	object   string // part of the finding's object
	fact     string // part of its evidence
}

func troubles() []trouble {
	var all []trouble
	for _, list := range [][]trouble{
		sightTroubles(), serverTroubles(), settingTroubles(), linkTroubles(), metaTroubles(), jetStreamTroubles(), accountTroubles(),
		streamTroubles(), replicaTroubles(), lagTroubles(), consumerTroubles(), deliveryTroubles(), unusedTroubles(),
		connectionTroubles(), closedTroubles(), churnTroubles(), subscriptionTroubles(),
	} {
		all = append(all, list...)
	}
	return all
}
