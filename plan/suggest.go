package plan

import (
	"fmt"
	"strings"
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
		cost := distance([]rune(strings.ToLower(name)), []rune(strings.ToLower(c)))
		if cost < bestCost && cost < max(len([]rune(name)), len([]rune(c))) {
			best, bestCost = c, cost
		}
	}
	return best
}

// distance is the optimal string alignment distance.
func distance(a, b []rune) int {
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
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
