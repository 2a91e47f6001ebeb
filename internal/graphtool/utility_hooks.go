package graphtool

import (
	"context"
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/graphspec"
	"sluice/internal/graphtool/tool"
)

// libraryLinks puts the public address of each ad in the place of the one that holds
// the caller's token.
func libraryLinks(_ *tool.Env, a *tool.Answer) error {
	list, _ := a.Data.([]any)
	for _, item := range list {
		if ad, ok := item.(map[string]any); ok {
			delete(ad, "ad_snapshot_url")
			if id, ok := graphspec.Digits.Parse(text(ad, "id")); ok {
				ad["library_url"] = "https://www.facebook.com/ads/library/?id=" + id
			}
		}
	}
	return nil
}

// debugToken asks Meta about a token. The client puts the token itself into the body of
// the call; it is in no argument and no answer.
func debugToken(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	r := graph.Request{Method: "GET", Path: []string{"debug_token"}, Host: graph.GraphHost, Token: graph.TokenRef{Kind: e.Args.Str("kind"), Page: e.Args.Str("page_id")}}
	if r.Token.Kind == "threads" {
		r.Host = graph.ThreadsHost
	}
	m, err := e.Object(ctx, r)
	if err != nil {
		return nil, err
	}
	if data, ok := m["data"].(map[string]any); ok {
		m = data
	}
	// scopes names them all; here only those count that hold for some objects and not for others.
	granular, _ := m["granular_scopes"].([]any)
	if granular = slices.DeleteFunc(granular, func(item any) bool {
		g, _ := item.(map[string]any)
		targets, _ := g["target_ids"].([]any)
		return len(targets) == 0
	}); len(granular) > 0 {
		m["granular_scopes"] = granular
	} else {
		delete(m, "granular_scopes")
	}
	return &tool.Answer{Data: m}, nil
}

// healthCheck asks both APIs who the tokens are. A failure is an entry and no error.
func healthCheck(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	ask := func(on, fields string) map[string]any {
		who, err := e.Ask(ctx, tool.Target{Verb: "GET", On: on, ID: "me"}, map[string]any{"fields": fields})
		if err != nil {
			f, ok := fault.As(err)
			if !ok {
				f = fault.New(fault.Internal, "%s", "the call failed")
			}
			return map[string]any{"ok": false, "code": string(f.Code), "message": f.Message, "fix": f.Fix}
		}
		who["ok"] = true
		return who
	}
	meta, threads := ask("User", "id,name"), ask("ThreadsUser", "id,username")
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// A Threads token is not everybody's: only one that was given and fails is a fault.
	ok := meta["ok"] == true && (threads["ok"] == true || threads["code"] == string(fault.AuthRequired))
	return &tool.Answer{Data: map[string]any{"ok": ok, "graph": meta, "threads": threads}}, nil
}

// spot is a place on the map, in degrees.
type spot struct{ lat, lon float64 }

// readSpot reads latitude,longitude.
func readSpot(text string) (spot, bool) {
	a, b, ok := strings.Cut(text, ",")
	lat, err := strconv.ParseFloat(strings.TrimSpace(a), 64)
	lon, err2 := strconv.ParseFloat(strings.TrimSpace(b), 64)
	return spot{lat, lon}, ok && err == nil && err2 == nil && math.Abs(lat) <= 90 && math.Abs(lon) <= 180
}

// to is the distance in metres over the surface of the earth.
func (s spot) to(o spot) float64 {
	const radius, degree = 6_371_000, math.Pi / 180
	a := math.Pow(math.Sin((o.lat-s.lat)*degree/2), 2) +
		math.Cos(s.lat*degree)*math.Cos(o.lat*degree)*math.Pow(math.Sin((o.lon-s.lon)*degree/2), 2)
	return 2 * radius * math.Asin(math.Min(1, math.Sqrt(a)))
}

// searchPlaces finds Pages by name, and near a place those that say where they are.
// Meta's search of places by coordinates is gone; Threads has one of its own.
func searchPlaces(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	center, hasCenter := spot{}, e.Args.Has("center")
	if hasCenter {
		var ok bool
		if center, ok = readSpot(e.Args.Str("center")); !ok {
			return nil, tool.Bad("center", "it is not latitude,longitude", "write 51.51,-0.13")
		}
	}
	if !e.Args.Has("q") {
		m, err := e.Ask(ctx, tool.Target{Verb: "GET", On: graphspec.Root, Edge: "location_search"}, map[string]any{
			"latitude": strconv.FormatFloat(center.lat, 'f', -1, 64), "longitude": strconv.FormatFloat(center.lon, 'f', -1, 64),
			"fields": "id,name,address,city,country,latitude,longitude",
		})
		if err != nil {
			return nil, err
		}
		e.Notice("These are Threads locations: Meta offers no search of Facebook places by coordinates alone. distance has no effect on it.")
		return firstOf(e, tool.Paged(m)), nil
	}
	params := map[string]any{"q": e.Args.Str("q"), "fields": "id,name,location,category_list,checkins,overall_star_rating", "limit": "100"}
	m, err := e.Ask(ctx, tool.Target{Verb: "GET", On: graphspec.Root, Edge: "pages/search"}, params)
	if err != nil {
		return nil, err
	}
	a := tool.Paged(m)
	if !hasCenter {
		return firstOf(e, a), nil
	}
	list, _ := a.Data.([]any)
	near := []any{}
	for _, item := range list {
		place, _ := item.(map[string]any)
		where, _ := place["location"].(map[string]any)
		lat, ok := degrees(where["latitude"])
		lon, ok2 := degrees(where["longitude"])
		if !ok || !ok2 {
			continue
		}
		if d := center.to(spot{lat, lon}); d <= e.Args.Float("distance") {
			place["distance_m"] = json.Number(strconv.Itoa(int(d)))
			near = append(near, place)
		}
	}
	slices.SortStableFunc(near, func(x, y any) int { return meters(x) - meters(y) })
	e.Notice("Meta's search has no coordinates: of the first 100 Pages by that name, those within the distance are listed.")
	return firstOf(e, &tool.Answer{Data: near}), nil
}

