package hint

import "strings"

// Nearest returns the word of words that somebody who typed word may have
// meant: the one that is closest, if that takes one change, or two behind the
// first letter, which is seldom mistyped.
func Nearest(word string, words []string) (string, bool) {
	const tolerated = 2 // typing errors
	best, closest := "", tolerated+1
	for _, w := range words {
		d := distance(word, w)
		if d < min(closest, len(w)) && (d < tolerated || strings.HasPrefix(w, word[:min(1, len(word))])) {
			best, closest = w, d
		}
	}
	return best, best != ""
}

// distance returns how many bytes must be inserted, removed or replaced to make
// b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1) // distances of the part of a read so far to every start of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
