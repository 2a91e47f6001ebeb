package tool

import (
	"strings"
	"time"
)

// Kind is the JSON form of an argument.
type Kind string

// The kinds.
const (
	StringKind  Kind = "string"
	IntegerKind Kind = "integer"
	NumberKind  Kind = "number"
	BooleanKind Kind = "boolean"
	ObjectKind  Kind = "object"
	ArrayKind   Kind = "array"
)

// Format is what a string has to look like.
type Format string

// The formats.
const (
	PlainFormat    Format = ""
	IDFormat       Format = "id"       // Of names the node type
	URLFormat      Format = "url"      // https, absolute
	TimeFormat     Format = "time"     // RFC 3339, or Unix seconds (also as a number); sent as Unix seconds
	DateFormat     Format = "date"     // 2026-11-20
	CurrencyFormat Format = "currency" // ISO 4217
	CountryFormat  Format = "country"  // ISO 3166-1 alpha-2
	FileFormat     Format = "file"     // a path inside the allowed folder
	CursorFormat   Format = "cursor"   // as next_cursor gave it
	MetricsFormat  Format = "metrics"  // names separated by commas
	JSONFormat     Format = "json"     // text that holds a JSON object
)

// Arg is one argument. Make it with ID, Text, Enum and the rest, which keep records
// short: ID("page_id", "Page", "Page to post as.").
type Arg struct {
	Name     string
	Kind     Kind
	Doc      string
	Required bool
	Default  any
	Enum     []string
	// Was maps values that Meta has dropped to those that took their place; they are
	// accepted, replaced, and the answer says so.
	Was map[string]string
	// Min and Max bound a number, or the length of a string or list.
	MinV, MaxV *float64
	Format     Format
	Of         string // node type of an id
	// Me lets an id be "me".
	Me bool
	// Types are the content types of a file that are taken; Max bounds its bytes.
	Types []string
	// As is the parameter it is sent as; empty: Name; "-": not sent (a path, a hook).
	// A dot goes into a member: "time_range.since".
	As string
	// Join sends a list as text with commas and not as JSON.
	Join bool
	// Word makes a yes or no a flag: true adds the word to the list parameter As, and
	// false sends nothing.
	Word string
	// Fetch marks an address whose document is fetched here and sent as a file; Types are
	// the content types that are taken, Max bounds its bytes.
	Fetch bool
	// Alone sends one value as a list of one; Bare sends an ad account's id without act_.
	Alone, Bare bool
	// Items describes the items of a list, Props the members of an object. An object
	// without Props is open: any member.
	Items *Arg
	Props []Arg
	// Money marks a budget or bid, an integer in the currency's minor unit, that the
	// ceilings hold for: "daily", "lifetime", "bid", or "any" where it may be each.
	Money string
	// Gone says that the argument is accepted but has no effect any more; the answer
	// says so, with this reason.
	Gone string
	// Secret values never appear in any error or log, not even masked.
	Secret bool
	// Earliest and Latest bound a time from now on.
	Earliest, Latest time.Duration
}

// ID is a required id of an object of a node type.
func ID(name, of, doc string) Arg {
	return Arg{Name: name, Kind: StringKind, Format: IDFormat, Of: of, Doc: doc, Required: true}
}

// Text is an optional text.
func Text(name, doc string) Arg { return Arg{Name: name, Kind: StringKind, Doc: doc} }

// URL is an optional absolute https address.
func URL(name, doc string) Arg {
	return Arg{Name: name, Kind: StringKind, Format: URLFormat, Doc: doc}
}

// Upload is an optional local file; the content types that are taken are separated by
// blanks. A step sends it as a part of a multipart form, a flow opens it with Env.Open.
func Upload(name, types, doc string) Arg {
	return Arg{Name: name, Kind: StringKind, Format: FileFormat, Types: strings.Fields(types), Doc: doc}
}

// Enum is an optional choice; the values are separated by blanks.
func Enum(name, values, doc string) Arg {
	return Arg{Name: name, Kind: StringKind, Enum: strings.Fields(values), Doc: doc}
}

// Int is an optional whole number.
func Int(name, doc string) Arg { return Arg{Name: name, Kind: IntegerKind, Doc: doc} }

