package tool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"sluice/capi"
	"sluice/internal/fault"
	"sluice/internal/graphspec"
	"sluice/internal/suggest"
)

// Problem is one thing that is wrong with the arguments. It never holds their values.
type Problem struct {
	Argument string `json:"argument"` // user_data.email, items.2.url
	Problem  string `json:"problem"`
	Fix      string `json:"fix"`
}

// maxArguments bounds the JSON of the arguments of one call.
const maxArguments = 8 << 20

// binder checks the arguments of one call and collects everything that is wrong.
type binder struct {
	now      time.Time
	problems []Problem
	notices  []string
}

func (b *binder) say(at, problem, fix string) {
	if len(b.problems) < 20 {
		b.problems = append(b.problems, Problem{at, problem, fix})
	}
}

// bind checks arguments against the record. Every fault is told at once; notices are
// about values that were replaced.
func (t *Tool) bind(raw []byte, now time.Time) (Args, []string, error) {
	b := &binder{now: now}
	given, err := readObject(raw)
	if err != nil {
		return nil, nil, fault.New(fault.ArgumentInvalid, "the arguments %s", err).WithFix("send one JSON object, each member once")
	}
	args := b.object(given, t.arguments(), "")
	if len(b.problems) == 0 {
		return args, b.notices, nil
	}
	var words []string
	for _, p := range b.problems {
		words = append(words, p.Argument+": "+p.Problem)
	}
	e := fault.New(fault.ArgumentInvalid, "%s", strings.Join(words, "; ")).With("problems", b.problems)
	return nil, nil, e.WithFix("%s", fixes(b.problems))
}

func fixes(problems []Problem) string {
	var words []string
	for _, p := range problems {
		if p.Fix != "" && !slices.Contains(words, p.Fix) {
			words = append(words, p.Fix)
		}
	}
	return strings.Join(words, "; ")
}

// readObject reads an object strictly: each name once, valid UTF-8, nothing behind it.
func readObject(raw []byte) (map[string]any, error) {
	if len(raw) == 0 {
		return map[string]any{}, nil
	}
	if len(raw) > maxArguments {
		return nil, fmt.Errorf("are larger than %d MiB", maxArguments>>20)
	}
	d := jsontext.NewDecoder(bytes.NewReader(raw))
	if _, err := d.ReadValue(); err != nil {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return nil, errors.New("name a member twice")
		}
		return nil, errors.New("are no valid JSON")
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return nil, errors.New("are followed by something else")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, errors.New("are no valid JSON")
	}
	switch m := v.(type) {
	case map[string]any:
		return m, nil
	case nil:
		return map[string]any{}, nil
	}
	return nil, errors.New("are no JSON object")
}

func (b *binder) object(given map[string]any, args []Arg, at string) Args {
	out := Args{}
	known := make([]string, 0, len(args))
	for i := range args {
		known = append(known, args[i].Name)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if slices.Contains(known, name) {
			continue
		}
		fix := "remove it; there are: " + strings.Join(known, ", ")
		if near := suggest.Closest(name, known); near != "" {
			fix = "did you mean " + near + "?"
		}
		b.say(at+clip(name), "there is no such argument", fix)
	}
	for i := range args {
		a := &args[i]
		v, there := given[a.Name]
		if !there || v == nil {
			if a.Required {
				b.say(at+a.Name, "it is missing", "give "+a.Name+": "+a.wants())
			} else if a.Default != nil {
				out[a.Name] = standard(a.Default)
			}
			continue
		}
		if checked, ok := b.value(a, v, at+a.Name); ok {
			out[a.Name] = checked
			if a.Gone != "" {
				b.notices = append(b.notices, at+a.Name+" has no effect any more: "+a.Gone)
			}
		}
	}
	return out
}

// standard writes a default as a decoded JSON value.
func standard(v any) any {
	switch d := v.(type) {
	case int:
		return json.Number(strconv.Itoa(d))
	case int64:
		return json.Number(strconv.FormatInt(d, 10))
	case float64:
		return json.Number(strconv.FormatFloat(d, 'f', -1, 64))
	case []string:
		list := make([]any, len(d))
		for i, s := range d {
			list[i] = s
		}
		return list
	}
	return v
}

func clip(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, name)
	if r := []rune(name); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return name
}

