package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/cli"
	"sluice/internal/fault"
)

const hash = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"

func at(hours int) string { return strconv.FormatInt(now.Unix()-int64(hours)*3600, 10) }

// event is one valid event, with some of its text replaced.
func event(oldnew ...string) string {
	text := `{"event_name":"Purchase","event_time":` + at(1) + `,"event_id":"e1","action_source":"physical_store",` +
		`"user_data":{"em":["` + hash + `"]},"custom_data":{"value":1.5,"currency":"EUR","order_id":"1"}}`
	return strings.NewReplacer(oldnew...).Replace(text)
}

func TestPayloadCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text, kind string
		faults           []string // path: code
	}{
		{"a valid request", `{"data":[` + event() + `]}`, "request", nil},
		{"a valid list", `[` + event() + `]`, "list", nil},
		{"a valid event", event(), "event", nil},
		{"each fault names its event, once", `{"data":[` + event() + `,` + event(hash, "anna@example.com") + `,` + event(`"EUR"`, `"eur"`) + `]}`, "request",
			[]string{"data[1].user_data.em[0]: not_hashed", "data[2].custom_data.currency: bad_currency"}},
		{"both judges find it", `[` + event(`"1"}`, `null}`) + `]`, "list", []string{"data[0].custom_data.order_id: null_value"}},
		{"a single event has no index", event(`"EUR"`, `"eur"`), "event", []string{"custom_data.currency: bad_currency"}},
		{"a key twice, and what comes after it", `{"data":[` + event(`"event_id"`, `"event_name"`) + `,` + event(`"EUR"`, `"eur"`) + `]}`, "request",
			[]string{"data[0].event_name: duplicate_key", "data[1].custom_data.currency: bad_currency"}},
		{"a key twice inside", `[` + event(`"value":1.5`, `"currency":"EUR"`) + `]`, "list", []string{"data[0].custom_data.currency: duplicate_key"}},
		{"a strange key twice", `{"a@example.com":1,"a@example.com":2}`, "event", []string{"?: duplicate_key"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			o := s.runWith(tt.text, "payload", "--check", "-", "--json")
			var doc struct {
				Kind     string
				OK       bool
				JudgedBy string `json:"judged_by"`
				Faults   []struct{ Path, Code, Effect, Fix string }
			}
			if err := json.Unmarshal([]byte(o.stdout), &doc); err != nil {
				t.Fatalf("%v\n%s", err, o.stdout)
			}
			var got []string
			for _, f := range doc.Faults {
				got = append(got, f.Path+": "+f.Code)
				lacks(t, f.Fix, "column", "declare", " map ")
			}
			if diff := cmp.Diff(tt.faults, got); diff != "" {
				t.Errorf("faults (-want +got)\n%s", diff)
			}
			if wantOK := len(tt.faults) == 0; doc.Kind != tt.kind || doc.OK != wantOK || (o.code == 0) != wantOK || doc.JudgedBy != "sluice" {
				t.Errorf("kind %s, ok %v, exit %d, judged by %q", doc.Kind, doc.OK, o.code, doc.JudgedBy)
			}
			lacks(t, o.stdout, "example.com")
		})
	}
	t.Run("the text says who judges", func(t *testing.T) {
		t.Parallel()
		has(t, open(t).runWith(event(`"EUR"`, `"eur"`), "payload", "--check", "-").stdout, "stricter than Meta")
	})
}

func TestPayloadNotJSON(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"cut off", "{\"data\":[\n {\"event_name\":\n", "ends in the middle of its JSON: line 2, column 16 (byte 25)"},
		{"a stray comma", "{\"data\":[1,\n  ,2]}", "is not JSON: line 2, column 3 (byte 14)"},
		{"nothing", "", "ends in the middle of its JSON: line 1, column 1 (byte 0)"},
		{"not even close", "order,email", "is not JSON: line 1, column 1 (byte 0)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := open(t).runWith(tt.text, "payload", "--check", "-")
			if o.code != 2 {
				t.Errorf("exit %d", o.code)
			}
			has(t, o.stderr, tt.want, "source_invalid")
		})
	}
}

func TestPayloadNearMiss(t *testing.T) {
	t.Parallel()
	s := open(t)
	args := []string{"payload", "--em", "a@example.com", "--source", "physical_store", "--value", "1.50", "--currency", "EUR", "--event"}
	has(t, s.run(append(args, "Purchas")...).stderr, "did you mean Purchase?")
	has(t, s.run(append(args, "purchase")...).stdout, "event_name_near_miss")
	for _, name := range []string{"Purchase", "LoyaltySignup"} {
		lacks(t, s.run(append(args, name)...).stderr, "did you mean")
	}
	o := s.run("payload", "--value", "1.234,50")
	has(t, o.stderr, "decimal point")
}

// ask holds the interview and returns the event in short, and what was said.
func ask(ctx context.Context, stdin io.Reader) (got, said string, err error) {
	var out, errs bytes.Buffer
	ev, err := cli.Asked(ctx, cli.Process{Stdin: stdin, Stdout: &out, Stderr: &errs, Now: clock})
	if err != nil {
		return "", errs.String(), err
	}
	got = strings.Join([]string{ev.EventName, string(ev.ActionSource), strconv.FormatInt(ev.EventTime, 10), ev.CustomData.OrderID,
		ev.CustomData.Value.Value.String(), ev.CustomData.Currency, strings.Join(ev.UserData.Email, "+")}, " ")
	return got, errs.String(), nil
}

func TestPayloadInterview(t *testing.T) {
	t.Parallel()
	answers := []string{
		"Purchas", "shop", "physical store", "yesterday", "2026-11-20T10:00:00Z", "1001", "12,50", "12.50", "euro", "eur", "Atlantis", "GB",
		"nobody", "a@example.com", "", "", "", "",
	}
	got, said, err := ask(t.Context(), strings.NewReader(strings.Join(answers, "\n")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("Purchas physical_store 1795168800 1001 12.5 EUR a@example.com", got); diff != "" {
		t.Error(diff)
	}
	has(t, said, "did you mean Purchase?", "none of Meta's action sources", "RFC 3339", "decimal point", "ISO 4217", "alpha-2", "e-mail address")
}

func TestPayloadInterviewEnds(t *testing.T) {
	t.Parallel()
	_, _, err := ask(t.Context(), strings.NewReader("Purchase\n"))
	f, ok := fault.As(err)
	if !ok || f.Code != fault.Usage {
		t.Fatalf("got %v", err)
	}
	lacks(t, f.Fix, "--yes")
}

// TestPayloadInterviewStops: nobody has to press Enter after Ctrl-C.
func TestPayloadInterviewStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	silent, end := io.Pipe()
	t.Cleanup(func() { _ = end.Close() })
	done := make(chan error, 1)
	go func() {
		_, _, err := ask(ctx, silent)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
