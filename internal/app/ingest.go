package app

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"sluice/internal/fault"
	"sluice/internal/inbox"
	"sluice/internal/ledger"
	"sluice/internal/mapping"
	"sluice/internal/source"
	"sluice/internal/tenant"
	"sluice/internal/webhook"
	"sluice/internal/writeback"
)

// prepareMapping parses the mapping of a webhook. The outcome a webhook was made
// for stands in when the mapping names none. Lookup tables in files of their own are
// not there when a delivery comes.
func prepareMapping(text, outcome string) (string, error) {
	_, err := mapping.ParseAlone([]byte(text))
	if err == nil || outcome == "" || strings.HasPrefix(text, "outcome:") || strings.Contains(text, "\noutcome:") {
		return text, err
	}
	text = strings.TrimRight(text, "\n") + "\noutcome: " + outcome + "\n"
	_, err = mapping.ParseAlone([]byte(text))
	return text, err
}

// ingest takes deliveries of one webhook into the outcome store of its profile.
func (a *App) ingest(ctx context.Context, h *inbox.Hook, bodies []webhook.Body) ([]error, error) {
	results := make([]error, len(bodies))
	caller := tenant.Local("webhook")
	caller.Type, caller.ID = "webhook", h.Name
	s := a.Writeback.As(caller).In(h.Profile)
	if h.Mapping == "" {
		return results, a.push(ctx, s, h, bodies, results)
	}
	m, err := mapping.ParseAlone([]byte(h.Mapping))
	if err != nil {
		return nil, err
	}
	var lines bytes.Buffer
	var of []int // delivery of each line
	for i := range bodies {
		elements, err := split(bodies[i].Bytes)
		if err != nil {
			results[i] = err
			continue
		}
		for _, e := range elements {
			lines.Write(e)
			lines.WriteByte('\n')
			of = append(of, i)
		}
	}
	if len(of) == 0 {
		return results, nil
	}
	reader, err := source.Open(ctx, []string{"-"}, source.Options{
		Columns: m.Columns(), Format: "jsonl", Stdin: &lines, NeedDigest: m.NeedsDigest(),
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Close() }()
	_, err = s.Import(ctx, writeback.ImportRequest{
		Reader: reader, Mapping: m, Source: "webhook:" + h.Name, Options: m.EncoderOptions(),
		Rejected: func(r *ledger.Reject) error {
			if i := int(r.Line) - 1; i >= 0 && i < len(of) {
				results[of[i]] = fault.New(fault.PayloadInvalid, "%s", r.Code).With("row_code", r.Code)
			}
			return nil
		},
	})
	return results, err
}

// split returns the records of a body: an object, or a list of objects.
func split(body []byte) ([][]byte, error) {
	var one bytes.Buffer
	if err := json.Compact(&one, body); err != nil {
		return nil, fault.New(fault.PayloadInvalid, "the body is not one JSON value").With("row_code", "bad_json")
	}
	if one.Len() == 0 || one.Bytes()[0] != '[' {
		return [][]byte{one.Bytes()}, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(one.Bytes(), &list); err != nil {
		return nil, err
	}
	out := make([][]byte, len(list))
	for i := range list {
		out[i] = list[i]
	}
	return out, nil
}

// push takes bodies that are outcomes as the API takes them.
func (a *App) push(ctx context.Context, s *writeback.Service, h *inbox.Hook, bodies []webhook.Body, results []error) error {
	var items []json.RawMessage
	var of []int // delivery of each item
	for i := range bodies {
		elements, err := split(bodies[i].Bytes)
		if err != nil {
			results[i] = err
			continue
		}
		for _, e := range elements {
			items, of = append(items, withOutcome(e, h.Outcome)), append(of, i)
		}
	}
	if len(items) == 0 {
		return nil
	}
	out, err := s.Ingest(ctx, writeback.IngestRequest{Items: items, Namespace: h.Name, Source: "webhook:" + h.Name})
	if err != nil {
		return err
	}
	for _, item := range out.Items {
		if item.Status == writeback.ItemRejected && item.Error != nil {
			results[of[item.Index]] = fault.New(fault.PayloadInvalid, "%s", item.Error.Message).With("row_code", item.Error.Code)
		}
	}
	return nil
}

// withOutcome names the outcome of an object that names none.
func withOutcome(item []byte, outcome string) []byte {
	var says struct {
		Outcome *string `json:"outcome"`
	}
	if outcome == "" || json.Unmarshal(item, &says) != nil || says.Outcome != nil || len(item) < 2 || item[0] != '{' {
		return item
	}
	name, err := json.Marshal(outcome)
	if err != nil {
		return item
	}
	head := append([]byte(`{"outcome":`), name...)
	if item[1] != '}' {
		head = append(head, ',')
	}
	return append(head, item[1:]...)
}
