package plan

import "testing"

func TestRedactKnowsAValueInEveryForm(t *testing.T) {
	j := &Job{}
	j.addSecret("it's \"deep\"\nbelow", "${env:A}")
	j.addSecret("./dir//sub/", "${env:B}")
	j.addSecret("000123456", "${env:C}")
	j.addSecret("ab", "${env:D}")
	j.addSecret("topsecret", "${env:E}")
	j.addSecret("", "${env:F}")
	for text, want := range map[string]string{
		"x it's \"deep\"\nbelow y":         "x ${env:A} y",
		"'it''s \"deep\"\nbelow'":          "'${env:A}'",
		`"it's ""deep""` + "\n" + `below"`: `"${env:A}"`,
		`"it's \"deep\"\nbelow"`:           `"${env:A}"`,
		"/job/dir/sub/f.parquet":           "/job/${env:B}/f.parquet",
		"col + 123456, 000123456":          "col + ${env:C}, ${env:C}",
		"ab, abc, (ab)":                    "${env:D}, abc, (${env:D})",
		"'topsec...: bad":                  "'${env:E}...: bad",
		`"topsec"... and "topsecret"...`:   `"${env:E}"... and "${env:E}"...`,
		"to..., and topsec without an end": "to..., and topsec without an end",
		"plain":                            "plain",
	} {
		if got := j.Redact(text); got != want {
			t.Errorf("%q became %q, not %q", text, got, want)
		}
	}
}
