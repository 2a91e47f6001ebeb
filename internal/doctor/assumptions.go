package doctor

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/graphspec"
)

// Verdict is what an account says of a record.
type Verdict string

// The verdicts.
const (
	Holds     Verdict = "holds"     // it answered as the record says
	Differs   Verdict = "differs"   // it said that there is no such thing
	Forbidden Verdict = "forbidden" // the token may not ask
	Unclear   Verdict = "unclear"   // it failed otherwise, or there is no object to ask of
)

// Assumption is a record that nobody could verify without an account, and what one said.
type Assumption struct {
	What     string             `json:"what"` // GET Campaign.adrules_governed
	Evidence graphspec.Evidence `json:"evidence"`
	Verdict  Verdict            `json:"verdict"`
	Says     string             `json:"says,omitempty"`
}

// weak is evidence that an account should confirm: everything that was not read in
// Meta's documentation.
func weak(e graphspec.Evidence) bool { return e != graphspec.Documented }

// VerifyAssumptions tries the harmless ones, reads of single objects and of lists' first
// entries, with the patient's tokens: from the tokens' own users on, along every edge, to
// one object of each type. tell hears of each record that is no more than assumed.
func (p *Patient) VerifyAssumptions(ctx context.Context, tell func(Assumption)) error {
	v := &verification{p: p, tell: tell, ids: map[string]string{"User": "me"}, queue: []string{"User"}}
	if p.Threads == nil {
		v.ids["ThreadsUser"] = "me"
		v.queue = append(v.queue, "ThreadsUser")
	}
	for len(v.queue) > 0 {
		name := v.queue[0]
		v.queue = v.queue[1:]
		if err := v.node(ctx, graphspec.Lookup(name)); err != nil {
			return err
		}
	}
	names := graphspec.Names()
	slices.Sort(names)
	for _, name := range names {
		if n := graphspec.Lookup(name); v.ids[name] == "" && n.Read != nil && weak(n.Read.Evidence) {
			tell(Assumption{What: "GET " + name, Evidence: n.Read.Evidence, Verdict: Unclear, Says: "the account has no object to ask of"})
		}
	}
	return nil
}

// asking are fields that are left out: secrets, and those that need words of their own.
var asking = []string{"access_token", "business_discovery", "mentioned_media", "mentioned_comment", "stream_url", "secure_stream_url"}

// verification is one walk through an account.
type verification struct {
	p     *Patient
	tell  func(Assumption)
	ids   map[string]string // one object of each type
	queue []string          // types whose object was not asked yet
}

func (v *verification) node(ctx context.Context, n *graphspec.Compiled) error {
	if n == nil {
		return nil
	}
	id := v.ids[n.Name]
	if n.Read != nil {
		verdict, says, _ := v.p.ask(ctx, n, id, "", n.Read)
		v.say("GET "+n.Name, n.Read.Evidence, verdict, says)
	}
	for i := range n.Edges {
		e := &n.Edges[i]
		if e.Get == nil || ctx.Err() != nil {
			continue
		}
		what := "GET " + n.Name + "." + e.Name
		if strings.Contains(e.Get.Params, "!") || e.Name == "insights" {
			v.say(what, e.Get.Evidence, Unclear, "it needs parameters")
			continue
		}
		verdict, says, found := v.p.ask(ctx, n, id, e.Name, e.Get)
		v.say(what, e.Get.Evidence, verdict, says)
		if of := e.Get.Returns; found != "" && v.ids[of] == "" && graphspec.Lookup(of) != nil {
			v.ids[of] = found
			v.queue = append(v.queue, of)
		}
	}
	return ctx.Err()
}

func (v *verification) say(what string, e graphspec.Evidence, verdict Verdict, says string) {
	if weak(e) {
		v.tell(Assumption{What: what, Evidence: e, Verdict: verdict, Says: says})
	}
}

// ask makes one read, with every field that the record has, and gives the id of the
// first object it found.
func (p *Patient) ask(ctx context.Context, n *graphspec.Compiled, id, edge string, op *graphspec.Op) (v Verdict, says, found string) {
	r := graph.Request{Method: "GET", Path: []string{id}, Query: map[string][]string{}, Scopes: strings.Fields(op.Scopes)}
	of := n
	if edge != "" {
		r.Path = append(r.Path, strings.Split(edge, "/")...)
		r.Query.Set("limit", "1")
		of = graphspec.Lookup(op.Returns)
	}
	if of != nil {
		var fields []string
		for _, f := range of.AllFields() {
			if !slices.Contains(asking, f.Name) {
				fields = append(fields, f.Name)
			}
		}
		r.Query.Set("fields", strings.Join(fields, ","))
	}
	switch op.Token {
	case graphspec.PageToken:
		if n.Name == "Page" {
			r.Token = graph.TokenRef{Kind: "page", Page: id}
		}
	case graphspec.ThreadsToken:
		r.Host, r.Token = graph.ThreadsHost, graph.TokenRef{Kind: "threads"}
	}
	res, err := p.Graph.Do(ctx, r)
	if err == nil {
		if page, err := graph.ReadPage(res.Body); err == nil && len(page.Items) > 0 {
			found = idOf(page.Items[0])
		}
		return Holds, "", found
	}
	f, ok := fault.As(err)
	if !ok {
		return Unclear, "", ""
	}
	switch {
	case f.Code == fault.ScopeMissing || f.Code == fault.AuthRequired || f.Code == fault.ConnectorExpired:
		return Forbidden, f.Message, ""
	case strings.Contains(f.Message, "nonexisting field"), strings.Contains(f.Message, "Unknown path"), f.Code == fault.ObjectNotFound:
		return Differs, f.Message, ""
	}
	return Unclear, f.Message, ""
}

func idOf(item json.RawMessage) string {
	var o struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(item, &o) != nil {
		return ""
	}
	return o.ID
}
