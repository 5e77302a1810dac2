package plan

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// secret is the value of one ${env:NAME}, in one of the forms that messages have it in, and how it is shown.
type secret struct{ value, show string }

// shortSecret is the length below which a value is only replaced where it stands alone,
// so that a value like "1" does not garble every number.
const shortSecret = 4

// Redact returns s with the values of environment variables that the job uses replaced by
// ${env:NAME}. Everything printed that was made from bound expressions goes through it.
func (j *Job) Redact(s string) string {
	for _, sec := range j.secrets {
		s = replaceSecret(s, sec.value, sec.show)
	}
	if !strings.Contains(s, cutMark) {
		return s
	}
	for _, sec := range j.secrets {
		s = replaceBegun(s, sec)
	}
	return s
}

// cutMark ends what was too long to be shown whole.
const cutMark = "..."

// replaceBegun replaces the beginning of a secret where the text was cut within it, as in 'hunt... and "hunt"...
func replaceBegun(s string, sec secret) string {
	var b strings.Builder
	for {
		i := strings.Index(s, cutMark)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		text := strings.TrimRight(s[:i], `'"`)
		quotes := s[len(text):i]
		for n := min(len(sec.value)-1, len(text)); n >= shortSecret; n-- {
			if strings.HasSuffix(text, sec.value[:n]) {
				text = text[:len(text)-n] + sec.show
				break
			}
		}
		b.WriteString(text + quotes + cutMark)
		s = s[i+len(cutMark):]
	}
}

func replaceSecret(s, value, show string) string {
	if len(value) >= shortSecret {
		return strings.ReplaceAll(s, value, show)
	}
	var b strings.Builder
	for {
		i := strings.Index(s, value)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		end := i + len(value)
		alone := (i == 0 || !isWord(s[i-1])) && (end == len(s) || !isWord(s[end]))
		if alone {
			b.WriteString(s[:i] + show)
		} else {
			b.WriteString(s[:end])
		}
		s = s[end:]
	}
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// formsOf returns a value as messages may have it: as it is, with the quotes of a text or an identifier, escaped,
// as a path without what is superfluous in it, and as the number it is read as.
func formsOf(value string) []string {
	quoted := strconv.Quote(value)
	forms := []string{value, strings.ReplaceAll(value, "'", "''"), strings.ReplaceAll(value, `"`, `""`), quoted[1 : len(quoted)-1]}
	if path := strings.TrimPrefix(filepath.Clean(value), "../"); strings.Contains(value, "/") && len(path) >= shortSecret {
		forms = append(forms, path)
	}
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		forms = append(forms, strconv.FormatInt(n, 10))
	}
	return forms
}

// Hide makes Redact show a value so that was made from those of the environment: where a path with one leads.
func (j *Job) Hide(value, show string) { j.addSecret(value, show) }

// addSecret remembers a value; longer values are replaced first, so that a value
// inside another does not hide it.
func (j *Job) addSecret(value, show string) {
	if value == "" {
		return
	}
	for _, form := range formsOf(value) {
		if s := (secret{form, show}); !slices.Contains(j.secrets, s) {
			j.secrets = append(j.secrets, s)
		}
	}
	slices.SortStableFunc(j.secrets, func(a, b secret) int { return len(b.value) - len(a.value) })
}
