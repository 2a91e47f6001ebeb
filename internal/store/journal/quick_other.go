//go:build !linux || !(amd64 || arm64)

package journal

import "os"

// sizeOf is the length of a file.
func sizeOf(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// quickWriter writes at a place of a file, for one caller at a time.
type quickWriter struct{}

func (*quickWriter) writeAt(f *os.File, b []byte, at int64) (int, error) { return f.WriteAt(b, at) }
