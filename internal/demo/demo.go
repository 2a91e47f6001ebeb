package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Inspector reads and steers a running sandbox through its inspection routes.
type Inspector struct {
	Base   string // http://127.0.0.1:PORT
	Client *http.Client
}

// Stored is what the sandbox holds of a dataset.
type Stored struct {
	Received   int `json:"received"`
	Kept       int `json:"kept"`
	Duplicates int `json:"duplicates"`
}

// Events asks how many events a dataset received and kept.
func (i Inspector) Events(ctx context.Context, dataset string) (Stored, error) {
	var s Stored
	return s, i.call(ctx, http.MethodGet, "/_emulator/events?limit=1&dataset="+url.QueryEscape(dataset), nil, &s)
}

// Requests asks how many Graph requests arrived at the events edge.
func (i Inspector) Requests(ctx context.Context) (int, error) {
	var out struct {
		Total int `json:"total"`
	}
	return out.Total, i.call(ctx, http.MethodGet, "/_emulator/requests?limit=1", nil, &out)
}

// DropAfterCommit makes the next events request lose its answer: the events are
// stored, and the connection is closed.
func (i Inspector) DropAfterCommit(ctx context.Context) error {
	return i.call(ctx, http.MethodPost, "/_emulator/faults", map[string]any{"kind": "drop_after", "next": 1}, nil)
}

func (i Inspector) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, i.Base+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := i.Client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: status %d", method, path, res.StatusCode)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(out)
}
