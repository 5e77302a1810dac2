package main

import (
	"strings"
	"testing"

	"pqjoin/internal/testkit/foreign"
)

// A job is found by its name, and the tables that it reads can be made.
func TestJobsHaveNamesOfTheirOwnAndTablesThatAreMade(t *testing.T) {
	names := map[string]bool{}
	for _, j := range catalogue() {
		if names[j.name] {
			t.Errorf("two jobs are called %q", j.name)
		}
		names[j.name] = true
		for in := range strings.FieldsSeq(j.inputs) {
			if !isMade(in) {
				t.Errorf("%s: nobody makes the table %s", j.name, in)
			}
		}
	}
	for name, d := range derived {
		if !isMade(d.from) || d.from == name {
			t.Errorf("the table %s is made of %s", name, d.from)
		}
	}
}

func isMade(name string) bool {
	_, gen := made[name]
	_, other := derived[name]
	return gen || other || foreign.Tables[name] != nil
}
