package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/fault"
	"sluice/internal/policytool"
	"sluice/policy"
)

// policyFileCommands work on documents: validate, schema, test, explain, scaffold,
// import, replay.
func (c *command) policyFileCommands() []*cobra.Command {
	return []*cobra.Command{
		c.policyValidate(), c.policySchema(), c.policyTest(), c.policyExplain(),
		c.policyScaffold(), c.policyImport(), c.policyReplay(),
	}
}

// maxPolicyFile bounds what is read as a policy or as definitions of tools.
const maxPolicyFile = 16 << 20

// readFile reads a file, or standard input for "-".
func (c *command) readFile(path string) ([]byte, error) {
	in := c.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fault.New(fault.SourceUnavailable, "%s can't be opened", shown(path)).Wrap(err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxPolicyFile+1))
	if err != nil {
		return nil, fault.New(fault.SourceUnavailable, "%s can't be read", fileName(path)).Wrap(err)
	}
	if len(text) > maxPolicyFile {
		return nil, fault.New(fault.SourceInvalid, "%s is larger than %d MiB", fileName(path), maxPolicyFile>>20)
	}
	return text, nil
}

// fileName is how a path is called in messages.
func fileName(path string) string {
	if path == "-" {
		return "standard input"
	}
	return shown(path)
}

// openDocument reads a policy that a command works with; one with errors is a fault
// that lists them.
func (c *command) openDocument(path string) (*policy.Document, error) {
	if path == "" {
		return nil, fault.New(fault.Usage, "no policy is named").WithFix("name its file with -p: for example -p policy.json")
	}
	text, err := c.readFile(path)
	if err != nil {
		return nil, err
	}
	doc, faults := policy.Parse(text)
	if doc == nil {
		return nil, invalidDocument(path, policytool.Place(text, faults))
	}
	return doc, nil
}

// invalidDocument is the fault of a policy with errors.
func invalidDocument(path string, findings []policytool.Finding) *fault.Error {
	var list strings.Builder
	var errs []policytool.Finding
	for i := range findings {
		if f := &findings[i]; f.Serious() {
			errs = append(errs, *f)
			list.WriteString(findingText(path, f))
		}
	}
	return fault.New(fault.PolicyInvalid, "%s has %s", fileName(path), plural(int64(len(errs)), "error")).
		With("faults", errs).With("excerpt", list.String()).WithFix("mend what is listed; `sluice policy validate` lists warnings too")
}

// findingText is a finding as editors take it, and how it is mended.
func findingText(path string, f *policytool.Finding) string {
	at := f.Pointer
	if at == "" {
		at = "(the whole)"
	}
	text := fmt.Sprintf("%s:%d:%d: %s %s: %s\n", fileName(path), f.Line, f.Column, f.Code, shown(at), shown(f.Message))
	if f.Fix != "" {
		text += "    " + shown(f.Fix) + "\n"
	}
	return text
}

// replaceFile writes a file anew in one step: whoever reads it, a gateway that watches
// it above all, sees the old one or the new one.
func replaceFile(path string, text []byte) (err error) {
	mode := os.FileMode(0o600)
	if info, serr := os.Stat(path); serr == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".policy-*")
	if err != nil {
		return fault.New(fault.Usage, "%s can't be written", shown(path)).Wrap(err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
			err = fault.New(fault.Usage, "%s can't be written", shown(path)).Wrap(err)
		}
	}()
	if _, err = f.Write(text); err == nil {
		err = f.Chmod(mode)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}
