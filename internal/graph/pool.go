package graph

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graphspec"
)

// How full a pool may be.
const (
	slowFrom   = 75 // percent: calls wait a little
	refuseFrom = 95 // reads that aren't urgent are refused
	full       = 100
	slowMost   = time.Second // the wait at 100 %
)

// How long a reading counts when Meta names no time.
const (
	readingLasts = 5 * time.Minute
	firstPause   = time.Minute
	longestPause = 15 * time.Minute
)

// PoolUsage is what Meta last said of one pool of calls.
type PoolUsage struct {
	// Pool is "app", "threads", "account:act_…", "page:…", "insights:…", or the type
	// and id of a business use case: "ads_management:…".
	Pool    string
	Percent float64
	Seen    time.Time
	// Until is when calls are allowed again, zero while they are.
	Until time.Time
	// Tier is the access tier that Meta names, empty when it names none.
	Tier string
}

type poolState struct {
	PoolUsage
	expires time.Time // the reading means nothing afterwards
	strikes int       // refusals in a row
}

// pools keep the last usage of every pool, and which pools an object's calls count in.
type pools struct {
	mu     sync.Mutex
	states map[string]*poolState
	routes map[string][]string
}

// maxRoutes bounds what is remembered of objects, and of pools.
const maxRoutes = 4096

// Usage lists what Meta last said of each pool, the fullest first.
func (a *API) Usage() []PoolUsage {
	now := a.opts.Now()
	p := &a.pools
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]PoolUsage, 0, len(p.states))
	for _, s := range p.states {
		u := s.PoolUsage
		if !now.Before(u.Until) {
			u.Until = time.Time{}
		}
		list = append(list, u)
	}
	slices.SortFunc(list, func(x, y PoolUsage) int {
		return cmp.Or(cmp.Compare(y.Percent, x.Percent), cmp.Compare(x.Pool, y.Pool))
	})
	return list
}

// routeOf names the object whose calls count together, and the account, Page or object
// that they count for.
func routeOf(r *Request) (route, owner string) {
	owner = r.Serial
	if owner == "" && len(r.Path) > 0 {
		owner = r.Path[0]
	}
	if r.Token.Kind == pageKind && r.Serial == "" {
		owner = r.Token.Page
	}
	route = string(r.Host) + ":" + owner
	if len(r.Path) > 1 && r.Path[len(r.Path)-1] == "insights" {
		route += "/insights"
	}
	return route, owner
}

// shared are the pools that a call counts in whatever its object.
func (c *call) shared(kind string) []string {
	switch {
	case c.Host == ThreadsHost:
		return []string{"threads"}
	case kind == userKind || kind == appKind:
		return []string{"app"}
	}
	return nil
}

// limits is one reading of a usage header.
type limits struct {
	Type     string  `json:"type"`
	Calls    float64 `json:"call_count"`
	CPU      float64 `json:"total_cputime"`
	Time     float64 `json:"total_time"`
	Regain   float64 `json:"estimated_time_to_regain_access"` // minutes
	Account  float64 `json:"acc_id_util_pct"`
	App      float64 `json:"app_id_util_pct"`
	Reset    float64 `json:"reset_time_duration"` // seconds
	TierName string  `json:"ads_api_access_tier"`
}

// see notes the usage headers of an answer, and returns the fullest of its pools.
func (p *pools) see(c *call, h http.Header, now time.Time) Usage {
	var most Usage
	var keys []string
	var regain time.Duration // named before the pool is full, and true once it is
	p.mu.Lock()
	defer p.mu.Unlock()
	take := func(key string, percent float64, wait time.Duration, tier string) {
		keys = append(keys, key)
		most.Percent = max(most.Percent, percent)
		s := p.state(key)
		s.PoolUsage = PoolUsage{Pool: key, Percent: percent, Seen: now, Tier: tier}
		s.expires = now.Add(readingLasts)
		if percent >= refuseFrom {
			s.expires = now.Add(firstPause)
		}
		if percent < full {
			s.strikes = 0
			return
		}
		if wait > 0 {
			most.RegainAccess = max(most.RegainAccess, wait)
			s.expires = now.Add(wait)
		}
		s.Until = s.expires
	}
	app := "app"
	if c.Host == ThreadsHost {
		app = "threads"
	}
	var l limits
	if header(h, "X-App-Usage", &l) {
		take(app, max(l.Calls, l.CPU, l.Time), 0, "")
	}
	if l = (limits{}); header(h, "X-Page-Usage", &l) {
		take("page:"+c.owner, max(l.Calls, l.CPU, l.Time), 0, "")
	}
	if l = (limits{}); header(h, "X-Ad-Account-Usage", &l) {
		take("account:"+c.owner, l.Account, seconds(l.Reset), l.TierName)
	}
	if l = (limits{}); header(h, "X-Fb-Ads-Insights-Throttle", &l) {
		take("insights:app", l.App, 0, l.TierName)
		take("insights:"+c.owner, l.Account, 0, l.TierName)
	}
	for _, name := range []string{"X-Business-Use-Case-Usage", "X-Business-Use-Case"} {
		var cases map[string][]limits
		if !header(h, name, &cases) {
			continue
		}
		for id, list := range cases {
			for _, l := range list {
				take(l.Type+":"+id, max(l.Calls, l.CPU, l.Time), seconds(60*l.Regain), l.TierName)
				regain = max(regain, seconds(60*l.Regain))
			}
		}
	}
	if len(keys) > 0 {
		if p.routes == nil || len(p.routes) >= maxRoutes {
			p.routes = map[string][]string{}
		}
		p.routes[c.route] = keys
	}
	most.RegainAccess = max(most.RegainAccess, regain)
	return most
}

