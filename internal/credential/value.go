package credential

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Value is where a secret is kept: exactly one of Env, File and Command. It is never
// the secret itself.
type Value struct {
	// Prefix stands before what is found ("Bearer ").
	Prefix string
	// Env names a variable of the environment Sluice was started in.
	Env string
	// File is read again when the secret is refused.
	File string
	// Command prints the secret; it runs again when the secret is refused.
	Command []string

	fixed string // expanded by ParseHeaderFlags
}

// IsZero reports whether no place is named.
func (v Value) IsZero() bool {
	return v.Env == "" && v.File == "" && len(v.Command) == 0 && v.fixed == ""
}

// Check says what is wrong with a value as it is configured.
func (v Value) Check() error {
	named := 0
	for _, set := range []bool{v.Env != "", v.File != "", len(v.Command) > 0, v.fixed != ""} {
		if set {
			named++
		}
	}
	if named != 1 {
		return errors.New("name exactly one of env, file and command")
	}
	if v.Env != "" && !variable.MatchString(v.Env) {
		return errors.New("env does not hold the name of a variable")
	}
	if len(v.Command) > 0 && v.Command[0] == "" {
		return errors.New("command does not name a program")
	}
	return nil
}

// changes reports whether reading again may find something else.
func (v Value) changes() bool { return v.File != "" || len(v.Command) > 0 }

const (
	maxSecret      = 64 << 10
	commandTimeout = 30 * time.Second
)

// read finds a secret that stands in one line. Its errors name the place and never
// what is there.
func (v Value) read(ctx context.Context, getenv func(string) string) (string, error) {
	text, err := v.text(ctx, getenv)
	if err != nil {
		return "", err
	}
	if !validHeaderValue(text) {
		return "", fmt.Errorf("%s holds a line break or another character that a header can't carry", v.place())
	}
	return v.Prefix + text, nil
}

// text finds a secret of any form.
func (v Value) text(ctx context.Context, getenv func(string) string) (string, error) {
	var text string
	switch {
	case v.fixed != "":
		text = v.fixed
	case v.Env != "":
		if text = getenv(v.Env); strings.TrimSpace(text) == "" {
			return "", fmt.Errorf("the variable %s is not set", v.Env)
		}
	case v.File != "":
		b, err := readSecretFile(v.File)
		if err != nil {
			return "", err
		}
		text = string(b)
	case len(v.Command) > 0:
		b, err := runSecret(ctx, v.Command)
		if err != nil {
			return "", err
		}
		text = string(b)
	default:
		return "", errors.New("no place of the secret is configured")
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", fmt.Errorf("%s holds nothing", v.place())
	}
	return text, nil
}

// place names where the secret is kept, for people.
func (v Value) place() string {
	switch {
	case v.Env != "":
		return "the variable " + v.Env
	case v.File != "":
		return "the file " + v.File
	case len(v.Command) > 0:
		return "the command " + v.Command[0]
	}
	return "the --header flag"
}

func readSecretFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the file %s can't be read", path)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, fmt.Errorf("the file %s can't be read", path)
	}
	if len(b) > maxSecret {
		return nil, fmt.Errorf("the file %s is too large for a secret", path)
	}
	return b, nil
}

// runSecret runs a command that prints a secret. What it writes to stderr is dropped:
// it may hold what was asked for.
func runSecret(ctx context.Context, command []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdout = &limited{to: &out, left: maxSecret}
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("the command %s failed", command[0])
	}
	return out.Bytes(), nil
}

// limited refuses what is more than a secret can be.
type limited struct {
	to   io.Writer
	left int
}

func (l *limited) Write(b []byte) (int, error) {
	if len(b) > l.left {
		return 0, errors.New("the output is too large")
	}
	l.left -= len(b)
	return l.to.Write(b)
}
