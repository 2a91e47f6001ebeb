package graphtool

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"strconv"

	"sluice/capi"
	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
)

// Members of customer lists: rows are normalised and hashed here, and only hashes leave.

// batchRows is the most rows that Meta takes in one call.
const batchRows = 10_000

// toldRejects is how many rejects an answer names one by one.
const toldRejects = 100

const memberDoc = "E-mail, phone, names, birth date and places are normalised and hashed (SHA-256) on this machine; values that are hashes already are sent as they are."

func memberArgs(more ...tool.Arg) []tool.Arg {
	args := []tool.Arg{
		audience("Customer list (subtype CUSTOM)."),
		tool.List("members", tool.Object("", "One person.", memberProps()...), "People, at most 10000. For more, give a file.").Min(1).Max(batchRows).Local(),
		tool.Text("file", "CSV or JSON-lines file in the allowed folder, any number of rows; columns are headed as the fields of members.").Like(tool.FileFormat).Local(),
		tool.Object("columns", `Headings of the file's columns where they are named otherwise, by field: {"email":"E-mail"}.`).Local(),
		tool.Text("country", "Country of phones and postal codes that come without one, e.g. GB.").Like(tool.CountryFormat).Local(),
		tool.Bool("dry_run", "Checks and hashes, sends nothing.").Is(false).Local(),
	}
	return append(args, more...)
}

const memberOut = "audience_id:id session_id:id dry_run:bool rows:int sent:int batches:int received_by_meta:int invalid_at_meta:int " +
	"rejected_rows:int dropped_fields:int reject_codes:map rejects:json"