func meters(v any) int {
	m, _ := v.(map[string]any)
	n, _ := m["distance_m"].(json.Number)
	d, err := strconv.Atoi(n.String())
	if err != nil {
		return math.MaxInt32
	}
	return d
}

func degrees(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	d, err := n.Float64()
	return d, err == nil
}

// firstOf keeps as many as the caller wants; places have no further pages.
func firstOf(e *tool.Env, a *tool.Answer) *tool.Answer {
	list, _ := a.Data.([]any)
	most := int(e.Args.Int("limit"))
	return &tool.Answer{Data: list[:min(len(list), most)], HasMore: false}
}

// batcher is a client that can make many reads in one request.
type batcher interface {
	Batch(context.Context, []graph.Request) ([]graph.BatchAnswer, error)
}

// What a list of fields may not hold.
var (
	tokenFields = regexp.MustCompile(`(?i)token|secret`)
	aliasFields = regexp.MustCompile(`(?i)\.as\(`) // another name would hide what is masked
)

// fieldMarks are what a list of fields is made of besides names: nesting and modifiers. What
// is not of it could end the parameter.
const fieldMarks = "_,{}().:-"

// batchForms are the forms an id of a batch may have.
var batchForms = []graphspec.Form{graphspec.Digits, graphspec.Composite, graphspec.Opaque}

// batchRead reads many objects. All ids and fields are checked before anything is asked.
func batchRead(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	client, ok := e.Graph.(batcher)
	if !ok {
		return nil, fault.New(fault.Unsupported, "this connection can't read in batches").WithFix("Read the objects one by one.")
	}
	list := e.Args.List("reads")
	reads := make([]graph.Request, len(list))
	for i, item := range list {
		m, _ := item.(map[string]any)
		at := "reads." + strconv.Itoa(i)
		id, ok := batchID(text(m, "id"))
		if !ok {
			return nil, tool.Bad(at+".id", "it is no id of the Graph API", "ids are digits, act_ and digits, digits_digits, or letters, digits and _ : . $ = -")
		}
		reads[i] = graph.Request{Method: "GET", Path: []string{id}, Query: map[string][]string{}, Token: graph.TokenRef{Kind: "user"}}
		if fields := text(m, "fields"); fields != "" {
			if !graphspec.MadeOf(fields, fieldMarks, 1000) || tokenFields.MatchString(fields) || aliasFields.MatchString(fields) {
				return nil, tool.Bad(at+".fields", "it holds what no list of fields has, another name for a field, or the name of a token", "write names separated by commas: id,name,owner{id,name}")
			}
			reads[i].Query.Set("fields", fields)
		}
		if page := text(m, "page_id"); page != "" {
			if page, ok = graphspec.Digits.Parse(page); !ok {
				return nil, tool.Bad(at+".page_id", "it is no id of a Page", "write its digits")
			}
			reads[i].Token = graph.TokenRef{Kind: "page", Page: page}
		}
	}
	answers, err := client.Batch(ctx, reads)
	if err != nil {
		return nil, err
	}
	rows := make([]any, len(answers))
	for i, a := range answers {
		row := map[string]any{"id": reads[i].Path[0], "ok": a.Err == nil}
		rows[i] = row
		if a.Err != nil {
			f, ok := fault.As(a.Err)
			if !ok {
				f = fault.New(fault.Internal, "the read failed")
			}
			row["error"] = map[string]any{"code": string(f.Code), "message": f.Message, "fix": f.Fix}
			continue
		}
		object, err := tool.DecodeObject(a.Response.Body)
		if err != nil {
			return nil, err
		}
		delete(object, "access_token")
		row["object"] = object
	}
	answer := &tool.Answer{Data: rows}
	if !e.Settings.LeadsClear {
		maskLeads(answer)
	}
	return answer, nil
}

func batchID(id string) (string, bool) {
	if strings.HasPrefix(id, "act_") {
		return graphspec.AdAccount.Parse(id)
	}
	if id == "me" { // a direction and no object
		return "", false
	}
	for _, form := range batchForms {
		if parsed, ok := form.Parse(id); ok {
			return parsed, strings.ContainsAny(id, "0123456789")
		}
	}
	return "", false
}

// metered is a client that knows what Meta said of its call limits.
type metered interface{ Usage() []graph.PoolUsage }

// apiUsage tells how full the pools are.
func apiUsage(_ context.Context, e *tool.Env) (*tool.Answer, error) {
	rows := []any{}
	if client, ok := e.Graph.(metered); ok {
		for _, p := range client.Usage() {
			row := map[string]any{"pool": p.Pool, "percent": json.Number(strconv.FormatFloat(p.Percent, 'f', -1, 64)), "seen": p.Seen.UTC().Format(time.RFC3339)}
			if !p.Until.IsZero() {
				row["until"] = p.Until.UTC().Format(time.RFC3339)
			}
			if p.Tier != "" {
				row["tier"] = p.Tier
			}
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		e.Notice("No answer of Meta has carried a reading yet.")
	}
	return &tool.Answer{Data: rows}, nil
}
