package config

import (
	"context"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"sluice/internal/fault"
)

// Keychain names an entry of the system's keychain: Keychain on macOS, the Secret
// Service on Linux. It is asked through the program that the system has for it, which
// asks the person where the keychain is locked.
type Keychain struct {
	Service string `yaml:"service"`
	User    string `yaml:"user"`
}

// keychainWait leaves a person time to unlock the keychain.
const keychainWait = time.Minute

// lookup is the command that prints an entry, nil where the system has none.
func (k *Keychain) lookup(system string) []string {
	switch system {
	case "darwin":
		return []string{"/usr/bin/security", "find-generic-password", "-s", k.Service, "-a", k.User, "-w"}
	case "linux", "freebsd", "openbsd", "netbsd":
		return []string{"secret-tool", "lookup", "service", k.Service, "username", k.User}
	}
	return nil
}

func (k *Keychain) read(ctx context.Context) (string, error) {
	if k.Service == "" || k.User == "" {
		return "", fault.New(fault.Usage, "keychain names no service or no user").WithFix("write keychain: {service: sluice, user: meta}")
	}
	argv := k.lookup(runtime.GOOS)
	if argv == nil {
		return "", fault.New(fault.AuthRequired, "this system has no program that reads its keychain").WithFix("use token: {command: […]} with one that you have")
	}
	ctx, cancel := context.WithTimeout(ctx, keychainWait)
	defer cancel()
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).Output()
	if text := strings.TrimSpace(string(out)); err == nil && text != "" {
		return text, nil
	}
	return "", fault.New(fault.AuthRequired, "the keychain entry %s of %s can't be read with %s", k.User, k.Service, argv[0]).
		WithFix("check its name, that the keychain is unlocked, and that %s is installed", argv[0]).Wrap(err)
}
