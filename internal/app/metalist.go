package app

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/internal/config"
	"sluice/internal/graph"
	"sluice/internal/graphtool/tool"
	"sluice/internal/sandbox"
)

// shortList is what clients see that asked for no sets: clients refuse long lists, some
// at 40.
type shortList struct {
	handlers []tool.Handler
	always   int // the first ones, listed in any case
	config   *config.Config
	api      *graph.API

	known chan struct{} // closed once it is known what the tokens may do
	once  sync.Once
	may   func(scopes []string) bool // nil: not known
}

const (
	mostListed = 39 // and the search
	// learning is how long the first list waits for what the tokens may do.
	learning = 500 * time.Millisecond
)

// learn finds out what the tokens may do.
func (l *shortList) learn(ctx context.Context) {
	defer l.once.Do(func() { close(l.known) })
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	granted, known := l.scopes(ctx)
	threads := false
	if token, err := l.config.ThreadsAccessToken(ctx); err == nil && token != "" || !l.api.Remote() {
		threads = true
	}
	if !known && !threads {
		return
	}
	l.may = func(scopes []string) bool {
		for _, s := range scopes {
			enough := false
			for one := range strings.SplitSeq(s, "|") {
				ofThreads := strings.HasPrefix(one, "threads_")
				enough = enough || ofThreads && threads || !ofThreads && (!known || slices.Contains(granted, one))
			}
			if !enough {
				return false
			}
		}
		return true
	}
}

// scopes are those of the user's token; known is false where it can't be found out.
func (l *shortList) scopes(ctx context.Context) (granted []string, known bool) {
	token, err := l.config.AccessToken(ctx)
	if err != nil {
		if l.api.Remote() || l.config.Token.Set() {
			return nil, false
		}
		token = sandbox.Token
	}
	client, err := graph.New(graph.Options{Base: l.config.GraphURL, Version: l.api.Version(), Token: token, AppSecret: l.config.AppSecret()})
	if err != nil {
		return nil, false
	}
	about, err := client.Token(ctx)
	if err != nil || !about.Valid {
		return nil, false
	}
	return about.Scopes, true
}

// listed are the names to list: the most used ones that the token may use, and then, where
// there is room, others that it may, of each set in turn.
func (l *shortList) listed(ctx context.Context) []string {
	timer := time.NewTimer(learning)
	defer timer.Stop()
	select {
	case <-l.known:
	case <-timer.C:
	case <-ctx.Done():
	}
	var may func([]string) bool
	select {
	case <-l.known:
		may = l.may
	default:
	}
	var names []string
	more, sets := map[string][]string{}, []string{}
	for i, h := range l.handlers {
		switch {
		case i < l.always, h.Core() && (may == nil || may(h.Scopes())):
			names = append(names, h.Name())
		case may != nil && !h.Core() && !h.Gone() && may(h.Scopes()):
			if more[h.Set()] == nil {
				sets = append(sets, h.Set())
			}
			more[h.Set()] = append(more[h.Set()], h.Name())
		}
	}
	for turn := 0; len(names) < mostListed; turn++ {
		before := len(names)
		for _, set := range sets {
			if list := more[set]; turn < len(list) {
				names = append(names, list[turn])
			}
		}
		if len(names) == before {
			break
		}
	}
	return names[:min(len(names), mostListed)]
}
