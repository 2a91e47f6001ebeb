package source

import (
	"encoding/base64"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// formatOf returns how values of a column are written as text. Mappings read text,
// so it is the text that an exact CSV export of the same data would have.
func formatOf(t parquet.Type) func([]byte, parquet.Value) []byte {
	if l := t.LogicalType(); l != nil {
		switch l := l.Value.(type) {
		case *format.DecimalType:
			return func(b []byte, v parquet.Value) []byte { return appendDecimal(b, v, int(l.Scale)) }
		case *format.DateType:
			return func(b []byte, v parquet.Value) []byte {
				return time.Unix(int64(v.Int32())*24*60*60, 0).UTC().AppendFormat(b, time.DateOnly)
			}
		case *format.TimeType:
			unit := l.Unit.Value.Duration()
			return func(b []byte, v parquet.Value) []byte {
				return time.Unix(0, integer(v)*int64(unit)).UTC().AppendFormat(b, "15:04:05.999999999")
			}
		case *format.TimestampType:
			return timestamp(l)
		case *format.IntType:
			if !l.IsSigned {
				return appendUnsigned
			}
		case *format.UUIDType:
			return appendUUID
		}
	}
	switch t.Kind() {
	case parquet.Boolean:
		return func(b []byte, v parquet.Value) []byte { return strconv.AppendBool(b, v.Boolean()) }
	case parquet.Int32, parquet.Int64:
		return func(b []byte, v parquet.Value) []byte { return strconv.AppendInt(b, integer(v), 10) }
	case parquet.Int96:
		return appendInt96
	case parquet.Float:
		return func(b []byte, v parquet.Value) []byte { return appendFloat(b, float64(v.Float()), 32) }
	case parquet.Double:
		return func(b []byte, v parquet.Value) []byte { return appendFloat(b, v.Double(), 64) }
	default:
		return appendBytes
	}
}

func integer(v parquet.Value) int64 {
	if v.Kind() == parquet.Int32 {
		return int64(v.Int32())
	}
	return v.Int64()
}

func appendUnsigned(b []byte, v parquet.Value) []byte {
	if v.Kind() == parquet.Int32 {
		return strconv.AppendUint(b, uint64(v.Uint32()), 10)
	}
	return strconv.AppendUint(b, v.Uint64(), 10)
}

// appendFloat writes an id that a data frame turned into a float as the id it was:
// 17850 and not 17850.0. What is not a number is absent.
func appendFloat(b []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return b
	}
	return strconv.AppendFloat(b, f, 'f', -1, bits)
}

// timestamp writes instants with their zone, and wall clock times without one: the
// mapping has to say which it is.
func timestamp(l *format.TimestampType) func([]byte, parquet.Value) []byte {
	unit := int64(l.Unit.Value.Duration())
	layout := "2006-01-02T15:04:05.999999999"
	if l.IsAdjustedToUTC {
		layout += "Z"
	}
	perSecond := int64(time.Second) / unit
	return func(b []byte, v parquet.Value) []byte {
		n := v.Int64()
		seconds, rest := n/perSecond, n%perSecond
		return time.Unix(seconds, rest*unit).UTC().AppendFormat(b, layout)
	}
}

// appendInt96 writes the old timestamp of Hive and Spark: nanoseconds of a Julian
// day, which they write in UTC.
func appendInt96(b []byte, v parquet.Value) []byte {
	const unixEpoch = 2_440_588 // as a Julian day
	n := v.Int96()
	nanos := int64(uint64(n[1])<<32 | uint64(n[0]))
	days := int64(n[2]) - unixEpoch
	return time.Unix(days*24*60*60, nanos).UTC().AppendFormat(b, "2006-01-02T15:04:05.999999999Z")
}

func appendDecimal(b []byte, v parquet.Value, scale int) []byte {
	var n big.Int
	switch v.Kind() {
	case parquet.Int32, parquet.Int64:
		n.SetInt64(integer(v))
	default:
		raw := v.ByteArray() // big-endian two's complement
		n.SetBytes(raw)
		if len(raw) > 0 && raw[0]&0x80 != 0 {
			n.Sub(&n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(raw))))
		}
	}
	if n.Sign() < 0 {
		b = append(b, '-')
		n.Neg(&n)
	}
	digits := n.String()
	if scale <= 0 {
		return append(b, digits...)
	}
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale-len(digits)+1) + digits
	}
	b = append(b, digits[:len(digits)-scale]...)
	b = append(b, '.')
	return append(b, digits[len(digits)-scale:]...)
}

func appendUUID(b []byte, v parquet.Value) []byte {
	raw := v.ByteArray()
	if len(raw) != 16 {
		return appendBytes(b, v)
	}
	const digits = "0123456789abcdef"
	for i, c := range raw {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, digits[c>>4], digits[c&15])
	}
	return b
}

// appendBytes writes text as it is, and what is none as base64.
func appendBytes(b []byte, v parquet.Value) []byte {
	raw := v.ByteArray()
	if utf8.Valid(raw) {
		return append(b, raw...)
	}
	return base64.StdEncoding.AppendEncode(b, raw)
}
