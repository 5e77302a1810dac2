package layers

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "pqjoin"

// imports returns each package of the module with what it imports, tests left out.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string][]string{}
	for line := range bytes.Lines(out) {
		f := strings.Fields(string(line))
		all[relative(f[0])] = f[1:]
	}
	return all
}

func relative(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

func mayImport(rules []string, path string) bool {
	return slices.Contains(rules, path) || slices.Contains(rules, "...")
}

func rulesFor(pkg string) ([]string, bool) {
	if r, ok := allowed[pkg]; ok {
		return r, true
	}
	for p, r := range allowed {
		if base, ok := strings.CutSuffix(p, "/..."); ok && strings.HasPrefix(pkg, base+"/") {
			return r, true
		}
	}
	return nil, false
}

func TestImportsPointDown(t *testing.T) {
	for pkg, imps := range imports(t) {
		rules, ok := rulesFor(pkg)
		if !ok {
			t.Errorf("package %s has no rule: say in layers.go what it may import", pkg)
			continue
		}
		for _, imp := range imps {
			if strings.HasPrefix(imp, module+"/") && !mayImport(rules, relative(imp)) {
				t.Errorf("%s imports %s, which its rule does not allow", pkg, relative(imp))
			}
			for lib, owner := range owners {
				if strings.HasPrefix(imp, lib) && !slices.Contains(owner, pkg) {
					t.Errorf("%s imports %s, which belongs to %s alone", pkg, imp, owner[0])
				}
			}
		}
	}
}
