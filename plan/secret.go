package plan

import (
	"slices"
	"strings"
)

// secret is the value of one ${env:NAME} and how it is shown.
type secret struct{ value, show string }

// shortSecret is the length below which a value is only replaced where it stands alone,
// so that a value like "1" does not garble every number.
const shortSecret = 4

// Redact returns s with the values of environment variables that the job uses replaced by
// ${env:NAME}. Everything printed that was made from bound expressions goes through it.
func (j *Job) Redact(s string) string {
	for _, sec := range j.secrets {
		s = replaceSecret(s, sec.value, sec.show)
		for _, quote := range []string{"'", `"`} { // as a text or an identifier has them
			if quoted := strings.ReplaceAll(sec.value, quote, quote+quote); quoted != sec.value {
				s = replaceSecret(s, quoted, sec.show)
			}
		}
	}
	return s
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

// addSecret remembers a value; longer values are replaced first, so that a value
// inside another does not hide it.
func (j *Job) addSecret(value, show string) {
	s := secret{value, show}
	if value == "" || slices.Contains(j.secrets, s) {
		return
	}
	j.secrets = append(j.secrets, s)
	slices.SortStableFunc(j.secrets, func(a, b secret) int { return len(b.value) - len(a.value) })
}