// wants says in a few words what an argument has to be.
func (a *Arg) wants() string {
	switch {
	case len(a.Enum) > 0:
		return "one of " + strings.Join(a.Enum, ", ")
	case a.Format == IDFormat:
		n := graphspec.Lookup(a.firstOf())
		if n == nil {
			return "an id, as text"
		}
		what := "the id of " + article(a.firstOf()) + ", as text: " + n.ID.Describe()
		if a.Me {
			what += ", or me"
		}
		return what
	case a.Format == URLFormat:
		return "an absolute https:// address"
	case a.Format == TimeFormat:
		return "a time such as 2026-11-20T10:00:00Z, or Unix seconds"
	case a.Format == DateFormat:
		return "a day such as 2026-11-20"
	case a.Format == CurrencyFormat:
		return "a currency code such as GBP"
	case a.Format == CountryFormat:
		return "a country code such as GB"
	case a.Format == FileFormat:
		return "a path inside the allowed folder"
	case a.Format == JSONFormat:
		return "text that holds a JSON object"
	}
	switch a.Kind {
	case StringKind:
		return "a text"
	case IntegerKind:
		return "a whole number"
	case NumberKind:
		return "a number"
	case BooleanKind:
		return "true or false"
	case ArrayKind:
		return "a list"
	}
	return "an object"
}

func article(word string) string {
	if strings.ContainsRune("AEIOU", rune(word[0])) {
		return "an " + word
	}
	return "a " + word
}

// value checks one argument.
func (b *binder) value(a *Arg, v any, at string) (any, bool) {
	bad := func(problem string) (any, bool) {
		b.say(at, problem, a.label(at)+" is "+a.wants())
		return nil, false
	}
	switch a.Kind {
	case StringKind:
		switch s := v.(type) {
		case string:
			return b.text(a, s, at)
		case json.Number:
			if a.Format == TimeFormat {
				return b.text(a, s.String(), at)
			}
			if a.Format == IDFormat {
				return bad("an id is text: a number loses digits")
			}
		}
		return bad("it is no text")
	case IntegerKind, NumberKind:
		n, ok := v.(json.Number)
		if !ok {
			return bad("it is no number")
		}
		return b.number(a, n, at)
	case BooleanKind:
		if _, ok := v.(bool); !ok {
			return bad("it is neither true nor false")
		}
		return v, true
	case ArrayKind:
		list, ok := v.([]any)
		if !ok {
			return bad("it is no list")
		}
		return b.list(a, list, at)
	case ObjectKind:
		m, ok := v.(map[string]any)
		if !ok {
			return bad("it is no object")
		}
		if len(a.Props) == 0 {
			return m, true
		}
		return map[string]any(b.object(m, a.Props, at+".")), true
	}
	return bad("it is of no known kind")
}

func (a *Arg) label(at string) string {
	if a.Name != "" {
		return a.Name
	}
	return at
}

func (b *binder) number(a *Arg, n json.Number, at string) (any, bool) {
	var r *big.Rat
	ok := len(n) <= 40
	if i := strings.IndexAny(n.String(), "eE"); ok && i >= 0 {
		ok = len(n)-i <= 5 // a large exponent costs more than any amount is worth
	}
	if ok {
		r, ok = new(big.Rat).SetString(n.String())
	}
	if !ok {
		b.say(at, "it is no usable number", "")
		return nil, false
	}
	if a.Kind == IntegerKind {
		if !r.IsInt() || !r.Num().IsInt64() {
			b.say(at, "it is no whole number", a.label(at)+" is a whole number")
			return nil, false
		}
		n = json.Number(r.Num().String())
	}
	if a.MinV != nil && r.Cmp(decimal(*a.MinV)) < 0 {
		b.say(at, "it is less than "+trim(*a.MinV), "the least is "+trim(*a.MinV))
		return nil, false
	}
	if a.MaxV != nil && r.Cmp(decimal(*a.MaxV)) > 0 {
		b.say(at, "it is more than "+trim(*a.MaxV), "the most is "+trim(*a.MaxV))
		return nil, false
	}
	return n, true
}

// decimal is a bound as it is written: 0.01, and not the binary fraction next to it.
func decimal(v float64) *big.Rat {
	r, _ := new(big.Rat).SetString(trim(v))
	return r
}

