package doctor

import "strings"

// overlap reports whether a subject can exist that both patterns match.
func overlap(a, b string) bool {
	for {
		ta, ra, moreA := strings.Cut(a, ".")
		tb, rb, moreB := strings.Cut(b, ".")
		switch {
		case ta == ">" || tb == ">":
			return true
		case ta != tb && ta != "*" && tb != "*":
			return false
		case !moreA || !moreB:
			return moreA == moreB
		}
		a, b = ra, rb
	}
}

// wildcards returns how many tokens of a subject are wildcards, and of how many.
func wildcards(subject string) (wild, all int) {
	for token := range strings.SplitSeq(subject, ".") {
		all++
		if token == "*" || token == ">" {
			wild++
		}
	}
	return wild, all
}

// private reports whether a subject belongs to NATS itself or to one client:
// $JS…, $SRV…, inboxes.
func private(subject string) bool {
	return strings.HasPrefix(subject, "$") || strings.HasPrefix(subject, "_")
}
