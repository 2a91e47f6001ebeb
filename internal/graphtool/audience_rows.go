package graphtool

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"sluice/capi"
	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
	"sluice/internal/source"
)

// memberField is one field of a person, as callers name it.
type memberField struct {
	name  string
	key   string     // of Meta's schema; birth_date makes three
	field capi.Field // whose rules normalise it
	names string     // other headings of a column, without blanks and signs
	doc   string
	alone bool // is enough to find somebody by itself
}

// memberFields are in the order of the schema that is sent.
var memberFields = []memberField{
	{"email", "EMAIL", capi.FieldEmail, "em mail emailaddress", "E-mail address.", true},
	{"phone", "PHONE", capi.FieldPhone, "ph phonenumber telephone mobile mobilephone", "Phone number with country code, or with a country beside it.", true},
	{"first_name", "FN", capi.FieldFirstName, "fn firstname givenname forename", "First name.", false},
	{"last_name", "LN", capi.FieldLastName, "ln lastname surname familyname", "Last name.", false},
	{"gender", "GEN", capi.FieldGender, "gen ge sex", "f or m.", false},
	{"birth_date", "DOB", capi.FieldBirthDate, "db dob birthdate dateofbirth birthday", "Date of birth, e.g. 1990-04-30. In clear: a hash of it can't be split.", false},
	{"city", "CT", capi.FieldCity, "ct town", "City.", false},
	{"state", "ST", capi.FieldState, "st province region", "State or province.", false},
	{"zip", "ZIP", capi.FieldZip, "zp zipcode postcode postalcode", "Postal code.", false},
	{"country", "COUNTRY", capi.FieldCountry, "countrycode", "Country, e.g. GB.", false},
	{"mobile_advertiser_id", "MADID", capi.FieldMadID, "madid idfa gaid aaid", "Advertising id of a phone; sent as it is.", true},
	{"external_id", "EXTERN_ID", capi.FieldExternalID, "externid externalid customerid", "Your own id of the person; sent as it is, so no address or name.", true},
	{"value", "LOOKALIKE_VALUE", 0, "lookalikevalue ltv lifetimevalue", "What the person is worth, 0 or more, for value-based audiences.", false},
}

// memberProps are the members of one row, for the schema.
func memberProps() []tool.Arg {
	var list []tool.Arg
	for _, f := range memberFields {
		if f.name == "value" {
			list = append(list, tool.Number(f.name, f.doc).Min(0))
			continue
		}
		list = append(list, tool.Text(f.name, f.doc).Max(500))
	}
	return list
}

// reject says which field of which row could not be used, and why; never its value.
type reject struct {
	Row   int64  `json:"row"`
	Field string `json:"field"`
	Code  string `json:"code"`
}

// errNobody is the reason against a whole row.
const errNobody = "insufficient_identifiers"

// member is one row made ready: values by key of the schema.
type member map[string]any

// hasher makes rows ready. It sends nothing and keeps nothing.
type hasher struct {
	country string
	options capi.NormalizeOptions
}

// row normalises and hashes one row. Fields that can't be used are left out and named;
// without anything to find somebody by, the row is nothing.
func (h hasher) row(at int64, given map[string]string) (member, []reject) {
	out := member{}
	var bad []reject
	refuse := func(field, code string) { bad = append(bad, reject{at, field, code}) }
	country := h.country
	if c := strings.TrimSpace(given["country"]); c != "" {
		country = c
	}
	enough := false
	for _, f := range memberFields {
		v := strings.TrimSpace(given[f.name])
		if v == "" {
			continue
		}
		if code := h.put(out, f, v, country); code != "" {
			refuse(f.name, code)
			continue
		}
		enough = enough || f.alone
	}
	// A full name with one thing more finds people as well.
	if out["FN"] != nil && out["LN"] != nil && (out["ZIP"] != nil || out["CT"] != nil || out["DOBY"] != nil) {
		enough = true
	}
	if !enough {
		refuse("", errNobody)
		return nil, bad
	}
	return out, bad
}

// put adds a field to a row, or gives the code of what is wrong with it.
func (h hasher) put(out member, f memberField, v, country string) string {
	switch f.key {
	case "LOOKALIKE_VALUE":
		n, err := strconv.ParseFloat(v, 64)
		if err != nil || n < 0 || n > 1e12 || n != n {
			return capi.CodeNotNumeric
		}
		out[f.key] = json.Number(strconv.FormatFloat(n, 'f', -1, 64))
		return ""
	case "EXTERN_ID":
		if strings.Contains(v, "@") || len(v) > 200 {
			return "external_id_personal"
		}
		out[f.key] = v
		return ""
	}
	n, err := capi.Normalize(f.field, v, country, h.options)
	if err != nil {
		return capi.CodeOf(err)
	}
	switch {
	case f.key == "DOB" && n.AlreadyHashed:
		return capi.CodeHashedNotAllowed
	case f.key == "DOB":
		out["DOBY"], out["DOBM"], out["DOBD"] = hashed(n.Value[:4]), hashed(n.Value[4:6]), hashed(n.Value[6:8])
	case n.SHA256 != "":
		out[f.key] = n.SHA256
	case f.key == "MADID":
		out[f.key] = strings.ToLower(n.Value) // audiences want small letters
	default:
		out[f.key] = n.Value
	}
	return ""
}

