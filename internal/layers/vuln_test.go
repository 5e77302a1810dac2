package layers

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fakeGo is a go command that fails as FAKE says.
const fakeGo = `#!/bin/sh
case "$FAKE:$*" in
compile:build*) echo "x.go:1: undefined: y"; exit 1;;
proxy:run*-version) echo 'go: golang.org/x/vuln: Get "https://proxy.golang.org/x": dial tcp: no such host'; exit 1;;
load:run*/...) echo 'govulncheck: loading packages: Get "https://proxy.golang.org/x": dial tcp: no such host'; exit 1;;
found:run*/...) echo 'Vulnerability #1: while fetching vulnerabilities: of proxy.golang.org'; exit 1;;
database:run*/...) echo 'govulncheck: fetching vulnerabilities: Get "https://vuln.go.dev/index": dial tcp: no such host'; exit 1;;
esac
`

// Only a database that cannot be reached ends make vuln well with nothing checked.
func TestVulnIsSkippedForAnUnreachableDatabaseAlone(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("there is no make here")
	}
	goTool := filepath.Join(t.TempDir(), "go")
	if err := os.WriteFile(goTool, []byte(fakeGo), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		fake          string
		well, skipped bool
	}{{"", true, false}, {"compile", false, false}, {"proxy", false, false}, {"load", false, false}, {"found", false, false}, {"database", true, true}} {
		cmd := exec.Command("make", "-C", filepath.Join("..", ".."), "vuln", "GO="+goTool)
		cmd.Env = append(os.Environ(), "FAKE="+c.fake)
		out, err := cmd.CombinedOutput()
		if (err == nil) != c.well || strings.Contains(string(out), "SKIPPED") != c.skipped {
			t.Errorf("%q: %v: %s", c.fake, err, out)
		}
	}
}
