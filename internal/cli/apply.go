package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/fault"
	"sluice/internal/govern"
)

// applyFlags are those of apply.
type applyFlags struct {
	workspace, dir, name, confirm, tokens string
	prune                                 bool
}

func (c *command) applyCommand() *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use: "apply -f DIR", Short: "Make servers, policies and grants what files in git say", GroupID: groupServe, Args: cobra.NoArgs,
		Long: "Reads the YAML and JSON files of a directory, shows what would be created, changed and removed, and\n" +
			"a hash. With --confirm HASH it is done, all of it in one transaction or nothing; when something\n" +
			"moved since the preview, the hash is another one and nothing is done. What the files own is\n" +
			"read-only everywhere else. The layout: docs/apply.md.",
		Example: "  sluice apply -f gateway/\n" +
			"  sluice apply -f gateway/ --confirm 5f1c… --tokens new-tokens.json",
		RunE: func(cmd *cobra.Command, _ []string) error { return c.apply(cmd.Context(), &f) },
	}
	addWorkspaceFlag(cmd, &f.workspace)
	flags := cmd.Flags()
	flags.StringVarP(&f.dir, "file", "f", "", "directory with the files, or one file")
	flags.StringVar(&f.name, "name", "", "name under which the files own their objects (default: that of the directory)")
	flags.StringVar(&f.confirm, "confirm", "", "hash that the preview showed; without it, on a terminal, it is asked for")
	flags.BoolVar(&f.prune, "prune", false, "remove what the files owned once and don't have any more")
	flags.StringVar(&f.tokens, "tokens", "", "file for the tokens of new grants (mode 0600, must not exist) instead of the output")
	return cmd
}

func (c *command) apply(ctx context.Context, f *applyFlags) error {
	m, err := readManifest(f)
	if err != nil {
		return err
	}
	return c.governed(ctx, f.workspace, func(s *govern.Service) error {
		confirm := f.confirm
		if confirm == "" {
			v, err := s.PreviewApply(ctx, m, f.prune)
			if err != nil {
				return err
			}
			ask := c.interactive() && !c.json && v.Confirm != ""
			if err := c.print(v, func(w io.Writer) { c.writeApplication(w, v, ask) }); err != nil || !ask {
				return err
			}
			if ok, err := c.ask(ctx, "\nApply this? [y/N] "); err != nil || !ok {
				return err
			}
			confirm = v.Confirm
		}
		return c.applyNow(ctx, s, m, f, confirm)
	})
}

// applyNow applies. The file for tokens is there before anything is done: a token that
// can't be written would be lost.
func (c *command) applyNow(ctx context.Context, s *govern.Service, m *govern.Manifest, f *applyFlags, confirm string) (err error) {
	var out *os.File
	var v *govern.Application
	if f.tokens != "" {
		if out, err = os.OpenFile(f.tokens, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
			return fault.New(fault.Usage, "the file for tokens %s can't be made", f.tokens).WithFix("name a file that does not exist yet, in a directory that may be written").Wrap(err)
		}
		defer func() {
			if err = errors.Join(err, out.Close()); v == nil || !v.Applied {
				_ = os.Remove(f.tokens)
			}
		}()
	}
	v, err = s.Apply(ctx, m, f.prune, confirm)
	if v == nil {
		return err
	}
	if out != nil {
		if werr := json.NewEncoder(out).Encode(v.Tokens); werr != nil {
			return errors.Join(err, werr)
		}
		v.Tokens = nil
	}
	return errors.Join(err, c.print(v, func(w io.Writer) { c.writeApplied(w, v, f) }))
}

// Bounds of a directory.
const (
	mostManifestFiles = 2000
	maxManifestFile   = 1 << 20
)

// readManifest reads a directory, or one file.
func readManifest(f *applyFlags) (*govern.Manifest, error) {
	if f.dir == "" {
		return nil, fault.New(fault.Usage, "-f is needed: the directory with the files")
	}
	info, err := os.Stat(f.dir)
	if err != nil {
		return nil, fault.New(fault.SourceUnavailable, "%s can't be read", f.dir).Wrap(err)
	}
	root, only := f.dir, ""
	if !info.IsDir() {
		root, only = filepath.Split(f.dir)
		if root == "" {
			root = "."
		}
		if f.prune && f.name == "" {
			return nil, fault.New(fault.Usage, "--prune of one file would remove what the other files of its directory own").WithFix("name the directory: -f %s", root)
		}
	}
	name := f.name
	if name == "" {
		abs, err := filepath.Abs(root)
		if err != nil {
			return nil, err
		}
		name = strings.ToLower(filepath.Base(abs))
	}
	files, err := manifestFiles(root, only)
	if err != nil {
		return nil, err
	}
	if _, is := files[only]; len(files) == 0 || only != "" && !is {
		return nil, fault.New(fault.SourceEmpty, "%s has no .yaml, .yml or .json file", f.dir).WithFix("see docs/apply.md")
	}
	if only != "" { // the JSON beside it may be documents that it names
		return govern.ReadManifestFile(name, only, files)
	}
	return govern.ReadManifest(name, files)
}

