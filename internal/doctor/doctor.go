// Package doctor looks at an installation as it would work with Meta: tokens, scopes,
// versions, accounts, datasets, clocks. Each finding says what is wrong and how to mend it.
//
// It only reads, and it never shows a token.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/graphspec"
)

// Status is how a check ended.
type Status string

// The statuses.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Failure Status = "failure"
	Skipped Status = "skipped"
)

// Check is one finding.
type Check struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Says   string `json:"says"`
	Fix    string `json:"fix,omitempty"`
}

// Tool is what a tool needs, for what the token lacks.
type Tool struct {
	Set    string
	Scopes []string // each has to be granted; one of several is joined by |
}

// Patient is what is looked at.
type Patient struct {
	Graph   *graph.API
	Client  *graph.Client // nil: there is no token; NoToken says why
	NoToken error
	Threads error // nil: there is a Threads token
	Dataset string
	Tools   []Tool
	Now     func() time.Time
}

// Examine does all checks, in order. Those that stand on one that failed are skipped.
func (p *Patient) Examine(ctx context.Context) []Check {
	list := p.versions()
	if p.Client == nil {
		list = append(list, failed("token", p.NoToken))
		return append(list, p.threads(ctx)...)
	}
	about, err := p.Client.Token(ctx)
	switch {
	case err != nil:
		list = append(list, refused("token", err))
		return append(list, p.threads(ctx)...)
	case !about.Valid:
		list = append(list, Check{"token", Failure, "Meta says that the token is not valid", renew})
		return append(list, p.threads(ctx)...)
	}
	list = append(list, p.token(&about))
	list = append(list, p.scopes(about.Scopes)...)
	list = append(list, p.assets(ctx)...)
	list = append(list, p.dataset(ctx)...)
	return append(list, p.threads(ctx)...)
}

const renew = "create a new system-user token in Business settings and set META_ACCESS_TOKEN"

// failed makes a check of an error.
func failed(name string, err error) Check {
	c := Check{Name: name, Status: Failure, Says: err.Error()}
	if f, ok := fault.As(err); ok {
		if c.Fix = f.Fix; c.Fix == "" {
			c.Fix = fault.Lookup(f.Code).Fix
		}
	}
	return c
}

// refused makes a check of an error of a token's call: only where Meta refuses the token
// does another one help.
func refused(name string, err error) Check {
	c := Check{name, Failure, err.Error(), "try again in a minute"}
	var e *graph.Error
	switch {
	case !errors.As(err, &e):
		return failed(name, err)
	case e.Class == graph.Auth:
		c.Says, c.Fix = "Meta refuses the token ("+e.Error()+")", renew
	case e.Code == 0:
		c.Fix = "check the network, the proxy settings and the configured address"
	}
	return c
}

func (p *Patient) versions() []Check {
	version := p.Graph.Version()
	warnings := graphspec.Warnings(version, p.Now())
	if len(warnings) == 0 {
		says := version + " is pinned"
		if ends := graphspec.Ends(version, false); !ends.IsZero() {
			says += ", until " + ends.Format(time.DateOnly)
		}
		return []Check{{"Graph version", OK, says, ""}}
	}
	var list []Check
	for _, w := range warnings {
		says, fix, _ := strings.Cut(w, "; ")
		list = append(list, Check{"Graph version", Warning, says, fix})
	}
	return list
}

// soon is how long before its end a token is warned of.
const soon = 14 * 24 * time.Hour

func (p *Patient) token(t *graph.Token) Check {
	says := fmt.Sprintf("%s token of app %s", strings.ToLower(strings.ReplaceAll(t.Type, "_", " ")), t.App)
	switch {
	case t.Expires.IsZero():
		return Check{"token", OK, says + ", without end", ""}
	case t.Expires.Before(p.Now().Add(soon)):
		return Check{"token", Warning, says + ", ends on " + t.Expires.Format(time.DateOnly), "use a system-user token, which need not end"}
	}
	return Check{"token", OK, says + ", until " + t.Expires.Format(time.DateOnly), ""}
}

