package stdiodial

import (
	"runtime"
	"slices"
	"strings"
)

// passes lists the variables that a child inherits: what a program needs to find its
// files and speak the user's language, and nothing that could hold a secret.
var passes = []string{"PATH", "HOME", "LANG", "LANGUAGE", "TMPDIR", "USER", "LOGNAME", "SHELL", "TERM", "TZ",
	"SSL_CERT_FILE", "SSL_CERT_DIR"}

// passesWindows are their like on Windows, where names are compared without case.
var passesWindows = []string{"PATH", "PATHEXT", "HOME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "USERNAME",
	"APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)", "PROGRAMW6432", "COMMONPROGRAMFILES",
	"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "TEMP", "TMP", "OS", "NUMBER_OF_PROCESSORS",
	"PROCESSOR_ARCHITECTURE", "LANG", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"}

// environment is what a child sees: of ours what passes, then what was configured for
// it, whose later values win.
func environment(ours, configured []string, goos string) []string {
	var env []string
	for _, kv := range ours {
		if name, _, ok := strings.Cut(kv, "="); ok && passing(name, goos) {
			env = append(env, kv)
		}
	}
	for _, kv := range configured {
		env = with(env, kv, goos)
	}
	return env
}

// with is env with a variable set.
func with(env []string, kv, goos string) []string {
	name, _, _ := strings.Cut(kv, "=")
	env = slices.DeleteFunc(slices.Clone(env), func(have string) bool {
		n, _, _ := strings.Cut(have, "=")
		return n == name || (goos == "windows" && strings.EqualFold(n, name))
	})
	return append(env, kv)
}

func passing(name, goos string) bool {
	if goos == "windows" {
		return slices.Contains(passesWindows, strings.ToUpper(name))
	}
	return slices.Contains(passes, name) || strings.HasPrefix(name, "LC_")
}

// variable is the value of a variable in env.
func variable(env []string, name string) string {
	for _, kv := range slices.Backward(env) {
		if n, v, _ := strings.Cut(kv, "="); n == name || (runtime.GOOS == "windows" && strings.EqualFold(n, name)) {
			return v
		}
	}
	return ""
}