func hashed(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// payload is the JSON of a batch: only the columns that some row has.
func payload(rows []member) map[string]any {
	used := map[string]bool{}
	for _, r := range rows {
		for key := range r {
			used[key] = true
		}
	}
	keys := slices.Sorted(maps.Keys(used))
	data := make([][]any, 0, len(rows))
	for _, r := range rows {
		line := make([]any, len(keys))
		for i, key := range keys {
			if line[i] = r[key]; line[i] == nil {
				line[i] = ""
				if key == "LOOKALIKE_VALUE" {
					line[i] = json.Number("0")
				}
			}
		}
		data = append(data, line)
	}
	return map[string]any{"schema": keys, "data": data}
}

// rowSource yields the rows of a call: number and fields. It ends with io.EOF.
type rowSource func(context.Context) (int64, map[string]string, error)

// givenRows are those of the argument members, numbered from 0 as in the list.
func givenRows(list []any) rowSource {
	next := 0
	return func(context.Context) (int64, map[string]string, error) {
		if next == len(list) {
			return 0, nil, io.EOF
		}
		m, _ := list[next].(map[string]any)
		row := map[string]string{}
		for name := range m {
			row[name] = text(m, name)
		}
		next++
		return int64(next - 1), row, nil
	}
}

// fileRows are those of a CSV or JSON-lines file, numbered by its lines. Close it.
type fileRows struct {
	file    *tool.File
	reader  source.Reader
	columns []string // fields, in the order of the reader's values
	record  source.Record
}

// openRows opens the file that an argument names and finds the columns: those that the
// caller maps, else those whose heading is known.
func openRows(ctx context.Context, e *tool.Env) (*fileRows, error) {
	f, err := e.Open("file", "text/plain", "text/csv", "text/tab-separated-values", "application/json", "application/x-gzip", "application/gzip")
	if err != nil {
		return nil, err
	}
	rows, err := readRows(ctx, e, f)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return rows, nil
}

func readRows(ctx context.Context, e *tool.Env, f *tool.File) (*fileRows, error) {
	seen, err := source.Inspect(ctx, []string{"-"}, source.Options{Stdin: io.NopCloser(f)})
	if err != nil {
		return nil, asArgument(err)
	}
	headings, err := mapped(e.Args.Map("columns"), seen.Header)
	if err != nil {
		return nil, err
	}
	rows := &fileRows{file: f}
	var columns []string
	for _, field := range memberFields {
		if heading, ok := headings[field.name]; ok {
			columns = append(columns, heading)
			rows.columns = append(rows.columns, field.name)
		}
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fault.New(fault.UploadRefused, "file: it can't be read twice")
	}
	rows.reader, err = source.Open(ctx, []string{"-"}, source.Options{
		Stdin: io.NopCloser(f), Columns: columns, Format: seen.Format, Delimiter: seen.Delimiter, Quote: seen.Quote, Encoding: seen.Encoding,
	})
	if err != nil {
		return nil, asArgument(err)
	}
	return rows, nil
}

// mapped finds the heading of each field.
func mapped(given map[string]any, header []string) (map[string]string, error) {
	out := map[string]string{}
	for _, f := range memberFields {
		if want := text(given, f.name); want != "" {
			if !slices.Contains(header, want) {
				return nil, tool.Bad("columns."+f.name, "the file has no such column", "name a column by its exact heading")
			}
			out[f.name] = want
			continue
		}
		names := append(strings.Fields(f.names), plainWord(f.name))
		for _, h := range header {
			if slices.Contains(names, plainWord(h)) {
				out[f.name] = h
				break
			}
		}
	}
	for name := range given {
		if !slices.ContainsFunc(memberFields, func(f memberField) bool { return f.name == name }) {
			return nil, tool.Bad("columns."+name, "there is no such field", "the fields are those of members")
		}
	}
	if len(out) == 0 {
		return nil, tool.Bad("file", "no column has a known heading", `head the columns email, phone, first_name…, or say which is which: columns {"email":"E-mail"}`)
	}
	return out, nil
}

// plainWord is a heading without case, blanks and signs.
func plainWord(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

func (r *fileRows) next(ctx context.Context) (int64, map[string]string, error) {
	err := r.reader.Next(ctx, &r.record)
	if errors.Is(err, io.EOF) {
		return 0, nil, io.EOF
	}
	if err != nil {
		return 0, nil, asArgument(err)
	}
	row := map[string]string{}
	if r.record.Fault == nil {
		for i, name := range r.columns {
			row[name] = r.record.Values[i]
		}
	}
	return r.record.Position.Line, row, nil
}

func (r *fileRows) close() {
	_ = r.reader.Close()
	_ = r.file.Close()
}

// asArgument says of a file that can't be read that the argument is wrong. The reader's
// words may quote the file, so only its code is kept.
func asArgument(err error) error {
	code := fault.CodeOf(err)
	if code != fault.SourceInvalid && code != fault.SourceEmpty && code != fault.SourceUnavailable {
		return err
	}
	return fault.New(fault.ArgumentInvalid, "file: it can't be read as a list of people (%s)", code).
		WithFix("give a CSV file with a heading per column, or JSON lines, in UTF-8, with at least one row")
}
