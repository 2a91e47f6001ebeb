package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sluice/internal/fault"
	"sluice/internal/graphspec"
)

// Report is an insights job that runs in the background.
type Report struct {
	ID      string
	Status  string // in Meta's words: "Job Running"
	Percent int
	// Done says that the rows can be read. Meta says "Job Completed" before that is so:
	// the percentage has to be 100 as well.
	Done bool
	// Failure is why there will be no rows, nil while there may be.
	Failure *fault.Error
}

// The states of a report that decide something.
const (
	reportCompleted = "Job Completed"
	reportFailed    = "Job Failed"
	reportSkipped   = "Job Skipped"
)

// StartReport starts a job for a read of insights: the same path and parameters.
func StartReport(ctx context.Context, d Doer, read Request) (id string, err error) {
	read.Method, read.Form, read.Query = http.MethodPost, merge(read.Query, read.Form), nil
	res, err := d.Do(ctx, read)
	if err != nil {
		return "", err
	}
	var answer struct {
		ID string `json:"report_run_id"`
	}
	if err := readAnswer(res.Body, &answer); err != nil {
		return "", err
	}
	if _, ok := graphspec.Digits.Parse(answer.ID); !ok {
		return "", fault.New(fault.MetaRefused, "Meta named no id for the report")
	}
	return answer.ID, nil
}

// ReportStatus asks how far a report is.
func ReportStatus(ctx context.Context, d Doer, id string, token TokenRef) (Report, error) {
	ask := Request{
		Method: http.MethodGet, Path: []string{id}, Token: token,
		Query: url.Values{"fields": {"id,async_status,async_percent_completion,is_running"}},
	}
	res, err := d.Do(ctx, ask)
	if err != nil {
		return Report{}, err
	}
	var answer struct {
		Status  string      `json:"async_status"`
		Percent json.Number `json:"async_percent_completion"`
	}
	if err := readAnswer(res.Body, &answer); err != nil {
		return Report{}, err
	}
	percent, err := strconv.ParseFloat(answer.Percent.String(), 64)
	if err != nil {
		percent = 0
	}
	r := Report{ID: id, Status: answer.Status, Percent: int(percent)}
	switch answer.Status {
	case reportCompleted:
		r.Done = r.Percent >= 100
	case reportFailed, reportSkipped:
		r.Failure = reportFailure(ctx, d, ask, answer.Status)
	}
	return r, nil
}

// reportFailure asks for the reason, which Meta tells since v25 only: an older version
// refuses the question.
func reportFailure(ctx context.Context, d Doer, ask Request, status string) *fault.Error {
	f := fault.New(fault.MetaUnavailable, "the report was not made: Meta says %q", status).WithFix("start a new report, for fewer days, fields or breakdowns").
		With("class", string(graphspec.ClassTransient))
	ask.Query = url.Values{"fields": {"error_code,error_subcode,error_message,error_user_title,error_user_msg"}}
	res, err := d.Do(ctx, ask)
	if err != nil {
		return f
	}
	var why struct {
		Code    int    `json:"error_code"`
		Subcode int    `json:"error_subcode"`
		Message string `json:"error_message"`
		Title   string `json:"error_user_title"`
		UserMsg string `json:"error_user_msg"`
	}
	if json.Unmarshal(res.Body, &why) != nil || why.Code == 0 && why.Message == "" {
		return f
	}
	said := why.Message
	if why.UserMsg != "" {
		said = why.UserMsg
	}
	if said = tidy(said, ask.Path); said != "" {
		f.Message += ": " + strings.TrimSuffix(said, ".")
	}
	if row := graphspec.Match(why.Code, why.Subcode); row != nil {
		f.Code = codeOf(row.Class, &refusal{payload: payload{Code: why.Code, Subcode: why.Subcode}})
		f.With("class", string(row.Class)).WithFix("%s", row.Advice)
	}
	return f.With("code", why.Code).With("subcode", why.Subcode)
}

// ReportRows is the read of a report's rows, a page at a time.
func ReportRows(id string, token TokenRef, query url.Values) Request {
	return Request{Method: http.MethodGet, Path: []string{id, "insights"}, Token: token, Query: query}
}
