package postgres

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// translator turns statements of sqlrepo (`?` and `?N`) into PostgreSQL's. Every
// parameter is cast to what its argument is: PostgreSQL would infer a type from the
// first place it stands at, and in `?1 = 0 OR plan = ?1` that is a 32-bit one.
type translator struct {
	mu    sync.RWMutex
	known map[string]map[string]string // statement -> kinds of its arguments -> text
}

// knownStatements bounds what is remembered, should somebody build statements.
const knownStatements = 4096

// The kinds of arguments, one byte each, and how they are cast. NULL has no kind:
// its place decides.
var casts = map[byte]string{'i': "::bigint", 's': "::text", 'b': "::bytea", 'f': "::double precision", 't': "::boolean", 'I': "::bigint[]", 'S': "::text[]", 'B': "::bytea[]"}

func (t *translator) translate(query string, args []any) (string, []any, error) {
	var stack [32]byte
	kinds := stack[:0]
	plain := make([]any, len(args))
	for i, a := range args {
		v, kind, err := argument(a)
		if err != nil {
			return "", nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		plain[i], kinds = v, append(kinds, kind)
	}
	t.mu.RLock()
	text, ok := t.known[query][string(kinds)]
	t.mu.RUnlock()
	if ok {
		return text, plain, nil
	}
	text, err := number(query, kinds)
	if err != nil {
		return "", nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil || len(t.known) >= knownStatements {
		t.known = map[string]map[string]string{}
	}
	if t.known[query] == nil {
		t.known[query] = map[string]string{}
	}
	t.known[query][string(kinds)] = text
	return text, plain, nil
}

// number replaces the parameters. A bare `?` is one more than the highest before.
func number(query string, kinds []byte) (string, error) {
	var b strings.Builder
	high := 0
	for rest := query; rest != ""; {
		n := literal(rest)
		if n > 0 || rest[0] != '?' {
			n = max(n, 1)
			b.WriteString(rest[:n])
			rest = rest[n:]
			continue
		}
		digits := 1
		for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
			digits++
		}
		no := high + 1
		if digits > 1 {
			no, _ = strconv.Atoi(rest[1:digits])
		}
		high = max(high, no)
		if no < 1 || no > len(kinds) {
			return "", fmt.Errorf("parameter %d of %d arguments in %.60q", no, len(kinds), query)
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(no))
		b.WriteString(casts[kinds[no-1]])
		rest = rest[digits:]
	}
	if high != len(kinds) {
		return "", fmt.Errorf("%d parameters for %d arguments in %.60q", high, len(kinds), query)
	}
	return b.String(), nil
}

// literal is the length of the quoted text, name or comment that s begins with.
func literal(s string) int {
	var open, end string
	switch {
	case s[0] == '\'' || s[0] == '"':
		open, end = s[:1], s[:1] // a doubled quote is two literals side by side
	case strings.HasPrefix(s, "--"):
		open, end = "--", "\n"
	case strings.HasPrefix(s, "/*"):
		open, end = "/*", "*/"
	default:
		return 0
	}
	at := strings.Index(s[len(open):], end)
	if at < 0 {
		return len(s)
	}
	return len(open) + at + len(end)
}

// argument is a as one of the types that a parameter can be.
func argument(a any) (plain any, kind byte, err error) {
	switch v := a.(type) {
	case nil:
		return nil, 'n', nil
	case int64:
		return v, 'i', nil
	case int:
		return int64(v), 'i', nil
	case string:
		return storable(v), 's', nil
	case []byte:
		return v, 'b', nil
	case bool:
		if v {
			return int64(1), 'i', nil
		}
		return int64(0), 'i', nil
	case []int64:
		return v, 'I', nil
	case []string:
		return v, 'S', nil
	case [][]byte:
		return v, 'B', nil
	case driver.Valuer:
		inner, err := v.Value()
		if err != nil || inner == nil {
			return nil, 'n', err
		}
		return argument(inner)
	}
	switch v := reflect.ValueOf(a); v.Kind() {
	case reflect.String:
		return storable(v.String()), 's', nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), 'i', nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return int64(v.Uint()), 'i', nil
	case reflect.Float32, reflect.Float64:
		return v.Float(), 'f', nil
	case reflect.Bool:
		return argument(v.Bool())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return v.Bytes(), 'b', nil
		}
	case reflect.Pointer:
		if v.IsNil() {
			return nil, 'n', nil
		}
		return argument(v.Elem().Interface())
	}
	return nil, 0, fmt.Errorf("a %T can't be stored", a)
}

// storable replaces what a text of PostgreSQL can't hold: NUL and invalid UTF-8,
// which only come from the masked remains of rows that were refused.
func storable(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// dialect turns a migration in SQLite's STRICT dialect into PostgreSQL's. Types are
// told from names by being upper case. Text compares by its bytes, as in SQLite,
// whatever the database's language.
func dialect(text string) string {
	var b strings.Builder
	for rest := text; rest != ""; {
		if n := literal(rest); n > 0 {
			b.WriteString(rest[:n])
			rest = rest[n:]
			continue
		}
		n := 0
		for n < len(rest) && (rest[n] == '_' || rest[n] >= 'a' && rest[n] <= 'z' || rest[n] >= 'A' && rest[n] <= 'Z' || rest[n] >= '0' && rest[n] <= '9') {
			n++
		}
		if n == 0 {
			if after, ok := tableOptions(rest); ok {
				b.WriteByte(')')
				rest = after
				continue
			}
			b.WriteByte(rest[0])
			rest = rest[1:]
			continue
		}
		word := rest[:n]
		rest = rest[n:]
		switch word {
		case "INTEGER":
			const key, auto = " PRIMARY KEY", " AUTOINCREMENT"
			if strings.HasPrefix(rest, key) {
				rest = strings.TrimPrefix(rest[len(key):], auto)
				word = "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"
			} else {
				word = "BIGINT"
			}
		case "TEXT":
			word = `TEXT COLLATE "C"`
		case "BLOB":
			word = "BYTEA"
		case "REAL":
			word = "DOUBLE PRECISION"
		}
		b.WriteString(word)
	}
	return b.String()
}

// tableOptions drops `) STRICT, WITHOUT ROWID` down to its parenthesis.
func tableOptions(s string) (after string, ok bool) {
	if s[0] != ')' {
		return s, false
	}
	after = s[1:]
	for {
		next := strings.TrimLeft(after, " ,\n\t")
		switch {
		case strings.HasPrefix(next, "STRICT"):
			after, ok = next[len("STRICT"):], true
		case strings.HasPrefix(next, "WITHOUT ROWID"):
			after, ok = next[len("WITHOUT ROWID"):], true
		default:
			return after, ok
		}
	}
}