var memberTools = []*tool.Tool{
	{
		Name: "meta_add_audience_members", Title: "Add members to a customer list", Set: "audiences.write",
		Does: "Adds people to a customer-list audience.",
		Use:  "From arguments, or from a file. To take people out use meta_remove_audience_members; to set the whole list anew meta_replace_audience_members. Try with dry_run first.",
		Note: memberDoc + " Adding twice changes nothing. Rows without a usable identifier are rejected, told by row and field. People show after up to a day: meta_list_audience_uploads.",
		Args: memberArgs(), OneOf: []string{"members file"}, Category: tool.Write, Severity: tool.High, Repeat: true,
		Flow: membersFlow{edge: "users"}, Out: tool.Out{Members: memberOut, Heading: "Members of audience {audience_id}"},
		Cases: []tool.Case{
			{
				Name: "two people", Args: `{"audience_id":"3900000000000001","members":[{"email":" Customer-One@Example.com "},{"phone":"+44 20 7946 0001","email":"nobody"}]}`,
				Asks: []string{"POST /3900000000000001/users"},
				Has:  []string{"data.sent=2", "data.received_by_meta=2", "data.dropped_fields=1", "data.rejects.0.row=1", "data.rejects.0.field=email", "data.session_id"},
			},
			{
				Name: "a file", Args: `{"audience_id":"3900000000000001","file":"people.csv"}`, Asks: []string{"POST /3900000000000001/users"},
				Has: []string{"data.rows=2", "data.sent=1", "data.rejected_rows=1", "data.rejects.0.row=3"},
			},
			{
				Name: "dry run", Args: `{"audience_id":"3900000000000001","members":[{"email":"customer-one@example.com"}],"dry_run":true}`, Asks: []string{},
				Has: []string{"data.dry_run=true", "data.sent=0", "data.rows=1"},
			},
			{Name: "nobody usable", Args: `{"audience_id":"3900000000000001","members":[{"city":"London"}]}`, Error: "argument_invalid", Says: []string{"insufficient_identifiers"}, Asks: []string{}},
			{Name: "blocked audience", Args: `{"audience_id":"3900000000000004","members":[{"email":"customer-one@example.com"}]}`, Error: "meta_policy"},
			{Name: "not a customer list", Args: `{"audience_id":"3900000000000002","members":[{"email":"customer-one@example.com"}]}`, Error: "meta_refused"},
			{Name: "file outside", Args: `{"audience_id":"3900000000000001","file":"../people.csv"}`, Error: "upload_refused", Asks: []string{}},
		},
	},
	{
		Name: "meta_remove_audience_members", Title: "Remove members from a customer list", Set: "audiences.write",
		Does: "Takes people out of a customer-list audience.",
		Use:  "For people who withdrew consent or bought. To delete the list itself use meta_delete_custom_audience.",
		Note: memberDoc + " Give the same fields that they were added with. Removing somebody who isn't there changes nothing. It takes up to a day.",
		Args: memberArgs(), OneOf: []string{"members file"}, Category: tool.Destructive, Severity: tool.High, Repeat: true,
		Flow: membersFlow{edge: "users", method: "DELETE"}, Out: tool.Out{Members: memberOut, Heading: "Members of audience {audience_id}"},
		Cases: []tool.Case{
			{
				Name: "one person", Before: []tool.Prior{{Tool: "meta_add_audience_members", Args: `{"audience_id":"3900000000000001","members":[{"email":"customer-one@example.com"}]}`}},
				Args: `{"audience_id":"3900000000000001","members":[{"email":"customer-one@example.com"}]}`,
				Asks: []string{"POST /3900000000000001/users method=DELETE"}, Has: []string{"data.sent=1", "data.received_by_meta=1"},
			},
			{Name: "members and file", Args: `{"audience_id":"3900000000000001","members":[{"email":"a@example.com"}],"file":"people.csv"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_replace_audience_members", Title: "Replace all members of a customer list", Set: "audiences.write",
		Does:  "Replaces all members of a customer-list audience by a new list.",
		Use:   "For a list that is kept elsewhere and comes whole. For changes use meta_add_audience_members and meta_remove_audience_members.",
		Note:  memberDoc + " All rows are checked before the first is sent: with more than 20 % rejected nothing happens unless accept_rejects is given. Ads keep running meanwhile.",
		Args:  memberArgs(tool.Bool("accept_rejects", "Goes on although more than 20 % of the rows are rejected.").Is(false).Local()),
		OneOf: []string{"members file"}, Category: tool.Destructive, Severity: tool.High, Irreversible: true,
		Flow: membersFlow{edge: "usersreplace", whole: true}, Out: tool.Out{Members: memberOut, Heading: "Members of audience {audience_id}"},
		Cases: []tool.Case{
			{
				Name: "a new list", Args: `{"audience_id":"3900000000000001","members":[{"email":"customer-one@example.com"},{"email":"customer-two@example.com"}]}`,
				Asks: []string{"POST /3900000000000001/usersreplace"}, Has: []string{"data.sent=2", "data.received_by_meta=2"},
			},
			{
				Name: "half is unusable", Args: `{"audience_id":"3900000000000001","members":[{"email":"customer-one@example.com"},{"email":"nobody"}]}`,
				Error: "reject_threshold", Asks: []string{}, Says: []string{"accept_rejects"},
			},
		},
	},
}

// membersFlow sends the rows of a call in batches of one session.
type membersFlow struct {
	edge   string
	method string // in place of POST: a DELETE goes as a POST that says so, since hashes don't belong into addresses
	whole  bool   // replaces all members: everything is checked first
}

// Calls documents the course.
func (f membersFlow) Calls() []tool.Call {
	verb := "POST"
	if f.method != "" {
		verb = f.method
	}
	return []tool.Call{{Verb: verb, On: "CustomAudience", Edge: f.edge, Note: "for every 10,000 rows"}}
}

// Run sends them.
func (f membersFlow) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	dry := e.Args.Bool("dry_run")
	if f.whole || dry {
		check := &memberRun{membersFlow: f, env: e, dry: true}
		if err := check.all(ctx); err != nil {
			return nil, err
		}
		if dry {
			return check.answer(), nil
		}
		if check.rejected*5 > check.rows && !e.Args.Bool("accept_rejects") {
			return nil, fault.New(fault.RejectThreshold, "%d of %d rows would be rejected; the audience was left as it is", check.rejected, check.rows).
				WithFix("correct the rows that rejects names, or give accept_rejects true").With("rejects", check.rejects).With("reject_codes", check.codes)
		}
	}
	run := &memberRun{membersFlow: f, env: e}
	if err := run.all(ctx); err != nil {
		return nil, err
	}
	return run.answer(), nil
}

// memberRun is one way through the rows.
type memberRun struct {
	membersFlow
	env     *tool.Env
	dry     bool
	session string

	rows, rejected, dropped int64
	sent, batches           int64
	received, invalid       int64
	codes                   map[string]int64
	rejects                 []reject
}

func (r *memberRun) all(ctx context.Context) error {
	rows, total, done, err := r.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	r.codes = map[string]int64{}
	r.session = newSession()
	h := hasher{country: r.env.Args.Str("country"), options: capi.NormalizeOptions{Now: r.env.Now}}
	var batch []member
	for {
		at, given, err := rows(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return r.partly(err)
		}
		r.rows++
		m, bad := h.row(at, given)
		r.note(m == nil, bad)
		if m == nil {
			continue
		}
		if len(batch) == batchRows { // one row more, so that it isn't the last batch
			if err := r.send(ctx, batch, false, total); err != nil {
				return err
			}
			batch = batch[:0]
		}
		batch = append(batch, m)
	}
	if len(batch) == 0 {
		return fault.New(fault.ArgumentInvalid, "none of %d rows can be used (%s)", r.rows, firstCode(r.codes)).
			WithFix("give each row an e-mail address, a phone number with country, a mobile advertiser id or an external id").
			With("rejects", r.rejects).With("reject_codes", r.codes)
	}
	return r.send(ctx, batch, true, total)
}

// open gives the rows, how many there are (0: unknown), and what to call at the end.
func (r *memberRun) open(ctx context.Context) (rowSource, int, func(), error) {
	if !r.env.Args.Has("file") {
		list := r.env.Args.List("members")
		return givenRows(list), len(list), func() {}, nil
	}
	f, err := openRows(ctx, r.env)
	if err != nil {
		return nil, 0, nil, err
	}
	return f.next, 0, f.close, nil
}

// note counts what is wrong with a row.
func (r *memberRun) note(gone bool, bad []reject) {
	if gone {
		r.rejected++
	}
	for _, b := range bad {
		r.codes[b.Code]++
		if b.Code != errNobody {
			r.dropped++
		}
		if len(r.rejects) < toldRejects {
			r.rejects = append(r.rejects, b)
		}
	}
}

func (r *memberRun) send(ctx context.Context, batch []member, last bool, total int) error {
	if r.dry {
		return nil
	}
	session := map[string]any{"session_id": json.Number(r.session), "batch_seq": r.batches + 1, "last_batch_flag": last}
	if total > 0 {
		session["estimated_num_total"] = total
	}
	params := map[string]any{"payload": payload(batch), "session": session}
	if r.method != "" {
		params["method"] = r.method
	}
	answer, err := r.env.Ask(ctx, tool.Target{
		Verb: "POST", On: "CustomAudience", ID: r.env.Args.Str("audience_id"), Edge: r.edge, Repeat: !r.whole,
	}, params)
	if err != nil {
		return r.partly(err)
	}
	r.batches++
	r.sent += int64(len(batch))
	r.received += number(answer, "num_received")
	r.invalid += number(answer, "num_invalid_entries")
	r.env.Progress(float64(r.sent), float64(total), strconv.FormatInt(r.sent, 10)+" rows sent")
	return nil
}

// partly says of a failure what had been done before it.
func (r *memberRun) partly(err error) error {
	f, ok := fault.As(err)
	if !ok || r.batches == 0 {
		return err
	}
	with := *f
	with.Details = maps.Clone(f.Details)
	with.Message = "after " + strconv.FormatInt(r.sent, 10) + " rows in " + strconv.FormatInt(r.batches, 10) + " batches: " + f.Message
	fix := "call again with the same rows: those that were done change nothing the second time"
	if r.whole {
		fix = "call again with all rows: the list holds a part of them now"
	}
	return (&with).WithFix("%s", fix).With("session_id", r.session).With("rows_sent", r.sent)
}

func (r *memberRun) answer() *tool.Answer {
	rejects := make([]any, 0, len(r.rejects))
	for _, b := range r.rejects {
		rejects = append(rejects, map[string]any{"row": jsonInt(b.Row), "field": b.Field, "code": b.Code})
	}
	codes := map[string]any{}
	for code, n := range r.codes {
		codes[code] = jsonInt(n)
	}
	data := map[string]any{
		"audience_id": r.env.Args.Str("audience_id"), "dry_run": r.dry, "rows": jsonInt(r.rows), "sent": jsonInt(r.sent),
		"batches": jsonInt(r.batches), "received_by_meta": jsonInt(r.received), "invalid_at_meta": jsonInt(r.invalid),
		"rejected_rows": jsonInt(r.rejected), "dropped_fields": jsonInt(r.dropped), "reject_codes": codes, "rejects": rejects,
	}
	if !r.dry {
		data["session_id"] = r.session
	}
	a := &tool.Answer{Data: data}
	if told := int64(len(r.rejects)); told == toldRejects {
		a.Notices = append(a.Notices, "Only the first 100 rejects are listed; reject_codes counts all.")
	}
	if r.invalid > 0 {
		a.Notices = append(a.Notices, "Meta called rows invalid. Its samples are left out here: they may hold personal data.")
	}
	return a
}

// newSession is a number that tells the batches of one upload from others.
func newSession() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return strconv.FormatUint(binary.BigEndian.Uint64(b[:])>>11+1, 10)
}

// number is a whole number of an answer, 0 without one.
func number(m map[string]any, name string) int64 {
	n, err := strconv.ParseInt(text(m, name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func jsonInt(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

func firstCode(codes map[string]int64) string {
	best := errNobody
	for code, n := range codes {
		if n > codes[best] {
			best = code
		}
	}
	return best
}
