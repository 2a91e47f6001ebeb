package graphtool_test

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"
)

func TestR3Probe(t *testing.T) {
	if os.Getenv("R3") == "" {
		t.Skip()
	}
	out := map[string]map[string]string{}
	for _, r := range all() {
		if !strings.Contains(" pages.read pages.write messages.read messages.write instagram.read instagram.write threads.read threads.write utility commerce.read ", " "+r.Set+" ") {
			continue
		}
		for i := range r.Cases {
			c := &r.Cases[i]
			if c.Error != "" {
				continue
			}
			t.Run(r.Name+"/"+c.Name, func(t *testing.T) {
				s := newScene(t, c, false)
				for _, p := range c.Before {
					a := s.call(p.Tool, p.Args)
					for _, save := range strings.Fields(p.Save) {
						name, path, _ := strings.Cut(save, "=")
						v, _ := lookup(a.structured["data"], path)
						s.names[name] = printed(v)
					}
				}
				a := s.call(r.Name, c.Args)
				flagged := map[string]bool{}
				if l, ok := a.structured["untrusted_fields"].([]any); ok {
					for _, f := range l {
						flagged[fmt.Sprint(f)] = true
					}
				}
				var walk func(v any, at string)
				walk = func(v any, at string) {
					if flagged[at] {
						return
					}
					switch d := v.(type) {
					case map[string]any:
						for k, x := range d {
							p := k
							if at != "" {
								p = at + "." + k
							}
							walk(x, p)
						}
					case []any:
						for _, x := range d {
							walk(x, at)
						}
					case string:
						if strings.ContainsAny(d, " ") || len(d) > 0 && !strings.ContainsAny(d, "0123456789:/") && strings.ToUpper(d) != d {
							if out[r.Name] == nil {
								out[r.Name] = map[string]string{}
							}
							out[r.Name][at] = d
						}
					}
				}
				walk(a.structured["data"], "")
			})
		}
	}
	var names []string
	for n := range out {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		var ps []string
		for p, v := range out[n] {
			if len(v) > 50 {
				v = v[:50]
			}
			ps = append(ps, p+"="+v)
		}
		sort.Strings(ps)
		fmt.Println(n, "|", strings.Join(ps, " ; "))
	}
}