// Number is an optional number.
func Number(name, doc string) Arg { return Arg{Name: name, Kind: NumberKind, Doc: doc} }

// Bool is an optional yes or no.
func Bool(name, doc string) Arg { return Arg{Name: name, Kind: BooleanKind, Doc: doc} }

// Budget is an amount in the account currency's minor unit; what is "daily",
// "lifetime" or "bid".
func Budget(name, what, doc string) Arg {
	return Arg{Name: name, Kind: IntegerKind, Money: what, Doc: doc}.Min(1)
}

// Time is an optional point in time.
func Time(name, doc string) Arg {
	return Arg{Name: name, Kind: StringKind, Format: TimeFormat, Doc: doc}
}

// Date is an optional day.
func Date(name, doc string) Arg {
	return Arg{Name: name, Kind: StringKind, Format: DateFormat, Doc: doc}
}

// Object is an optional object with these members; without any it is open.
func Object(name, doc string, props ...Arg) Arg {
	return Arg{Name: name, Kind: ObjectKind, Doc: doc, Props: props}
}

// List is an optional list of items.
func List(name string, item Arg, doc string) Arg {
	return Arg{Name: name, Kind: ArrayKind, Items: &item, Doc: doc}
}

// Strings is an optional list of texts.
func Strings(name, doc string) Arg { return List(name, Text("", ""), doc) }

// Enums is an optional list of choices.
func Enums(name, values, doc string) Arg { return List(name, Enum("", values, ""), doc) }

// IDs is an optional list of ids.
func IDs(name, of, doc string) Arg {
	item := ID("", of, "")
	item.Required = false
	return List(name, item, doc)
}

// Req makes it required.
func (a Arg) Req() Arg { a.Required = true; return a }

// Opt makes it optional: an id that need not be given.
func (a Arg) Opt() Arg { a.Required = false; return a }

// Min is the least value, or length.
func (a Arg) Min(v float64) Arg { a.MinV = &v; return a }

// Max is the greatest value, or length.
func (a Arg) Max(v float64) Arg { a.MaxV = &v; return a }

// Is gives a default.
func (a Arg) Is(v any) Arg { a.Default = v; return a }

// To names the parameter it is sent as; "-" is none.
func (a Arg) To(param string) Arg { a.As = param; return a }

// Local is To("-"): it is not sent.
func (a Arg) Local() Arg { return a.To("-") }

// Comma sends a list as text with commas.
func (a Arg) Comma() Arg { a.Join = true; return a }

// Listed sends one value as a list of one.
func (a Arg) Listed() Arg { a.Alone = true; return a }

// Digits sends an ad account's id without act_.
func (a Arg) Digits() Arg { a.Bare = true; return a }

// Flag makes a yes or no add a word to a list parameter.
func (a Arg) Flag(param, word string) Arg { a.As, a.Word = param, word; return a }

// OrMe lets an id be "me".
func (a Arg) OrMe() Arg { a.Me = true; return a }

// Old maps values that are gone to today's: pairs of old and new.
func (a Arg) Old(pairs ...string) Arg {
	a.Was = map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		a.Was[pairs[i]] = pairs[i+1]
	}
	return a
}

// NoEffect marks an argument that Meta has dropped.
func (a Arg) NoEffect(why string) Arg { a.Gone = why; return a.Local() }

// Like sets the format of a text.
func (a Arg) Like(f Format) Arg { a.Format = f; return a }

// Within bounds a time: at least, and at most, so long from now.
func (a Arg) Within(earliest, latest time.Duration) Arg {
	a.Earliest, a.Latest = earliest, latest
	return a
}

// Page is the pair that every list takes: limit (1 to most, default 25) and after.
func Page(most int) []Arg {
	return []Arg{
		Int("limit", "How many to return.").Min(1).Max(float64(most)).Is(min(25, most)),
		Text("after", "Cursor of the next page: next_cursor of the answer before.").Like(CursorFormat).Max(2000),
	}
}

// Join makes one list of arguments from several.
func Join(lists ...[]Arg) []Arg {
	var all []Arg
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
