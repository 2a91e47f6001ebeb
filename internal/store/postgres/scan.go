package postgres

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// stream is the result of one query. It gives rows as they arrive; when another
// statement needs the connection meanwhile, the rest is read into memory.
type stream struct {
	rows   pgx.Rows
	fields []pgconn.FieldDescription
	row    [][]byte
	held   [][][]byte
	ended  bool
}

func (s *stream) next() bool {
	if len(s.held) > 0 {
		s.row, s.held = s.held[0], s.held[1:]
		return true
	}
	if s.ended {
		return false
	}
	if !s.rows.Next() {
		s.ended = true
		return false
	}
	if s.fields == nil {
		s.fields = s.rows.FieldDescriptions()
	}
	s.row = s.rows.RawValues()
	return true
}

// drain frees the connection.
func (s *stream) drain() {
	if s.ended {
		return
	}
	s.row = copyRow(s.row)
	for s.rows.Next() {
		s.held = append(s.held, copyRow(s.rows.RawValues()))
	}
	s.ended = true
}

func copyRow(row [][]byte) [][]byte {
	out := make([][]byte, len(row))
	for i, v := range row {
		out[i] = bytes.Clone(v)
	}
	return out
}

// scan writes the columns of the current row, converting as database/sql does: the
// same repositories serve both engines.
func (s *stream) scan(dest ...any) error {
	if len(dest) != len(s.row) {
		return fmt.Errorf("%d columns for %d places", len(s.row), len(dest))
	}
	for i, d := range dest {
		if err := assign(d, &s.fields[i], s.row[i]); err != nil {
			return fmt.Errorf("column %s: %w", s.fields[i].Name, err)
		}
	}
	return nil
}

func assign(dest any, f *pgconn.FieldDescription, raw []byte) error {
	if raw != nil {
		switch d := dest.(type) { // what nearly every column is
		case *int64:
			if f.DataTypeOID == pgtype.Int8OID && len(raw) == 8 {
				*d = int64(binary.BigEndian.Uint64(raw))
				return nil
			}
		case *string:
			if f.DataTypeOID == pgtype.TextOID {
				*d = string(raw)
				return nil
			}
		case *[]byte:
			if f.DataTypeOID == pgtype.ByteaOID && f.Format == pgx.BinaryFormatCode {
				*d = bytes.Clone(raw)
				return nil
			}
		}
	}
	v, err := decode(f, raw)
	if err != nil {
		return err
	}
	return convert(dest, v)
}

// types decodes what is rare; it is only read.
var types = pgtype.NewMap()

// decode returns nil, int64, float64, string or []byte.
func decode(f *pgconn.FieldDescription, raw []byte) (any, error) {
	if raw == nil {
		return nil, nil
	}
	if f.Format == pgx.BinaryFormatCode {
		switch {
		case f.DataTypeOID == pgtype.Int8OID && len(raw) == 8:
			return int64(binary.BigEndian.Uint64(raw)), nil
		case f.DataTypeOID == pgtype.Int4OID && len(raw) == 4:
			return int64(int32(binary.BigEndian.Uint32(raw))), nil
		case f.DataTypeOID == pgtype.Int2OID && len(raw) == 2:
			return int64(int16(binary.BigEndian.Uint16(raw))), nil
		case f.DataTypeOID == pgtype.BoolOID && len(raw) == 1:
			return int64(raw[0]), nil
		case f.DataTypeOID == pgtype.Float8OID && len(raw) == 8:
			return math.Float64frombits(binary.BigEndian.Uint64(raw)), nil
		case f.DataTypeOID == pgtype.ByteaOID:
			return bytes.Clone(raw), nil
		case f.DataTypeOID == pgtype.NumericOID: // a sum
			var n pgtype.Numeric
			if err := types.Scan(f.DataTypeOID, f.Format, raw, &n); err != nil {
				return nil, err
			}
			if whole, err := n.Int64Value(); err == nil {
				return whole.Int64, nil
			}
			real, err := n.Float64Value()
			return real.Float64, err
		}
	}
	switch f.DataTypeOID {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID, pgtype.UnknownOID:
		return string(raw), nil
	}
	return nil, fmt.Errorf("type %d is none that the ledger uses", f.DataTypeOID)
}

func convert(dest, v any) error {
	switch d := dest.(type) {
	case sql.Scanner:
		return d.Scan(v)
	case *any:
		*d = v
		return nil
	case *[]byte:
		switch v := v.(type) {
		case nil:
			*d = nil
		case []byte:
			*d = v
		case string:
			*d = []byte(v)
		default:
			return fmt.Errorf("a %T is no bytes", v)
		}
		return nil
	}
	to := reflect.ValueOf(dest)
	if to.Kind() != reflect.Pointer || to.IsNil() {
		return fmt.Errorf("%T is no place for a value", dest)
	}
	to = to.Elem()
	if to.Kind() == reflect.Pointer {
		if v == nil {
			to.SetZero()
			return nil
		}
		to.Set(reflect.New(to.Type().Elem()))
		return convert(to.Interface(), v)
	}
	switch v := v.(type) {
	case int64:
		switch to.Kind() {
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			if to.OverflowInt(v) {
				return fmt.Errorf("%d is too large for %s", v, to.Type())
			}
			to.SetInt(v)
			return nil
		case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
			if v < 0 || to.OverflowUint(uint64(v)) {
				return fmt.Errorf("%d does not fit %s", v, to.Type())
			}
			to.SetUint(uint64(v))
			return nil
		case reflect.Bool:
			to.SetBool(v != 0)
			return nil
		case reflect.Float32, reflect.Float64:
			to.SetFloat(float64(v))
			return nil
		}
	case float64:
		if to.CanFloat() {
			to.SetFloat(v)
			return nil
		}
	case string:
		if to.Kind() == reflect.String {
			to.SetString(v)
			return nil
		}
		if to.Kind() == reflect.Slice && to.Type().Elem().Kind() == reflect.Uint8 {
			to.SetBytes([]byte(v))
			return nil
		}
	case []byte:
		switch {
		case to.Kind() == reflect.Slice && to.Type().Elem().Kind() == reflect.Uint8:
			to.SetBytes(v)
			return nil
		case to.Kind() == reflect.String:
			to.SetString(string(v))
			return nil
		}
	case nil:
		if to.Kind() == reflect.Slice || to.Kind() == reflect.Map {
			to.SetZero()
			return nil
		}
	}
	return fmt.Errorf("a %T does not fit %s", v, to.Type())
}
