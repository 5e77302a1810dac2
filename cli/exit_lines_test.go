package cli

import (
	"errors"
	"testing"
)

// Whatever a file calls its columns, what is said of them is one line, which no terminal obeys.
func TestSentencesAreOneLineWithoutControlCharacters(t *testing.T) {
	for text, want := range map[string]string{
		"column a\nb is bad":             "column a; b is bad",
		"column \x1b[2Jx is bad":         `column \x1b[2Jx is bad`,
		"column a\r\tb":                  `column a\r\tb`,
		"column \xff\x00é\u202e \u00a0x": `column \xff\x00é\u202e \u00a0x`,
		"a 'quoted' \"name\" \\ �":       "a 'quoted' \"name\" \\ �",
		errors.Join(errors.New("first"), errors.New("second"), errors.New("first")).Error(): "first; second",
	} {
		if got := oneLine(text); got != want {
			t.Errorf("%q became %s, not %s", text, got, want)
		}
	}
}
