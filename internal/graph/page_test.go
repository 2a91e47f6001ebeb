package graph_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/internal/fault"
	"sluice/internal/graph"
)

// list answers with numbered items, by cursor, and refuses more than most at a time.
func list(total, most int) func(http.ResponseWriter, seen) {
	return func(w http.ResponseWriter, r seen) {
		limit, from := 25, 0
		if v := r.query.Get("limit"); v != "" {
			limit, _ = strconv.Atoi(v)
		}
		from, _ = strconv.Atoi(r.query.Get("after"))
		if limit > most {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `{"error":{"code":1,"message":"Please reduce the amount of data you're asking for, then retry your request"}}`)
			return
		}
		to := min(from+limit, total)
		var items []string
		for i := from; i < to; i++ {
			items = append(items, fmt.Sprintf(`{"id":"%d"}`, i))
		}
		next := ""
		if to < total {
			next = `,"next":"https://graph.facebook.com/x?access_token=t"`
		}
		_, _ = fmt.Fprintf(w, `{"data":[%s],"paging":{"cursors":{"after":"%d"}%s}}`, strings.Join(items, ","), to, next)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		total, most, limit, cap int
		items, calls            int
		more                    bool
	}{
		"one page":             {total: 3, most: 100, limit: 25, cap: 1000, items: 3, calls: 1},
		"several":              {total: 60, most: 100, limit: 25, cap: 1000, items: 60, calls: 3},
		"capped":               {total: 60, most: 100, limit: 25, cap: 30, items: 30, calls: 2, more: true},
		"capped at a page":     {total: 60, most: 100, limit: 25, cap: 50, items: 50, calls: 2, more: true},
		"too large at a time":  {total: 20, most: 6, limit: 25, cap: 1000, items: 20, calls: 2 + 4},
		"too large, no limit":  {total: 3, most: 12, cap: 1000, items: 3, calls: 2},
		"nothing":              {total: 0, most: 100, limit: 25, cap: 1000, items: 0, calls: 1},
		"everything fits a go": {total: 25, most: 100, limit: 25, cap: 25, items: 25, calls: 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := api(t, list(tt.total, tt.most))
			r := get("1", "feed")
			if tt.limit > 0 {
				r.Query = map[string][]string{"limit": {strconv.Itoa(tt.limit)}}
			}
			items, more := 0, false
			for p, err := range graph.Pages(t.Context(), d, r, tt.cap) {
				if err != nil {
					t.Fatal(err)
				}
				items += len(p.Items)
				more = p.More
			}
			if items != tt.items || more != tt.more || len(d.calls()) != tt.calls {
				t.Errorf("%d items, more %v, %d calls", items, more, len(d.calls()))
			}
			if tt.limit > 0 && r.Query.Get("limit") != strconv.Itoa(tt.limit) {
				t.Error("the caller's query was changed")
			}
		})
	}
}

func TestPagesEndOnErrorsAndCircles(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer string
		code   fault.Code
		calls  int
	}{
		"circle":           {`200 {"data":[{"id":"1"}],"paging":{"cursors":{"after":"a"},"next":"https://x"}}`, fault.MetaRefused, 2},
		"always too large": {`400 {"error":{"code":100,"error_subcode":1487534}}`, fault.TooMuchData, 5}, // 25 12 6 3 1
		"refused":          {`400 {"error":{"code":100}}`, fault.MetaRefused, 1},
		"no list":          {`200 {"data":7}`, fault.MetaRefused, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := api(t, answers(tt.answer))
			var last error
			for _, err := range graph.Pages(t.Context(), d, get("1", "feed"), 1000) {
				last = err
			}
			refuses(t, last, tt.code)
			if got := len(d.calls()); got != tt.calls {
				t.Errorf("%d calls", got)
			}
		})
	}
}

func TestOldWayOfPagingGoesOn(t *testing.T) {
	t.Parallel()
	d := api(t, func(w http.ResponseWriter, r seen) {
		if r.query.Get("until") == "" {
			_, _ = io.WriteString(w, `{"data":[{"id":"1"}],"paging":{"next":"https://graph.facebook.com/v26.0/1/feed?access_token=t&limit=25&until=17&__paging_token=x%2F1"}}`)
			return
		}
		_, _ = io.WriteString(w, `{"data":[{"id":"2"}]}`)
	})
	var ids []string
	for p, err := range graph.Pages(t.Context(), d, get("1", "feed"), 1000) {
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range p.Items {
			ids = append(ids, string(i))
		}
	}
	if !slices.Equal(ids, []string{`{"id":"1"}`, `{"id":"2"}`}) {
		t.Errorf("items %v", ids)
	}
	if q := d.calls()[1].query; q.Get("until") != "17" || q.Get("__paging_token") != "x/1" || q.Has("after") {
		t.Errorf("second call %v", q)
	}
	for _, bad := range []string{"q.!", "q.JXg"} {
		_, err := d.Do(t.Context(), graph.Request{Method: "GET", Path: []string{"1"}, Query: map[string][]string{"after": {bad}}})
		refuses(t, err, fault.ArgumentInvalid)
	}
}
