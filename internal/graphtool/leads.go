package graphtool

import (
	"context"
	"strings"
	"unicode/utf8"

	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
)

// Lead forms and leads. Leads are personal data: their answers are masked unless the
// configuration opens them.

const leadFields = "id,created_time,field_data,form_id,is_organic,platform,ad_id,ad_name,adset_id,adset_name,campaign_id,campaign_name"

var leadTools = []*tool.Tool{
	{
		Name: "meta_list_leadgen_forms", Title: "List lead forms", Set: "ads.read",
		Does: "Lists the lead forms of a Page with their questions and the number of leads.",
		Use:  "To find the form for meta_get_leadgen_leads, or for the call to action of a lead ad.",
		Args: tool.Join([]tool.Arg{
			tool.ID("page_id", "Page", "Page."), tool.Int("limit", "How many to return.").Min(1).Max(100).Is(20),
			tool.Text("after", "Cursor of the next page: next_cursor of the answer before.").Like(tool.CursorFormat).Max(2000),
		}),
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "Page", ID: "page_id", Edge: "leadgen_forms",
			Fields: "id,name,status,created_time,leads_count,expired_leads_count,locale,questions{key,label,type}",
		}},
		Out: tool.Out{Columns: []string{"id", "name", "status", "leads_count", "created_time"}},
		Cases: []tool.Case{
			{
				Name: "the sample", Args: `{"page_id":"4000000000000001"}`, Asks: []string{"GET /4000000000000001/leadgen_forms limit=20"},
				Has: []string{"data.0.name=Newsletter sign-up", "data.0.leads_count=3", "data.0.questions.0.type=EMAIL"},
			},
			{Name: "missing permission", Args: `{"page_id":"4000000000000001"}`, Token: "only:pages_show_list", Error: "scope_missing"},
		},
	},
	{
		Name: "meta_get_leadgen_leads", Title: "Read leads", Set: "ads.read",
		Does: "Reads the leads that a lead form, or one ad, collected.",
		Use:  "For handing leads on and for conversion-lead events (the id is the lead_id). Forms are in meta_list_leadgen_forms.",
		Note: "Answers are masked unless the operator has opened leads. Meta keeps leads for 90 days.",
		Args: tool.Join([]tool.Arg{
			tool.ID("page_id", "Page", "Page that the form belongs to; its token is used."),
			tool.ID("form_id", "LeadgenForm", "Lead form.").Opt(), tool.ID("ad_id", "Ad", "Ad, in place of the form.").Opt(),
			tool.Time("since", "Only leads from then on."), tool.Time("until", "Only leads before then."),
		}, tool.Page(100)),
		OneOf: []string{"form_id ad_id"}, Rules: []tool.Rule{tool.InOrder("since", "until")},
		Category: tool.Read, Severity: tool.High, Repeat: true,
		Run:   readLeads,
		Calls: []tool.Call{{Verb: "GET", On: "LeadgenForm", Edge: "leads"}, {Verb: "GET", On: "Ad", Edge: "leads"}},
		Out:   tool.Out{Of: "Lead", List: yes(), Members: leadMembers, Columns: []string{"id", "created_time", "field_data", "ad_name"}, Untrusted: []string{"field_data", "ad_name", "adset_name", "campaign_name"}},
		Cases: []tool.Case{
			{
				Name: "masked", Args: `{"page_id":"4000000000000001","form_id":"4700000000000001"}`, Asks: []string{"GET /4700000000000001/leads limit=25"},
				Has: []string{"data.length=3", "data.0.field_data.0.values.0=c***", "notices", "untrusted_fields"},
			},
			{
				Name: "opened", Args: `{"page_id":"4000000000000001","form_id":"4700000000000001"}`, Settings: func(s *tool.Settings) { s.LeadsClear = true },
				Has: []string{"data.0.field_data.0.values.0=customer-three@example.com"},
			},
			{
				Name: "since a time", Args: `{"page_id":"4000000000000001","form_id":"4700000000000001","since":"2026-11-18T00:00:00Z"}`,
				Asks: []string{`GET /4700000000000001/leads filtering=[{"field":"time_created","operator":"GREATER_THAN_OR_EQUAL","value":1794960000}]`},
				Has:  []string{"data.0.id"},
			},
			{
				Name: "of an ad", Args: `{"page_id":"4000000000000001","ad_id":"3300000000000001"}`, Asks: []string{"GET /3300000000000001/leads"},
				Has: []string{"data.length=2", "data.0.ad_id=3300000000000001"},
			},
			{Name: "neither form nor ad", Args: `{"page_id":"4000000000000001"}`, Error: "argument_invalid", Asks: []string{}},
			{Name: "missing permission", Args: `{"page_id":"4000000000000001","form_id":"4700000000000001"}`, Token: "only:pages_show_list,ads_read", Error: "scope_missing"},
		},
	},
}

const leadMembers = "form_id:id is_organic:bool platform ad_id:id ad_name adset_id:id adset_name campaign_id:id campaign_name"

// readLeads reads a page of leads. The bounds in time become a filter, and the answers
// are masked.
func readLeads(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	params := map[string]any{"limit": e.Args["limit"]}
	if e.Args.Has("after") {
		params["after"] = e.Args.Str("after")
	}
	var filters []any
	for _, bound := range []struct{ arg, operator string }{{"since", "GREATER_THAN_OR_EQUAL"}, {"until", "LESS_THAN"}} {
		if e.Args.Has(bound.arg) {
			filters = append(filters, map[string]any{"field": "time_created", "operator": bound.operator, "value": e.Args[bound.arg]})
		}
	}
	if len(filters) > 0 {
		params["filtering"] = filters
	}
	body, err := e.Call(ctx, tool.Step{
		Verb: "GET", On: "LeadgenForm|Ad", ID: "form_id|ad_id", Edge: "leads", Fields: leadFields, PageOf: "page_id",
	}, params)
	if err != nil {
		return nil, err
	}
	page, ok := body.(map[string]any)
	if !ok {
		return nil, fault.New(fault.MetaRefused, "the answer of the Graph API is no list")
	}
	answer := tool.Paged(page)
	if !e.Settings.LeadsClear {
		maskLeads(answer)
	}
	return answer, nil
}

// maskLeads hides what people answered, whatever was asked of them.
func maskLeads(a *tool.Answer) {
	if hideAnswers(a.Data) {
		a.Notices = append(a.Notices, "Answers are masked: they are personal data. The operator opens them with meta.leads: clear in sluice.yaml.")
	}
}

// hideAnswers masks the answers of leads wherever they are in what Meta sent, and
// reports whether there were any.
func hideAnswers(v any) bool {
	hidden := false
	switch d := v.(type) {
	case []any:
		for _, item := range d {
			hidden = hideAnswers(item) || hidden
		}
	case map[string]any:
		delete(d, "custom_disclaimer_responses")
		for name, inner := range d {
			if name != "field_data" {
				hidden = hideAnswers(inner) || hidden
				continue
			}
			data, _ := inner.([]any)
			for _, entry := range data {
				m, _ := entry.(map[string]any)
				values, _ := m["values"].([]any)
				for i, given := range values {
					s, _ := given.(string)
					values[i] = masked(s)
					hidden = true
				}
			}
		}
	}
	return hidden
}

// masked keeps the first character, so that rows can be told apart at a glance.
func masked(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	r, _ := utf8.DecodeRuneInString(s)
	return string(r) + "***"
}