// header reads a usage header; one that can't be read is ignored, for it is advice.
func header(h http.Header, name string, into any) bool {
	v := h.Get(name)
	return v != "" && json.Unmarshal([]byte(v), into) == nil
}

func seconds(s float64) time.Duration {
	return time.Duration(min(max(s, 0), 24*3600) * float64(time.Second))
}

// state is a pool's, made when it is new. The caller holds mu.
func (p *pools) state(key string) *poolState {
	if p.states == nil || len(p.states) >= maxRoutes && p.states[key] == nil {
		p.states = map[string]*poolState{}
	}
	s := p.states[key]
	if s == nil {
		s = &poolState{PoolUsage: PoolUsage{Pool: key}}
		p.states[key] = s
	}
	return s
}

// hold is what the pools of a call say before it is sent.
type hold struct {
	pool    string
	percent float64
	wait    time.Duration
}

// check finds the pool that stands most in the way of a call.
func (p *pools) check(c *call, kind string, now time.Time) hold {
	p.mu.Lock()
	defer p.mu.Unlock()
	var worst hold
	for _, key := range slices.Concat(c.shared(kind), p.routes[c.route]) {
		s := p.states[key]
		if s == nil || !now.Before(s.expires) || s.Percent < slowFrom {
			continue
		}
		if wait := s.expires.Sub(now); s.Percent > worst.percent || s.Percent == worst.percent && wait > worst.wait {
			worst = hold{key, s.Percent, wait}
		}
	}
	return worst
}

// callLimits are the codes that mean "too many calls". Others of the same class count
// something else, such as posts in a day: then other calls of the account go on.
var callLimits = map[int]bool{
	4: true, 17: true, 32: true, 341: true, 613: true, 80000: true, 80001: true, 80002: true, 80003: true, 80004: true,
	80005: true, 80006: true, 80008: true, 80009: true, 80014: true,
}

// limited notes a refusal for a limit of calls, and says how long to wait: as long as
// Meta names, or a minute that doubles with every further refusal.
func (a *API) limited(c *call, token credential, status int, f *failure) {
	// Threads says 613 for its quotas of posts and replies as well.
	calls := callLimits[f.code] && !(c.Host == ThreadsHost && f.code == 613)
	if !calls && status != http.StatusTooManyRequests {
		return
	}
	key := ""
	switch f.class {
	case graphspec.ClassAppRate, graphspec.ClassUserRate:
		key = "app"
		if c.Host == ThreadsHost {
			key = "threads"
		}
		if token.kind == pageKind {
			key = "page:" + c.owner
		}
	case graphspec.ClassAssetRate:
		key = "account:" + c.owner
		if row := graphspec.Match(f.code, 0); row != nil {
			if use, ok := strings.CutPrefix(row.Name, "limit_"); ok {
				key = use + ":" + strings.TrimPrefix(c.owner, "act_")
			}
		}
	default:
		return
	}
	now := a.opts.Now()
	p := &a.pools
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.state(key)
	wait := f.wait
	if wait <= 0 {
		wait = min(firstPause<<min(s.strikes, 10), longestPause)
	}
	s.strikes++
	s.Percent, s.Seen, s.Until, s.expires = full, now, now.Add(wait), now.Add(wait)
	if !slices.Contains(p.routes[c.route], key) {
		if p.routes == nil || len(p.routes) >= maxRoutes {
			p.routes = map[string][]string{}
		}
		p.routes[c.route] = append(slices.Clone(p.routes[c.route]), key)
	}
	f.err.RetryAfter = wholeSeconds(wait)
	f.err.With("retry_after", f.err.RetryAfter).With("pool", kindOf(key))
}

func wholeSeconds(d time.Duration) int { return max(1, int((d+time.Second-1)/time.Second)) }

// kindOf is a pool without the id of whom it belongs to.
func kindOf(key string) string {
	kind, _, _ := strings.Cut(key, ":")
	return kind
}

// gate lets a call pass, now or after a wait, or refuses it before anything is sent.
func (a *API) gate(c *call, token credential, left time.Duration) (time.Duration, error) {
	now := a.opts.Now()
	if wait := a.circuits.closed(c.circuit(token), now); wait > 0 {
		e := fault.New(fault.MetaUnavailable, "Meta failed several times in a row, so that %s is held back for a while; nothing was sent", shape(c.Request))
		e.RetryAfter = wholeSeconds(wait)
		return 0, e.With("class", string(graphspec.ClassTransient)).With("retry_after", e.RetryAfter)
	}
	h := a.pools.check(c, token.kind, now)
	switch {
	case h.percent >= full && h.wait <= left:
		return h.wait, nil
	case h.percent >= full, h.percent >= refuseFrom && reads(c.Request) && !c.Urgent:
		e := fault.New(fault.RateLimited, "Meta's limit of calls (%s) is used up to %.0f %%; %s was not sent", kindOf(h.pool), h.percent, shape(c.Request))
		e.RetryAfter = wholeSeconds(h.wait)
		return 0, e.With("class", string(graphspec.ClassAppRate)).With("retry_after", e.RetryAfter).With("pool", kindOf(h.pool))
	case h.percent >= slowFrom:
		return min(left, time.Duration((h.percent-slowFrom)/(full-slowFrom)*float64(slowMost))), nil
	}
	return 0, nil
}
