package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"sluice/capi"
	"sluice/internal/fault"
	"sluice/internal/graphspec"
)

// MostInBatch is how many reads one batch takes.
const MostInBatch = 50

// BatchAnswer is the answer to one read of a batch: a response, or a fault.
type BatchAnswer struct {
	Response *Response
	Err      error
}

// batchEntry is one read as Meta takes it.
type batchEntry struct {
	Method string `json:"method"`
	URL    string `json:"relative_url"`
	// Token is another token than that of the batch. It is in the body, never in an
	// address.
	Token string `json:"access_token,omitempty"`
}

// Batch makes up to MostInBatch reads of the Graph host in one request, which may be of
// several Pages. The answers come in the order of the reads; one that fails doesn't fail
// the others. Each still counts against the limits.
func (a *API) Batch(ctx context.Context, reads []Request) ([]BatchAnswer, error) {
	if len(reads) == 0 || len(reads) > MostInBatch {
		return nil, fault.New(fault.ArgumentInvalid, "a batch has 1 to %d reads, not %d", MostInBatch, len(reads)).WithFix("split it")
	}
	answers := make([]BatchAnswer, len(reads))
	entries := make([]batchEntry, len(reads))
	tokens := make([]credential, len(reads))
	var todo []int
	for i := range reads {
		r := &reads[i]
		if r.Method != http.MethodGet || r.Body != nil || r.Host != "" && r.Host != GraphHost {
			return nil, fault.New(fault.ArgumentInvalid, "entry %d of the batch is no read of the Graph host", i+1).WithFix("make writes, and calls of Threads, one by one")
		}
		var err error
		if tokens[i], err = a.token(ctx, r); err == nil {
			entries[i], err = a.entry(r, tokens[i])
		}
		if err != nil {
			answers[i].Err = err
			continue
		}
		todo = append(todo, i)
	}
	for range 2 {
		if len(todo) == 0 {
			break
		}
		left, err := a.batch(ctx, reads, entries, answers, todo)
		if err != nil {
			return nil, err
		}
		todo = left
	}
	for _, i := range todo {
		answers[i].Err = fault.New(fault.MetaUnavailable, "Meta ran out of time before it came to %s", shape(&reads[i])).WithFix("ask for fewer in one batch")
	}
	for i := range answers {
		if tokens[i].kind == pageKind && fault.CodeOf(answers[i].Err) == fault.ConnectorExpired {
			a.pages.drop(tokens[i].page, tokens[i].text)
			answers[i].Response, answers[i].Err = a.Do(ctx, reads[i])
		}
	}
	return answers, nil
}

// entry makes the entry of a read, as checked as a call of its own.
func (a *API) entry(r *Request, token credential) (batchEntry, error) {
	c, err := a.prepare(r)
	if err != nil {
		return batchEntry{}, err
	}
	query := merge(c.query, c.form)
	query.Del("method")
	if hides(query) || describesToken(r) {
		return batchEntry{}, fault.New(fault.ArgumentInvalid, "%s takes a token, and doesn't go into a batch", shape(r)).WithFix("call it by itself")
	}
	if err := a.checkParams(query, func(string) bool { return false }); err != nil {
		return batchEntry{}, err
	}
	e := batchEntry{Method: http.MethodGet, URL: strings.TrimPrefix(c.addr.Path, strings.TrimRight(a.bases[GraphHost].Path, "/")+"/")}
	if a.opts.AppSecret != "" && token.kind != appKind {
		query.Set("appsecret_proof", capi.AppSecretProof(a.opts.AppSecret, token.text))
	}
	if len(query) > 0 {
		e.URL += "?" + query.Encode()
	}
	if token.kind != userKind {
		e.Token = token.text
	}
	return e, nil
}

// batch sends some of the entries, and returns those that Meta did not come to.
func (a *API) batch(ctx context.Context, reads []Request, entries []batchEntry, answers []BatchAnswer, todo []int) (left []int, err error) {
	sent := make([]batchEntry, len(todo))
	for n, i := range todo {
		sent[n] = entries[i]
	}
	text, err := json.Marshal(sent)
	if err != nil {
		return nil, fault.New(fault.Internal, "the batch can't be encoded").Wrap(err)
	}
	res, err := a.do(ctx, Request{
		Method: http.MethodPost, Host: GraphHost, Form: url.Values{"batch": {string(text)}, "include_headers": {"false"}},
		Repeat: true, // reads only
	}, internally{mode: asIs, tokensIn: "batch"})
	if err != nil {
		return nil, err
	}
	var list []*struct {
		Code int    `json:"code"`
		Body string `json:"body"`
	}
	if err := readAnswer(res.Body, &list); err != nil {
		return nil, err
	}
	for n, i := range todo {
		if n >= len(list) || list[n] == nil {
			left = append(left, i)
			continue
		}
		answers[i] = a.batchAnswer(&reads[i], list[n].Code, list[n].Body)
	}
	return left, nil
}

func (a *API) batchAnswer(r *Request, status int, body string) BatchAnswer {
	got, err := scrub([]byte(body), clean)
	switch {
	case err == nil && got.fault != nil:
		return BatchAnswer{Err: a.refused(r, status, got.fault, 0).err}
	case err != nil, status < 200, status > 299:
		return BatchAnswer{Err: fault.New(fault.MetaRefused, "%s was answered with HTTP %d and no Graph JSON", shape(r), status).With("class", string(graphspec.ClassInput))}
	}
	return BatchAnswer{Response: &Response{Status: status, Body: a.secrets.stripBytes(got.body)}}
}