// scopes says, for each set of tools, what the token lacks.
func (p *Patient) scopes(granted []string) []Check {
	missing := map[string]map[string]bool{}
	var sets []string
	for _, t := range p.Tools {
		if missing[t.Set] == nil {
			missing[t.Set] = map[string]bool{}
			sets = append(sets, t.Set)
		}
		for _, scope := range t.Scopes {
			if strings.HasPrefix(scope, "threads_") || allowed(scope, granted) {
				continue
			}
			missing[t.Set][strings.ReplaceAll(scope, "|", " or ")] = true
		}
	}
	var list []Check
	for _, set := range sets {
		if strings.HasPrefix(set, "threads") {
			continue
		}
		var lacks []string
		for scope := range missing[set] {
			lacks = append(lacks, scope)
		}
		sort.Strings(lacks)
		if len(lacks) == 0 {
			list = append(list, Check{"scopes of " + set, OK, "granted", ""})
			continue
		}
		list = append(list, Check{"scopes of " + set, Warning, "some of its tools lack " + strings.Join(lacks, ", "), "grant them when you create the token, if you want these tools"})
	}
	return list
}

func allowed(scope string, granted []string) bool {
	for one := range strings.SplitSeq(scope, "|") {
		if slices.Contains(granted, one) {
			return true
		}
	}
	return false
}

// assets says what the token reaches.
func (p *Patient) assets(ctx context.Context) []Check {
	var list []Check
	for _, what := range []struct{ name, edge, fields, none string }{
		{"Pages", "accounts", "id", "assign Pages to the system user in Business settings"},
		{"ad accounts", "adaccounts", "id", "assign ad accounts to the system user in Business settings"},
	} {
		body, err := p.Graph.Do(ctx, graph.Request{Method: "GET", Path: []string{"me", what.edge}, Query: map[string][]string{"fields": {what.fields}, "limit": {"100"}}})
		if err != nil {
			c := failed(what.name, err)
			c.Status = Warning
			list = append(list, c)
			continue
		}
		page, err := graph.ReadPage(body.Body)
		if err != nil {
			list = append(list, failed(what.name, err))
			continue
		}
		switch n := len(page.Items); {
		case n == 0:
			list = append(list, Check{what.name, Warning, "the token reaches none", what.none})
		default:
			list = append(list, Check{what.name, OK, fmt.Sprintf("the token reaches %d", n), ""})
		}
	}
	return list
}

// skew is how far the clock may be off before events are refused as coming from the future.
const skew = time.Minute

func (p *Patient) dataset(ctx context.Context) []Check {
	if p.Dataset == "" {
		return []Check{{"dataset", Skipped, "none is configured", "set `dataset` in sluice.yaml, or name one with --dataset"}}
	}
	var list []Check
	d, err := p.Client.Dataset(ctx, p.Dataset)
	switch {
	case err != nil:
		return []Check{{"dataset", Failure, err.Error(), "check the dataset's id, and that the system user is assigned to it"}}
	case d.Unavailable:
		list = append(list, Check{"dataset", Failure, "Meta says that it is unavailable", "look at it in Events Manager"})
	case d.Consolidated != nil && !*d.Consolidated:
		list = append(list, Check{"dataset", Warning, "it is not consolidated: it takes no store events", "connect it to offline events in Events Manager"})
	default:
		list = append(list, Check{"dataset", OK, "it can be read", ""})
	}
	s, err := p.Client.Server(ctx, p.Dataset)
	if err != nil || s.Time.IsZero() {
		return list
	}
	off := p.Now().Sub(s.Time)
	if off > skew || off < -skew {
		return append(list, Check{"clock", Failure, fmt.Sprintf("this machine is %s off Meta's clock", off.Round(time.Second)), "set the clock: events from the future are refused"})
	}
	return append(list, Check{"clock", OK, "agrees with Meta's", ""})
}

func (p *Patient) threads(ctx context.Context) []Check {
	if p.Threads != nil {
		return []Check{{"Threads token", Skipped, "none is set", "set THREADS_ACCESS_TOKEN for the tools of Threads"}}
	}
	_, err := p.Graph.Do(ctx, graph.Request{
		Method: "GET", Host: graph.ThreadsHost, Path: []string{"me"}, Query: map[string][]string{"fields": {"id"}}, Token: graph.TokenRef{Kind: "threads"},
	})
	if err != nil {
		return []Check{failed("Threads token", err)}
	}
	return []Check{{"Threads token", OK, "valid", ""}}
}
