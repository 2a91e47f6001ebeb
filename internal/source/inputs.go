package source

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/internal/fault"
)

// stdinName is how standard input is written as an input and in messages.
const stdinName = "-"

// input is one thing to open: a file, or standard input.
type input struct {
	name string
	size int64 // 0 when unknown
	// regular is false for pipes and standard input, which can be read only once.
	regular bool
}

// resolve turns the arguments into the list of inputs. Files of a directory or a
// pattern come in the order of their names; a file named by itself is always
// read, whatever its name.
func resolve(args []string) ([]input, []Note, error) {
	if len(args) == 0 {
		return nil, nil, fault.New(fault.Usage, "no input is named").WithFix(`name files, directories, patterns, or "-" for standard input`)
	}
	r := &resolver{}
	for _, arg := range args {
		if err := r.add(arg); err != nil {
			return nil, nil, err
		}
	}
	if len(r.inputs) == 0 {
		return nil, nil, fault.New(fault.SourceEmpty, "%s holds no file to read", strings.Join(args, ", ")).
			WithFix("files must end in .parquet, or in .csv, .tsv, .txt, .jsonl or .ndjson, with .gz or .zst if compressed").
			With("left_out", r.notes)
	}
	return r.inputs, r.notes, nil
}

type resolver struct {
	inputs []input
	infos  []os.FileInfo // of inputs, nil for standard input
	notes  []Note
}

func (r *resolver) add(arg string) error {
	if arg == stdinName {
		if slices.ContainsFunc(r.inputs, func(in input) bool { return in.name == stdinName }) {
			return fault.New(fault.Usage, "standard input is named twice")
		}
		r.inputs, r.infos = append(r.inputs, input{name: stdinName}), append(r.infos, nil)
		return nil
	}
	info, err := os.Stat(arg)
	switch {
	case err == nil && info.IsDir():
		return r.addDirectory(arg)
	case err == nil:
		return r.addFile(arg, info)
	case !errors.Is(err, fs.ErrNotExist) || !strings.ContainsAny(arg, "*?["):
		return unavailable(arg, err)
	}
	matches, err := filepath.Glob(arg)
	if err != nil {
		return fault.New(fault.Usage, "input pattern %q is malformed", arg).Wrap(err)
	}
	if len(matches) == 0 {
		return fault.New(fault.SourceUnavailable, "no file matches %q", arg).WithFix("check the pattern; quote it so that the shell leaves it alone")
	}
	return r.addListed(matches)
}

func (r *resolver) addDirectory(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return unavailable(dir, err)
	}
	paths := make([]string, len(entries))
	for i, e := range entries {
		paths[i] = filepath.Join(dir, e.Name())
	}
	return r.addListed(paths)
}

// addListed takes files that were found rather than named: what is not, or not
// yet, a data file is left out with a note.
func (r *resolver) addListed(paths []string) error {
	slices.Sort(paths)
	for _, p := range paths {
		if code, why := leaveOut(filepath.Base(p)); code != "" {
			r.notes = append(r.notes, Note{Code: code, File: p, Message: why})
			continue
		}
		info, err := os.Stat(p)
		if err != nil {
			return unavailable(p, err)
		}
		switch {
		case !info.Mode().IsRegular():
			r.notes = append(r.notes, Note{Code: NoteForeign, File: p, Message: "left out: not a regular file"})
		case info.Size() == 0:
			r.notes = append(r.notes, Note{Code: NoteEmpty, File: p, Message: "left out: the file is empty"})
		default:
			if err := r.addFile(p, info); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *resolver) addFile(path string, info os.FileInfo) error {
	if slices.ContainsFunc(r.infos, func(o os.FileInfo) bool { return o != nil && os.SameFile(o, info) }) {
		r.notes = append(r.notes, Note{Code: NoteListedTwice, File: path, Message: "read once, though two inputs name it"})
		return nil
	}
	in := input{name: path, regular: info.Mode().IsRegular()}
	if in.regular {
		in.size = info.Size()
		if in.size == 0 {
			return fault.New(fault.SourceEmpty, "%s is empty", path).With("file", path)
		}
	}
	r.inputs, r.infos = append(r.inputs, in), append(r.infos, info)
	return nil
}

// leaveOut says why a file of a directory is not read; "" means it is.
func leaveOut(base string) (code, why string) {
	name := strings.ToLower(base)
	if strings.HasPrefix(name, ".") {
		return NoteHidden, "left out: a hidden file"
	}
	for _, ext := range []string{".tmp", ".part", ".partial", ".crdownload", ".filepart"} {
		if strings.HasSuffix(name, ext) {
			return NotePartial, "left out: its name says that it is not complete yet"
		}
	}
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
	switch filepath.Ext(name) {
	case ".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".parquet":
		return "", ""
	}
	return NoteForeign, "left out: not a .csv, .tsv, .txt, .jsonl, .ndjson or .parquet file"
}

func unavailable(name string, err error) *fault.Error {
	why := "it can't be opened"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		why = "it does not exist"
	case errors.Is(err, fs.ErrPermission):
		why = "permission is denied"
	}
	return fault.New(fault.SourceUnavailable, "input %s: %s", name, why).With("file", name).Wrap(err)
}
