package postgres

import "encoding/binary"

// copyData is a run of rows in the binary format of COPY.
type copyData []byte

var copyHead = []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")

func (c copyData) row(columns uint16) copyData { return binary.BigEndian.AppendUint16(c, columns) }
func (c copyData) end() copyData               { return binary.BigEndian.AppendUint16(c, 0xffff) }
func (c copyData) null() copyData              { return binary.BigEndian.AppendUint32(c, 0xffffffff) }

func (c copyData) number(n int64) copyData {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(c, 8), uint64(n))
}

func (c copyData) bytes(b []byte) copyData {
	return append(binary.BigEndian.AppendUint32(c, uint32(len(b))), b...)
}

func (c copyData) text(s string) copyData {
	return append(binary.BigEndian.AppendUint32(c, uint32(len(s))), s...)
}

// optional writes an empty text as NULL.
func (c copyData) optional(s string) copyData {
	if s == "" {
		return c.null()
	}
	return c.text(s)
}
