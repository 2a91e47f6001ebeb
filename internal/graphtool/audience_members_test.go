package graphtool_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/graphtool"
	"sluice/internal/graphtool/tool"
)

// intake stands for Meta: it keeps what was sent and answers as the users edge does.
type intake struct {
	batches []batch
	failAt  int // the batch that fails, from 1; 0: none
	sample  string
}

type batch struct {
	path, method string
	schema       []string
	data         [][]any
	session      map[string]any
}

func (i *intake) Do(_ context.Context, r graph.Request) (*graph.Response, error) {
	b := batch{path: strings.Join(r.Path, "/"), method: r.Method + r.Form.Get("method")}
	var payload struct {
		Schema []string `json:"schema"`
		Data   [][]any  `json:"data"`
	}
	if err := json.Unmarshal([]byte(r.Form.Get("payload")), &payload); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(r.Form.Get("session")), &b.session); err != nil {
		return nil, err
	}
	b.schema, b.data = payload.Schema, payload.Data
	i.batches = append(i.batches, b)
	if len(i.batches) == i.failAt {
		return nil, fault.New(fault.MetaUnavailable, "Meta does not answer")
	}
	invalid, samples := 0, map[string]string{}
	if i.sample != "" {
		invalid, samples = 1, map[string]string{"0": i.sample}
	}
	body, err := json.Marshal(map[string]any{
		"audience_id": "39", "session_id": "1", "num_received": len(b.data), "num_invalid_entries": invalid, "invalid_entry_samples": samples,
	})
	return &graph.Response{Status: 200, Body: body}, err
}

// upload calls one of the tools for members, with files in the allowed folder.
func upload(t *testing.T, meta *intake, name string, args map[string]any, files map[string]string) *tool.Result {
	t.Helper()
	dir := t.TempDir()
	for file, text := range files {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	runner := &tool.Runner{
		Graph: meta, Settings: tool.Settings{UploadDir: dir}, Now: func() time.Time { return time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC) },
	}
	args["audience_id"] = "39"
	raw, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	return runner.Handler(graphtool.Named(name)).Call(t.Context(), raw, nil)
}

func data(t *testing.T, r *tool.Result) map[string]any {
	t.Helper()
	if r.Fault != nil {
		t.Fatalf("refused: %v", r.Text)
	}
	var out struct {
		Data map[string]any `json:"data"`
	}
	if err := json.Unmarshal(r.Structured, &out); err != nil {
		t.Fatal(err)
	}
	return out.Data
}

// people is a CSV file with n addresses.
func people(n int) string {
	var b strings.Builder
	b.WriteString("E-Mail,Note\n")
	for i := range n {
		fmt.Fprintf(&b, "customer-%d@example.com,x\n", i)
	}
	return b.String()
}

func TestMembersGoInBatchesOfOneSession(t *testing.T) {
	t.Parallel()
	for rows, want := range map[int][]int{1: {1}, 10_000: {10_000}, 10_001: {10_000, 1}, 25_001: {10_000, 10_000, 5_001}} {
		meta := &intake{}
		got := data(t, upload(t, meta, "meta_add_audience_members", map[string]any{"file": "people.csv"}, map[string]string{"people.csv": people(rows)}))
		var sizes []int
		session := meta.batches[0].session["session_id"]
		for i, b := range meta.batches {
			sizes = append(sizes, len(b.data))
			last := i == len(meta.batches)-1
			if b.session["batch_seq"] != float64(i+1) || b.session["last_batch_flag"] != last || b.session["session_id"] != session {
				t.Errorf("%d rows: the session of batch %d is %v", rows, i, b.session)
			}
		}
		if diff := cmp.Diff(want, sizes); diff != "" {
			t.Errorf("%d rows: %s", rows, diff)
		}
		if got["sent"] != float64(rows) || got["received_by_meta"] != float64(rows) || got["batches"] != float64(len(want)) {
			t.Errorf("%d rows: %v", rows, got)
		}
	}
}

