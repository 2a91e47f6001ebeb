package mapping

import "io/fs"

// ParseAlone parses a mapping that came without the files beside it, in a call or
// with a webhook: a lookup table in a file of its own is a fault.
func ParseAlone(src []byte) (*Mapping, error) { return Parse("mapping.yaml", src, noFiles{}) }

type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
