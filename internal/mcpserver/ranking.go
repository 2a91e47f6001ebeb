package mcpserver

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"unicode"

	"sluice/internal/graphtool/tool"
)

// index is what the search knows of the tools: for each, the words of its definition
// with their weight, by where they stand.
type index struct {
	tools  []indexed
	rarity map[string]float64 // how much a word tells: the fewer tools have it, the more
}

type indexed struct {
	h      tool.Handler
	name   []string // its words, without the first: meta
	words  map[string]float64
	absent bool // it says that Meta offers nothing for it
}

// Weights of a word by its place. What the tool is called and what it does count most;
// the rest of the description names situations, and other tools.
const (
	inName  = 10
	inTitle = 8
	inDoes  = 6
	inRest  = 2.5
	inArgs  = 1.5

	// byPrefix and bySynonym are what is left where it is not the very word.
	byPrefix  = 0.6
	bySynonym = 0.85
	// byRest is what all words of the same meaning add to the best one.
	byRest = 0.2
	// byName is what a tool may lose whose name says more than was asked for: comments of
	// a reel are not the replies to a comment.
	byName = 0.3
	// forAbsent is what is left for a tool that can only say that there is nothing: one
	// that does something comes first.
	forAbsent = 0.6
)

func newIndex(handlers []tool.Handler) *index {
	x := &index{rarity: map[string]float64{}}
	for _, h := range handlers {
		var d struct {
			Name        string `json:"name"`
			Title       string `json:"title"`
			Description string `json:"description"`
			InputSchema struct {
				Properties map[string]json.RawMessage `json:"properties"`
			} `json:"inputSchema"`
		}
		if json.Unmarshal(h.Definition(), &d) != nil {
			continue
		}
		t := indexed{h: h, name: tokens(d.Name)[1:], words: map[string]float64{}}
		add := func(text string, weight float64) {
			for _, w := range tokens(text) {
				t.words[w] = max(t.words[w], weight)
			}
		}
		does, rest, _ := strings.Cut(d.Description, ". ")
		add(d.Name, inName)
		add(d.Title, inTitle)
		add(does, inDoes)
		add(withoutTools(rest), inRest)
		for name := range d.InputSchema.Properties {
			add(name, inArgs)
		}
		for _, beginning := range absentBeginnings {
			t.absent = t.absent || strings.HasPrefix(does, beginning)
		}
		x.tools = append(x.tools, t)
		for w := range t.words {
			x.rarity[w]++
		}
	}
	for w, n := range x.rarity {
		x.rarity[w] = math.Log(1 + float64(len(x.tools))/n)
	}
	return x
}

// absentBeginnings are how tools begin that Meta offers nothing for.
var absentBeginnings = []string{"Would ", "Says that ", "Explains "}

// withoutTools leaves out names of other tools, which are named for what this one is not.
func withoutTools(text string) string {
	list := strings.Fields(text)
	return strings.Join(slices.DeleteFunc(list, func(w string) bool { return strings.Contains(w, "_") }), " ")
}

// score is how well a tool fits the words of a query, 0 not at all: for each word the best
// place where it, or a word of the same meaning, stands, by how much that word tells.
func (x *index) score(t *indexed, words []string) float64 {
	var sum float64
	for _, w := range words {
		best, all := x.weigh(t, w, math.Inf(1)), 0.0
		most := math.Inf(1) // a rarer word of the same meaning tells no more than the one that was used
		if r, ok := x.rarity[w]; ok {
			most = r
		}
		for _, s := range synonyms[w] {
			one := bySynonym * x.weigh(t, s, most)
			best, all = max(best, one), all+one
		}
		sum += best + byRest*all
	}
	sum *= 1 - byName + byName*t.named(words)
	if t.absent {
		sum *= forAbsent
	}
	return sum
}

// named is the share of the words of a tool's name that the query has, or means.
func (t *indexed) named(words []string) float64 {
	if len(t.name) == 0 {
		return 1
	}
	n := 0
	for _, part := range t.name {
		if slices.ContainsFunc(words, func(w string) bool { return w == part || slices.Contains(synonyms[w], part) }) {
			n++
		}
	}
	return float64(n) / float64(len(t.name))
}

// weigh is what a word is worth in a tool, told by no more than most.
func (x *index) weigh(t *indexed, word string, most float64) float64 {
	if weight, ok := t.words[word]; ok {
		return weight * min(most, x.rarity[word])
	}
	if len(word) < 4 {
		return 0
	}
	var best float64
	for w, weight := range t.words {
		if len(w) >= 4 && (strings.HasPrefix(w, word) || strings.HasPrefix(word, w)) {
			best = max(best, byPrefix*weight*min(most, x.rarity[w]))
		}
	}
	return best
}

// find ranks the tools of a set; without words of a task they come in their order.
func (s *Server) find(query, set string, limit int) []tool.Handler {
	x := s.searchable()
	if rest, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(query)), "post "); ok {
		query = "publish " + rest // at the beginning it is what to do
	}
	words := slices.DeleteFunc(tokens(query), func(w string) bool { return slices.Contains(empty, w) })
	type hit struct {
		h     tool.Handler
		score float64
	}
	var hits []hit
	for i := range x.tools {
		t := &x.tools[i]
		if set != "" && t.h.Set() != set && !strings.HasPrefix(t.h.Set(), set+".") || t.h.Name() == SearchTool {
			continue
		}
		score := 1.0
		if len(words) > 0 {
			score = x.score(t, words)
		}
		if score > 0 {
			hits = append(hits, hit{t.h, score})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	var list []tool.Handler
	for _, h := range hits[:min(limit, len(hits))] {
		list = append(list, h.h)
	}
	return list
}

// tokens are the words of a text in lower case and in their shortest form.
func tokens(text string) []string {
	list := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	words := list[:0]
	for _, w := range list {
		if w = stem(w); w == "set" && len(words) > 0 && words[len(words)-1] == "ad" {
			words[len(words)-1] = "adset" // written both ways, and neither an ad nor a set
			continue
		}
		words = append(words, w)
	}
	return words
}

// stem takes the endings of English off a word: posts, posting and posted are post.
func stem(w string) string {
	if len(w) > 4 && strings.HasSuffix(w, "ies") {
		return w[:len(w)-3] + "y"
	}
	if len(w) > 2 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") && !strings.HasSuffix(w, "us") {
		w = w[:len(w)-1]
	}
	for _, ending := range []string{"ing", "ed"} {
		base, cut := strings.CutSuffix(w, ending)
		if !cut || len(base) < 3 {
			continue
		}
		if n := len(base); base[n-1] == base[n-2] && !strings.ContainsRune("ls", rune(base[n-1])) {
			base = base[:n-1] // planning, tagged
		}
		w = base
		break
	}
	if len(w) > 3 { // like and liked, schedule and scheduling
		w = strings.TrimSuffix(w, "e")
	}
	return w
}