func trim(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func (b *binder) list(a *Arg, list []any, at string) (any, bool) {
	if a.MinV != nil && float64(len(list)) < *a.MinV || a.MaxV != nil && float64(len(list)) > *a.MaxV {
		least, most := "0", "any number"
		if a.MinV != nil {
			least = trim(*a.MinV)
		}
		if a.MaxV != nil {
			most = trim(*a.MaxV)
		}
		b.say(at, fmt.Sprintf("it has %d items", len(list)), "give "+least+" to "+most)
		return nil, false
	}
	out := make([]any, 0, len(list))
	whole := true
	for i, item := range list {
		checked, ok := b.value(a.Items, item, at+"."+strconv.Itoa(i))
		whole = whole && ok
		out = append(out, checked)
	}
	return out, whole
}

var (
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
	countryForm  = regexp.MustCompile(`^[A-Z]{2}$`)
	metricForm   = regexp.MustCompile(`^[A-Za-z0-9_,.: ]*$`)
)

func (b *binder) text(a *Arg, s, at string) (any, bool) {
	bad := func(problem string) (any, bool) {
		b.say(at, problem, a.label(at)+" is "+a.wants())
		return nil, false
	}
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return bad("it is no valid text")
	}
	if len(a.Enum) > 0 {
		if now, was := a.Was[s]; was {
			b.notices = append(b.notices, at+": Meta has dropped "+s+"; "+now+" was used")
			return now, true
		}
		if !slices.Contains(a.Enum, s) {
			if near := suggest.Closest(s, a.Enum); near != "" {
				b.say(at, "it is none of the choices", "did you mean "+near+"?")
				return nil, false
			}
			return bad("it is none of the choices")
		}
		return s, true
	}
	length := float64(utf8.RuneCountInString(s))
	if a.Format == PlainFormat || a.Format == CursorFormat {
		if a.MinV != nil && length < *a.MinV {
			return bad("it is shorter than " + trim(*a.MinV) + " characters")
		}
		if a.MaxV != nil && length > *a.MaxV {
			return bad("it is longer than " + trim(*a.MaxV) + " characters")
		}
		if a.Required && strings.TrimSpace(s) == "" {
			return bad("it is empty")
		}
		return s, true
	}
	return b.formatted(a, s, at, bad)
}

func (b *binder) formatted(a *Arg, s, at string, bad func(string) (any, bool)) (any, bool) {
	switch a.Format {
	case IDFormat:
		if a.Me && s == "me" {
			return s, true
		}
		for _, of := range strings.Split(a.Of, "|") {
			n := graphspec.Lookup(of)
			if n == nil {
				continue
			}
			if id, ok := n.ID.Parse(s); ok {
				return id, true
			}
		}
		return bad("it is no id of that kind")
	case URLFormat:
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(s) > 8192 {
			return bad("it is no absolute https address without user and password")
		}
		return s, true
	case TimeFormat:
		at, ok := readTime(s)
		if !ok {
			return bad("it is no point in time")
		}
		return b.bounded(a, at, bad)
	case DateFormat:
		if _, err := time.Parse(time.DateOnly, s); err != nil {
			return bad("it is no day")
		}
	case CurrencyFormat:
		if !currencyForm.MatchString(s) {
			return bad("it is no currency code")
		}
		if _, known := capi.CurrencyDecimals(s); !known {
			return bad("Meta has no such currency")
		}
	case CountryFormat:
		if !countryForm.MatchString(s) {
			return bad("it is no country code")
		}
	case MetricsFormat:
		if !metricForm.MatchString(s) || len(s) > 4000 {
			return bad("it is no list of names")
		}
	case JSONFormat:
		if _, err := readObject([]byte(s)); err != nil || !strings.HasPrefix(strings.TrimSpace(s), "{") {
			return bad("it is no JSON object written as text")
		}
	}
	return s, true
}

func readTime(s string) (time.Time, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(n, 0).UTC(), n > 0 && n < 1<<40
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// bounded checks a time against the bounds from now on and writes it as Unix seconds.
func (b *binder) bounded(a *Arg, at time.Time, bad func(string) (any, bool)) (any, bool) {
	if a.Earliest != 0 && at.Before(b.now.Add(a.Earliest)) {
		if a.Earliest < 0 {
			return bad("it lies in the past")
		}
		return bad("it is earlier than " + a.Earliest.String() + " from now")
	}
	if a.Latest != 0 && at.After(b.now.Add(a.Latest)) {
		return bad("it is later than " + a.Latest.String() + " from now")
	}
	return json.Number(strconv.FormatInt(at.Unix(), 10)), true
}
