package benchreport

import "math"

// A grid is a drawing in characters that hold several dots each: 2 by 4 in
// braille, and 1 by 2 in ASCII.
type grid struct {
	width, height int // dots
	perCell       int // dots side by side in a character
	perRow        int // dots above one another in a character
	unicode       bool
	cells         [][]uint8 // by row and column; a bit per dot
}

func newGrid(unicode bool, columns, rows int) grid {
	g := grid{perCell: 1, perRow: 2, unicode: unicode, cells: make([][]uint8, rows)}
	if unicode {
		g.perCell, g.perRow = 2, 4
	}
	for i := range g.cells {
		g.cells[i] = make([]uint8, columns)
	}
	g.width, g.height = columns*g.perCell, rows*g.perRow
	return g
}

// scale returns the dot at a height from 0 to 1.
func (g grid) scale(height float64) int { return int(math.Round(height * float64(g.height-1))) }

// set sets the dot at x from the left and y from the bottom.
func (g grid) set(x, y int) {
	fromTop := g.height - 1 - y
	g.cells[fromTop/g.perRow][x/g.perCell] |= 1 << (x%g.perCell*g.perRow + fromTop%g.perRow)
}

// lines returns the drawing from the top.
func (g grid) lines() []string {
	lines := make([]string, len(g.cells))
	for i, row := range g.cells {
		runes := make([]rune, len(row))
		for j, dots := range row {
			if g.unicode {
				runes[j] = braille(dots)
			} else {
				runes[j] = rune(" '.:"[dots])
			}
		}
		lines[i] = string(runes)
	}
	return lines
}

// braille returns the character with the given dots: bits 0 to 3 are the left
// column from the top, 4 to 7 the right one. Unicode numbers the lowest pair
// last (chapter 21.1, Braille Patterns: dots 1-2-3-7 and 4-5-6-8).
func braille(dots uint8) rune {
	if dots == 0 {
		return ' '
	}
	pattern := dots&0b111 | (dots>>4&0b111)<<3 | (dots>>3&1)<<6 | (dots>>7)<<7
	return '\u2800' + rune(pattern)
}
