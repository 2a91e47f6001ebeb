package mcpserver

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"sluice/internal/graphtool/tool"
)

// SearchTool is the name of the tool that finds what is not listed.
const SearchTool = "meta_search_tools"

// search is that tool. What it finds joins the caller's list.
func (s *Server) search() tool.Handler {
	t := &tool.Tool{
		Name: SearchTool, Title: "Search tools", Set: "utility", Core: true, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Does: "Finds tools of this server that your list does not show, by words of what you want to do, or by set.",
		Use: "Use it when no listed tool fits: only the most used ones are listed. What it finds joins your tool list at once and is called by its own name. " +
			"Not for data of Meta's platform, such as ads or posts.",
		Note: "Answers with name, purpose, set, risk and arguments of each. Sets are like ads.read; the part before the dot finds both.",
		Args: []tool.Arg{
			tool.Text("query", "Words of the task, in English: delete comment, lookalike audience. Empty: everything of the set.").Max(200),
			tool.Text("set", "Only this set: pages.write, or pages for all of pages.").Max(40),
			tool.Int("limit", "How many to return.").Min(1).Max(30).Is(8),
		},
		Out: tool.Out{
			List: new(true), Members: "name title does set category severity irreversible:bool listed:bool arguments:json",
			Heading: "Tools found", Columns: []string{"name", "set", "category", "does"},
		},
	}
	t.Run = func(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
		caller := CallerOf(ctx)
		before := s.visible(ctx, caller)
		hits := s.find(e.Args.Str("query"), e.Args.Str("set"), int(e.Args.Int("limit")))
		answer := &tool.Answer{Data: []any{}}
		list := []any{}
		for _, h := range hits {
			entry, err := describe(h.Definition())
			if err != nil {
				return nil, err
			}
			entry["listed"] = slices.Contains(before, h.Name())
			list = append(list, entry)
		}
		answer.Data = list
		if s.o.Listed != nil {
			var names []string
			for _, h := range hits {
				if !slices.Contains(before, h.Name()) {
					names = append(names, h.Name())
				}
			}
			if s.found.add(caller, names) {
				s.changed(caller)
				answer.Notices = append(answer.Notices, "your tool list has grown by what was found: list the tools again if your client does not")
			}
		}
		return answer, nil
	}
	return (&tool.Runner{Log: s.o.Log}).Handler(t)
}

// describe takes what an agent needs out of a definition.
func describe(definition json.RawMessage) (map[string]any, error) {
	var d struct {
		Name        string `json:"name"`
		Title       string `json:"title"`
		Description string `json:"description"`
		InputSchema any    `json:"inputSchema"`
		Meta        struct {
			Set  string `json:"sluice/set"`
			Risk struct {
				Category     string `json:"category"`
				Severity     string `json:"severity"`
				Irreversible bool   `json:"irreversible"`
			} `json:"sluice/risk"`
		} `json:"_meta"`
	}
	if err := json.Unmarshal(definition, &d); err != nil {
		return nil, err
	}
	does, _, _ := strings.Cut(d.Description, ". ")
	return map[string]any{
		"name": d.Name, "title": d.Title, "does": strings.TrimSuffix(does, ".") + ".", "set": d.Meta.Set, "category": d.Meta.Risk.Category,
		"severity": d.Meta.Risk.Severity, "irreversible": d.Meta.Risk.Irreversible, "arguments": d.InputSchema,
	}, nil
}