// The hashes are those that Meta's documentation gives for its own examples.
func TestMembersAreNormalisedAndHashedHere(t *testing.T) {
	t.Parallel()
	const email, phone = "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f", "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"
	const mary = "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec"
	meta := &intake{}
	data(t, upload(t, meta, "meta_add_audience_members", map[string]any{"country": "US", "members": []any{
		map[string]any{"email": " John_Smith@gmail.com", "phone": "+1 (650) 555-1212", "first_name": "Mary", "external_id": "Shop-17"},
		map[string]any{"email": strings.ToUpper(email), "birth_date": "1990-04-30", "mobile_advertiser_id": "6D92078A-8246-4BA4-AE5B-76104861E7DC", "value": 44.5},
	}}, nil))
	b := meta.batches[0]
	at := func(row int, key string) any { return b.data[row][slices.Index(b.schema, key)] }
	for _, c := range []struct {
		row  int
		key  string
		want any
	}{
		{0, "EMAIL", email},
		{1, "EMAIL", email},
		{0, "PHONE", phone},
		{0, "FN", mary},
		{0, "EXTERN_ID", "Shop-17"},
		{0, "MADID", ""},
		{1, "MADID", "6d92078a-8246-4ba4-ae5b-76104861e7dc"},
		{1, "DOBY", "a7be8e1fe282a37cd666e0632b17d933fa13f21addf4798fc0455bc166e2488c"}, // sha256 of 1990
		{1, "LOOKALIKE_VALUE", 44.5},
		{0, "LOOKALIKE_VALUE", float64(0)},
	} {
		if got := at(c.row, c.key); got != c.want {
			t.Errorf("%s of row %d is %v, want %v", c.key, c.row, got, c.want)
		}
	}
	if strings.Contains(fmt.Sprint(b.data), "@") {
		t.Error("an address was sent in clear")
	}
}

func TestRejectsNameRowAndFieldAndNoValue(t *testing.T) {
	t.Parallel()
	meta := &intake{sample: "SECRET-sample"}
	r := upload(t, meta, "meta_add_audience_members", map[string]any{"members": []any{
		map[string]any{"email": "SECRET-one"},
		map[string]any{"email": "customer-one@example.com", "phone": "SECRET-two", "birth_date": "SECRET-three"},
		map[string]any{"external_id": "SECRET@example.com"},
		map[string]any{"city": "SECRET-city", "country": "GB"},
	}}, nil)
	got := data(t, r)
	if strings.Contains(r.Text+string(r.Structured), "SECRET") || strings.Contains(r.Text, "example.com") {
		t.Errorf("a value came back:\n%s", r.Text)
	}
	want := []any{
		map[string]any{"row": 0.0, "field": "email", "code": "invalid_email"},
		map[string]any{"row": 0.0, "field": "", "code": "insufficient_identifiers"},
		map[string]any{"row": 1.0, "field": "phone", "code": "phone_no_digits"},
		map[string]any{"row": 1.0, "field": "birth_date", "code": "dob_invalid"},
		map[string]any{"row": 2.0, "field": "external_id", "code": "external_id_personal"},
		map[string]any{"row": 2.0, "field": "", "code": "insufficient_identifiers"},
		map[string]any{"row": 3.0, "field": "", "code": "insufficient_identifiers"},
	}
	if diff := cmp.Diff(want, got["rejects"]); diff != "" {
		t.Error(diff)
	}
	if got["rows"] != 4.0 || got["sent"] != 1.0 || got["rejected_rows"] != 3.0 || got["invalid_at_meta"] != 1.0 {
		t.Errorf("%v", got)
	}
	r = upload(t, &intake{}, "meta_add_audience_members", map[string]any{"members": []any{map[string]any{"email": "SECRET"}}}, nil)
	all, err := json.Marshal(r.Fault)
	if err != nil {
		t.Fatal(err)
	}
	if r.Fault.Code != fault.ArgumentInvalid || bytes.Contains(all, []byte("SECRET")) {
		t.Errorf("%s", all)
	}
}