// manifestFiles reads what is below a directory, hidden names left out. Of a single
// file, the JSON beside it is read too: it may name documents of policies.
func manifestFiles(root, only string) (map[string][]byte, error) {
	files := map[string][]byte{}
	tree, err := os.OpenRoot(root)
	if err != nil {
		return nil, fault.New(fault.SourceUnavailable, "%s can't be read", root).Wrap(err)
	}
	defer func() { _ = tree.Close() }()
	err = fs.WalkDir(tree.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path != "." && strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		ext := filepath.Ext(path)
		if d.IsDir() || ext != ".yaml" && ext != ".yml" && ext != ".json" || only != "" && path != only && ext != ".json" {
			return nil
		}
		if len(files) == mostManifestFiles {
			return fault.New(fault.Usage, "%s has more than %d files", root, mostManifestFiles)
		}
		in, err := tree.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = in.Close() }()
		text, err := io.ReadAll(io.LimitReader(in, maxManifestFile+1))
		if err == nil && len(text) > maxManifestFile {
			return fault.New(fault.Usage, "%s is larger than %d bytes", path, maxManifestFile)
		}
		files[path] = text
		return err
	})
	if _, ok := fault.As(err); err != nil && !ok {
		return nil, fault.New(fault.SourceUnavailable, "the files of %s can't be read", root).Wrap(err)
	}
	return files, err
}

// signs are how the actions of a change are shown.
var signs = map[string]string{"create": "+", "change": "~", "adopt": "~", "remove": "-"}

func (c *command) writeApplication(w io.Writer, v *govern.Application, asked bool) {
	for i := range v.Changes {
		ch := &v.Changes[i]
		text := signs[ch.Action] + " " + ch.Kind + " " + ch.Object
		switch {
		case ch.Action == "create":
			text = c.good(text)
		case ch.Action == "remove":
			text = c.bad(text)
		case ch.Action == "adopt":
			text = c.notice(text) + "  (was edited elsewhere; the files own it from now on)"
		default:
			text = c.notice(text)
		}
		if ch.Version > 0 {
			text += "  version " + thousands(ch.Version) + ", mode " + string(ch.Mode)
		}
		line(w, "%s", text)
		if ch.Action != "create" || ch.Kind != "policy" {
			c.writeDifferences(w, ch.Differences)
		}
		c.writeReplayed(w, ch.Replay)
	}
	if len(v.Changes) == 0 {
		line(w, "Nothing would change: %s as in the files.", plural(int64(v.Unchanged), "object"))
	}
	c.writeLeft(w, v)
	if v.Confirm != "" && !asked {
		line(w, "\n%s, %d as they are. Apply it: the same command with --confirm %s", plural(int64(len(v.Changes)), "change"), v.Unchanged, v.Confirm)
	}
}

func (c *command) writeLeft(w io.Writer, v *govern.Application) {
	for _, object := range v.Left {
		line(w, "  %s is not in the files any more; --prune removes it", object)
	}
}

func (c *command) writeApplied(w io.Writer, v *govern.Application, f *applyFlags) {
	if !v.Applied {
		line(w, "Nothing was to be done: %s as in the files.", plural(int64(v.Unchanged), "object"))
		c.writeLeft(w, v)
		return
	}
	line(w, "Applied %s of %q; %d as they were.", plural(int64(len(v.Changes)), "change"), v.Name, v.Unchanged)
	c.writeLeft(w, v)
	for _, t := range v.Tokens {
		line(w, "%s  %s", t.Grant, t.Token)
	}
	if len(v.Tokens) > 0 {
		line(c.Stderr, "this is the only time the tokens are shown")
	}
	if f.tokens != "" {
		line(c.Stderr, "the tokens of new grants are in %s", f.tokens)
	}
}
