package cli

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"pqjoin/engine"
	"pqjoin/monitor"
)

// What --json prints is a contract: its page has every field.
func TestEveryJSONFieldIsDocumented(t *testing.T) {
	const name = "../docs/howto/cron-and-ci.md"
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	rest := string(page)
	for _, c := range []struct {
		command string
		printed any
	}{{"run", monitor.Summary{}}, {"plan", engine.Explanation{}}, {"inspect", inspection{}}, {"show", engine.Rows{}}, {"validate", validation{}}, {"clean", cleaned{}}, {"version", build{}}} {
		_, after, ok := strings.Cut(rest, "\n`"+c.command+"`")
		if !ok {
			t.Fatalf("%s has no table of %s", name, c.command)
		}
		rest = after
		table := rest
		if i := strings.Index(after, "\n\n`"); i >= 0 {
			table = after[:i]
		}
		for _, field := range jsonFields(reflect.TypeOf(c.printed), "") {
			if !strings.Contains(table, "`"+field+"`") && !strings.Contains(table, "`"+field+"[]`") {
				t.Errorf("%s: the table of %s has no %s", name, c.command, field)
			}
		}
	}
}

// jsonFields returns the names of a struct's fields, and .NAME of those below.
func jsonFields(t reflect.Type, prefix string) (names []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[engine.Cell]() { // a cell is a value
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			names = append(names, jsonFields(f.Type, prefix)...)
			continue
		}
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			names = append(append(names, prefix+name), jsonFields(f.Type, ".")...)
		}
	}
	return names
}