func TestFilesOfMembers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, text string
		columns    map[string]any
		sent       float64
		code       fault.Code
	}{
		"headings of many kinds": {"a.csv", "First Name;Surname;Post Code;E-mail address\nMary;Smith;EC1A 1BB;\n;;;customer@example.com\n", nil, 2, ""},
		"columns that are named": {"a.csv", "kontakt\ncustomer@example.com\n", map[string]any{"email": "kontakt"}, 1, ""},
		"JSON lines":             {"a.jsonl", `{"email":"customer@example.com"}` + "\n" + `{"phone":"+442079460001"}` + "\n", nil, 2, ""},
		"unknown headings":       {"a.csv", "kontakt\ncustomer@example.com\n", nil, 0, fault.ArgumentInvalid},
		"a column there isn't":   {"a.csv", "email\ncustomer@example.com\n", map[string]any{"email": "mail"}, 0, fault.ArgumentInvalid},
		"a field there isn't":    {"a.csv", "email\ncustomer@example.com\n", map[string]any{"shoe": "email"}, 0, fault.ArgumentInvalid},
		"no row":                 {"a.csv", "email\n", nil, 0, fault.ArgumentInvalid},
		"a picture":              {"a.png", "\x89PNG\r\n\x1a\n" + strings.Repeat("x", 100), nil, 0, fault.UploadRefused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			meta := &intake{}
			args := map[string]any{"file": c.file}
			if c.columns != nil {
				args["columns"] = c.columns
			}
			r := upload(t, meta, "meta_add_audience_members", args, map[string]string{c.file: c.text})
			if c.code != "" {
				if r.Fault == nil || r.Fault.Code != c.code || len(meta.batches) > 0 {
					t.Fatalf("%s; %d batches", r.Text, len(meta.batches))
				}
				if strings.Contains(r.Text, "customer@") {
					t.Errorf("the file is quoted: %s", r.Text)
				}
				return
			}
			if got := data(t, r); got["sent"] != c.sent {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestAFailureSaysWhatWasDone(t *testing.T) {
	t.Parallel()
	r := upload(t, &intake{failAt: 2}, "meta_add_audience_members", map[string]any{"file": "p.csv"}, map[string]string{"p.csv": people(10_500)})
	if r.Fault == nil || r.Fault.Code != fault.MetaUnavailable || r.Fault.Details["rows_sent"] != int64(10_000) || !strings.Contains(r.Fault.Fix, "same rows") {
		t.Errorf("%+v", r.Fault)
	}
}

func TestRemovingAndReplacing(t *testing.T) {
	t.Parallel()
	meta := &intake{}
	data(t, upload(t, meta, "meta_remove_audience_members", map[string]any{"members": []any{map[string]any{"email": "a@example.com"}}}, nil))
	// Hashes of people don't belong into an address, so the removal travels in a body.
	if b := meta.batches[0]; b.method != "POSTDELETE" || b.path != "39/users" {
		t.Errorf("%+v", b)
	}
	half := []any{map[string]any{"email": "a@example.com"}, map[string]any{"email": "nobody"}}
	meta = &intake{}
	r := upload(t, meta, "meta_replace_audience_members", map[string]any{"members": half}, nil)
	if r.Fault == nil || r.Fault.Code != fault.RejectThreshold || len(meta.batches) != 0 {
		t.Errorf("%s; %d batches", r.Text, len(meta.batches))
	}
	got := data(t, upload(t, meta, "meta_replace_audience_members", map[string]any{"members": half, "accept_rejects": true}, nil))
	if got["sent"] != 1.0 || len(meta.batches) != 1 || meta.batches[0].path != "39/usersreplace" {
		t.Errorf("%v, %+v", got, meta.batches)
	}
	meta = &intake{}
	got = data(t, upload(t, meta, "meta_replace_audience_members", map[string]any{"members": half, "dry_run": true}, nil))
	if len(meta.batches) != 0 || got["rejected_rows"] != 1.0 || got["sent"] != 0.0 {
		t.Errorf("%v", got)
	}
}
