package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// prove prints what the two audit logs and the double say, and compares it with what the
// agent saw.
func (s *stage) prove(ctx context.Context, out io.Writer, transcript []entry) error {
	show := func(state, title string, args ...string) error {
		text, err := s.sluice(ctx, state, args...)
		fmt.Fprintf(out, "\n%s: sluice %s\n", title, strings.Join(args, " "))
		for line := range strings.Lines(strings.TrimSpace(text)) {
			fmt.Fprintf(out, "  %s", line)
		}
		fmt.Fprintln(out)
		return err
	}
	if err := errors.Join(
		show(s.gate, "What the gateway decided, newest first", "audit", "search"),
		show(s.gate, "Nobody changed that", "audit", "verify"),
		show(s.ledger, "Nor what the server keeps of the sales", "audit", "verify"),
		s.recorded(ctx, transcript),
	); err != nil {
		return err
	}
	var held struct {
		Kept       int `json:"kept"`
		Duplicates int `json:"duplicates"`
	}
	if err := s.ask(ctx, "/_emulator/events?limit=1&dataset="+dataset, &held); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nThe double holds %d sales, %d came twice. All %d calls are in the log as the agent saw them.\n", held.Kept, held.Duplicates, len(transcript))
	if held.Kept != 8 || held.Duplicates != 0 {
		return errors.New("8 sales should be there, once")
	}
	return nil
}

// recorded compares the log with the transcript, call by call.
func (s *stage) recorded(ctx context.Context, transcript []entry) error {
	text, err := s.sluice(ctx, s.gate, "audit", "search", "--json", "--limit", "1000")
	if err != nil {
		return err
	}
	var calls []struct {
		Tool     string `json:"tool"`
		Decision string `json:"decision"`
		Code     string `json:"code"`
		Outcome  string `json:"outcome"`
	}
	if err := json.Unmarshal([]byte(text), &calls); err != nil {
		return err
	}
	slices.Reverse(calls)
	if len(calls) != len(transcript) {
		return fmt.Errorf("the log has %d calls, the agent made %d", len(calls), len(transcript))
	}
	for i, c := range calls {
		e := transcript[i]
		logged := c.Tool + " " + c.Decision
		seen := e.tool + " "
		switch {
		case e.code == "approval_pending":
			seen += "park"
		case e.by == "policy":
			seen, logged = seen+"deny "+e.code, logged+" "+c.Code
		case e.by == "server":
			seen, logged = seen+"allow tool_error", logged+" "+c.Outcome
		default:
			seen, logged = seen+"allow ok", logged+" "+c.Outcome
		}
		if seen != logged {
			return fmt.Errorf("call %d: the agent saw %q, the log has %q", i+1, seen, logged)
		}
	}
	return nil
}

// ask reads an inspection route of the sandbox.
func (s *stage) ask(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.sandbox+path, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", path, res.Status)
	}
	return json.NewDecoder(res.Body).Decode(into)
}
