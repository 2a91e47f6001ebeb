package journal

import (
	"encoding/binary"
	"hash/crc32"
	"math"
)

// kind is what a record says. The numbers are on disk.
type kind byte

const (
	kindHeader   kind = 1 // begins a file
	kindTallies  kind = 2 // of the snapshot that follows the header
	kindMarks    kind = 3
	kindHeld     kind = 4
	kindApproval kind = 5 // of the snapshot
	kindReady    kind = 6 // ends the snapshot

	kindCall    kind = 16 // a decision that took nothing
	kindAdmit   kind = 17
	kindSettle  kind = 18
	kindPark    kind = 19
	kindMove    kind = 20 // an approval changed
	kindRelease kind = 21
	kindTurned  kind = 22 // the last of a file: the next one follows
	kindNothing kind = 23 // written to find out whether writing works
	kindKept    kind = 24 // sealed arguments, in a file of their own
)

// hasCall reports whether the body begins with a call record, behind its length.
func (k kind) hasCall() bool {
	return k == kindCall || k == kindAdmit || k == kindSettle || k == kindPark || k == kindRelease
}

// A frame is: length of the payload and its CRC-32C, four bytes each; payload: number of
// the record (8), time in nanoseconds (8), kind (1), body. All little endian. The number
// rises by one from record to record, over all files; what belongs to a snapshot repeats
// the number that it stands at.
const (
	frameHead   = 8
	payloadHead = 17
	maxFrame    = 16 << 20

	// longestRecord is how long one may be where it is written: a snapshot says the same
	// at greater length, and has to be read.
	longestRecord = maxFrame / 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type frame struct {
	seq  int64
	at   int64
	kind kind
	body []byte
}

// beginFrame appends the head of a frame; endFrame completes it when the body is there.
func beginFrame(b []byte, seq, at int64, k kind) []byte {
	b = append(b, make([]byte, frameHead)...)
	b = binary.LittleEndian.AppendUint64(b, uint64(seq))
	b = binary.LittleEndian.AppendUint64(b, uint64(at))
	return append(b, byte(k))
}

func endFrame(b []byte, start int) {
	payload := b[start+frameHead:]
	binary.LittleEndian.PutUint32(b[start:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(b[start+4:], crc32.Checksum(payload, castagnoli))
}

// outcome of cutting a frame off a buffer.
type cut int

const (
	whole cut = iota
	short     // the buffer ends before the frame does
	wrong     // this is no frame
)

// cutFrame takes the first frame of b apart; n is its length.
func cutFrame(b []byte) (f frame, n int, c cut) {
	if len(b) < frameHead {
		return f, 0, short
	}
	size := int(binary.LittleEndian.Uint32(b))
	if size < payloadHead || size > maxFrame {
		return f, 0, wrong
	}
	if len(b) < frameHead+size {
		return f, 0, short
	}
	payload := b[frameHead : frameHead+size]
	if crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
		return f, 0, wrong
	}
	f.seq = int64(binary.LittleEndian.Uint64(payload))
	f.at = int64(binary.LittleEndian.Uint64(payload[8:]))
	f.kind = kind(payload[16])
	f.body = payload[payloadHead:]
	return f, frameHead + size, whole
}

// resync finds the next frame in b that can follow number last, after a place that is
// none: damage in the middle of a file must not take with it what was written later.
func resync(b []byte, last int64) (skip int, found bool) {
	for i := 1; i+frameHead+payloadHead <= len(b); i++ {
		size := int(binary.LittleEndian.Uint32(b[i:]))
		if size < payloadHead || size > maxFrame || i+frameHead+size > len(b) {
			continue
		}
		// Most places are told from a frame without the checksum of what would be in it.
		if seq := int64(binary.LittleEndian.Uint64(b[i+frameHead:])); seq <= last || seq > last+math.MaxInt32 {
			continue
		}
		if f, _, c := cutFrame(b[i:]); c == whole && f.seq > last {
			return i, true
		}
	}
	return 0, false
}
