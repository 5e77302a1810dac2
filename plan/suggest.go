package plan

import (
	"fmt"
	"strings"

	"pqjoin/expr"
)

// nearest returns the candidate closest to name by edit distance (letter case and
// swapped neighbours count little), or "" where none is close.
func nearest(name string, candidates []string) string {
	if len(name) > 64 {
		return ""
	}
	best, bestCost := "", len([]rune(name))/3+2
	for _, c := range candidates {
		if len(c) > 64 || c == name {
			continue
		}
		cost := expr.EditDistance([]rune(strings.ToLower(name)), []rune(strings.ToLower(c)), true)
		if cost < bestCost && cost < max(len([]rune(name)), len([]rune(c))) {
			best, bestCost = c, cost
		}
	}
	return best
}

// maxListed is how many candidates a hint spells out.
const maxListed = 12

// hintName says which of the candidates was probably meant, or lists them.
func hintName(name string, candidates []string) string {
	if c := nearest(name, candidates); c != "" {
		return fmt.Sprintf("did you mean %q?", c)
	}
	switch n := len(candidates); {
	case n == 0:
		return ""
	case n <= maxListed:
		return "there is " + strings.Join(candidates, ", ")
	default:
		return fmt.Sprintf("there is %s and %d more", strings.Join(candidates[:maxListed], ", "), n-maxListed)
	}
}
