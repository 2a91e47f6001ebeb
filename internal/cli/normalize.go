package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"sluice/capi"
	"sluice/internal/fault"
)

// maxNormalizeLine bounds one input line.
const maxNormalizeLine = 1 << 20

// normalizeQuery is one input line.
type normalizeQuery struct {
	Field   string          `json:"field"`
	Input   json.RawMessage `json:"input"`
	Country string          `json:"country"`
}

// normalizeAnswer is one output line: either the normalised value or an error.
type normalizeAnswer struct {
	Field         string  `json:"field"`
	Normalized    *string `json:"normalized,omitempty"`
	SHA256        *string `json:"sha256,omitempty"`
	AlreadyHashed bool    `json:"already_hashed,omitempty"`
	Warning       string  `json:"warning,omitempty"`
	Error         string  `json:"error,omitempty"`
	Fix           string  `json:"fix,omitempty"`
}

func (c *command) normalizeCommand() *cobra.Command {
	var field, country string
	cmd := &cobra.Command{
		Use:     "normalize [VALUE…]",
		Short:   "Show what is hashed for a value, or why it can't be: \"why does this not match?\"",
		GroupID: groupTools,
		Long: "Without --field, reads JSON lines {\"field\",\"input\",\"country\"?} from stdin; with --field, takes the\n" +
			"arguments, or each line of stdin, as values of that field. Prints one JSON line per value, in order:\n" +
			"{\"field\",\"normalized\",\"sha256\"} or {\"field\",\"error\"}. Fields are the keys of user_data (em, ph, fn …).",
		Example: "  sluice normalize --field ph --country GB \"07700 900123\"\n" +
			"  echo '{\"field\":\"em\",\"input\":\" Anna@Example.COM \"}' | sluice normalize",
		RunE: func(cmd *cobra.Command, args []string) error {
			if field == "" && len(args) > 0 {
				return fault.New(fault.Usage, "values need --field").WithFix("for example: sluice normalize --field em %s", "anna@example.com")
			}
			if field != "" {
				if _, ok := capi.ParseField(field); !ok {
					return unknownField()
				}
			}
			out := bufio.NewWriter(c.Stdout)
			enc := json.NewEncoder(out)
			enc.SetEscapeHTML(false)
			if len(args) > 0 {
				for _, v := range args {
					if err := enc.Encode(c.normalize(field, v, country)); err != nil {
						return err
					}
				}
				return out.Flush()
			}
			return c.normalizeLines(cmd.Context(), field, country, enc, out)
		},
	}
	cmd.Flags().StringVar(&field, "field", "", "key of user_data, for plain values")
	cmd.Flags().StringVar(&country, "country", "", "ISO country for phones, states and postcodes without one")
	return cmd
}

func unknownField() error {
	var names []string
	for _, f := range capi.Fields() {
		names = append(names, f.String())
	}
	return fault.New(fault.Usage, "--field is not a key of user_data").WithFix("one of: %s", strings.Join(names, " "))
}

func (c *command) normalizeLines(ctx context.Context, field, country string, enc *json.Encoder, out *bufio.Writer) error {
	in := bufio.NewScanner(c.Stdin)
	in.Buffer(make([]byte, 64<<10), maxNormalizeLine)
	for in.Scan() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if field == "" && len(bytes.TrimSpace(in.Bytes())) == 0 {
			continue
		}
		answer := c.answer(field, country, in.Bytes())
		if err := enc.Encode(answer); err != nil {
			return err
		}
		if c.interactive() { // a person who types wants the answer now
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
	if err := in.Err(); err != nil {
		return fault.New(fault.SourceInvalid, "stdin can't be read as lines of at most 1 MiB").Wrap(err)
	}
	return out.Flush()
}

// answer reads one line; a line that is no query is answered with an error, in its
// place.
func (c *command) answer(field, country string, line []byte) normalizeAnswer {
	if field != "" {
		return c.normalize(field, string(line), country)
	}
	var q normalizeQuery
	dec := json.NewDecoder(bytes.NewReader(line))
	if err := dec.Decode(&q); err != nil {
		return normalizeAnswer{Error: "invalid_json", Fix: `each line is {"field":"em","input":"…"}`}
	}
	if _, err := dec.Token(); err != io.EOF {
		return normalizeAnswer{Field: q.Field, Error: "invalid_json", Fix: "one object a line"}
	}
	if q.Country == "" {
		q.Country = country
	}
	text := string(q.Input) // a number is taken as its decimal text
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(q.Input, &text); err != nil {
			return normalizeAnswer{Field: q.Field, Error: "invalid_json"}
		}
	}
	return c.normalize(q.Field, text, q.Country)
}

func (c *command) normalize(field, input, country string) normalizeAnswer {
	a := normalizeAnswer{Field: field}
	f, ok := capi.ParseField(field)
	if !ok {
		a.Error, a.Fix = "unknown_field", "a key of user_data: em, ph, fn, ln, …"
		return a
	}
	n, err := capi.Normalize(f, input, country, capi.NormalizeOptions{Now: c.Now})
	if err != nil {
		a.Error = capi.CodeOf(err)
		a.Fix = payloadFix(a.Error, codeInfo(a.Error).Fix)
		return a
	}
	a.Normalized, a.AlreadyHashed, a.Warning = &n.Value, n.AlreadyHashed, n.Warning
	if n.SHA256 != "" {
		a.SHA256 = &n.SHA256
	}
	return a
}
