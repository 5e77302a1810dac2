package cli

import (
	"runtime/debug"
	"testing"
)

func TestVersionNamesTheCommit(t *testing.T) {
	build := func(version string, settings ...string) *debug.BuildInfo {
		info := &debug.BuildInfo{Main: debug.Module{Version: version}}
		for i := 0; i < len(settings); i += 2 {
			info.Settings = append(info.Settings, debug.BuildSetting{Key: settings[i], Value: settings[i+1]})
		}
		return info
	}
	for _, c := range []struct {
		info *debug.BuildInfo
		want string
	}{
		{nil, "unknown"},
		{build("(devel)"), "unknown"},
		{build(""), "unknown"},
		{build("v0.2.0"), "v0.2.0"},
		{build("v0.0.0-2026", "vcs.revision", "abc", "vcs.modified", "false"), "abc"},
		{build("(devel)", "vcs.revision", "abc", "vcs.modified", "true"), "abc+changed"},
	} {
		if got := revisionOf(c.info); got != c.want {
			t.Errorf("%v: %q, want %q", c.info, got, c.want)
		}
	}
}
