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

// weak is evidence that an account should confirm.
func weak(e graphspec.Evidence) bool {
	return e == graphspec.Known || e == graphspec.Chosen || e == graphspec.Reported
}

// roots are where objects to ask of are found: each GET gives ids of a node type.
var roots = []struct {
	from, node, edge string
}{
	{"User", "Page", "accounts"}, {"User", "AdAccount", "adaccounts"}, {"User", "Business", "businesses"},
	{"AdAccount", "Campaign", "campaigns"}, {"AdAccount", "AdSet", "adsets"}, {"AdAccount", "Ad", "ads"}, {"AdAccount", "AdCreative", "adcreatives"},
	{"AdAccount", "AdsPixel", "adspixels"}, {"AdAccount", "CustomAudience", "customaudiences"},
	{"Business", "ProductCatalog", "owned_product_catalogs"},
}

// VerifyAssumptions tries the harmless ones, reads of single objects and short pages,
// with the patient's token. tell hears of each as it is done.
func (p *Patient) VerifyAssumptions(ctx context.Context, tell func(Assumption)) error {
	ids := map[string]string{"User": "me"}
	for _, r := range roots {
		if ids[r.from] == "" {
			continue
		}
		res, err := p.Graph.Do(ctx, graph.Request{Method: "GET", Path: []string{ids[r.from], r.edge}, Query: map[string][]string{"limit": {"1"}}})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			continue
		}
		page, err := graph.ReadPage(res.Body)
		if err == nil && len(page.Items) > 0 {
			if id := idOf(page.Items[0]); id != "" {
				ids[r.node] = id
			}
		}
	}
	names := graphspec.Names()
	slices.Sort(names)
	for _, name := range names {
		n := graphspec.Lookup(name)
		if err := p.verifyNode(ctx, n, ids[name], tell); err != nil {
			return err
		}
	}
	return nil
}

func (p *Patient) verifyNode(ctx context.Context, n *graphspec.Compiled, id string, tell func(Assumption)) error {
	for i := range n.Edges {
		e := &n.Edges[i]
		if e.Get == nil || !weak(e.Get.Evidence) {
			continue
		}
		a := Assumption{What: "GET " + n.Name + "." + e.Name, Evidence: e.Get.Evidence, Verdict: Unclear}
		switch {
		case id == "" || n.Name == graphspec.Root:
			a.Says = "the account has no object to ask of"
		case strings.Contains(e.Get.Params, "!"):
			a.Says = "it needs parameters"
		default:
			a.Verdict, a.Says = p.ask(ctx, n, id, e.Name, e.Get)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		tell(a)
	}
	if n.Read != nil && weak(n.Read.Evidence) {
		a := Assumption{What: "GET " + n.Name, Evidence: n.Read.Evidence, Verdict: Unclear, Says: "the account has no object to ask of"}
		if id != "" {
			a.Verdict, a.Says = p.ask(ctx, n, id, "", n.Read)
		}
		tell(a)
	}
	return ctx.Err()
}

// ask makes one read, with every field that the record has.
func (p *Patient) ask(ctx context.Context, n *graphspec.Compiled, id, edge string, op *graphspec.Op) (Verdict, string) {
	r := graph.Request{Method: "GET", Path: []string{id}, Query: map[string][]string{}, Scopes: strings.Fields(op.Scopes)}
	of := n
	if edge != "" {
		r.Path = append(r.Path, edge)
		r.Query.Set("limit", "1")
		of = graphspec.Lookup(op.Returns)
	}
	if of != nil {
		var fields []string
		for _, f := range of.AllFields() {
			if f.Name != "access_token" {
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
	_, err := p.Graph.Do(ctx, r)
	if err == nil {
		return Holds, ""
	}
	f, ok := fault.As(err)
	if !ok {
		return Unclear, ""
	}
	switch {
	case f.Code == fault.ScopeMissing || f.Code == fault.AuthRequired || f.Code == fault.ConnectorExpired:
		return Forbidden, f.Message
	case f.Code == fault.MetaRefused || f.Code == fault.Unsupported || f.Code == fault.ObjectNotFound:
		return Differs, f.Message
	}
	return Unclear, f.Message
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
