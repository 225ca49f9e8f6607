package hint

import "strings"

// Nearest returns the word of words that somebody who typed word may have
// meant: the one that is closest, if that takes one typing error, or two in a
// word that is long enough for it, behind the first letter, which is seldom
// mistyped.
func Nearest(word string, words []string) (string, bool) {
	const (
		tolerated  = 2 // typing errors
		longEnough = 6 // bytes: of a shorter word, too little is left after two
	)
	best, closest := "", tolerated+1
	for _, w := range words {
		d := distance(word, w)
		twice := len(word) >= longEnough && strings.HasPrefix(w, word[:1])
		if d < min(closest, len(w)) && (d < tolerated || twice) {
			best, closest = w, d
		}
	}
	return best, best != ""
}

// distance returns how many typing errors make b of a: a byte is inserted,
// removed or replaced, or changes places with the next (the optimal string
// alignment distance).
func distance(a, b string) int {
	// Distances of the part of a read so far, and of one and two bytes less, to
	// every start of b.
	row, above, twoAbove := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		row, above, twoAbove = twoAbove, row, above
		row[0] = i + 1
		for j := range len(b) {
			replaced := above[j]
			if a[i] != b[j] {
				replaced++
			}
			row[j+1] = min(replaced, above[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], twoAbove[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
