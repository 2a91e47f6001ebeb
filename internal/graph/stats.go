package graph

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Stat is what a dataset reports for one hour and value: events by name, or how
// many were processed and deduplicated, by the aggregation that was asked for.
type Stat struct {
	Hour  time.Time
	Value string
	Count int
}

// The aggregations of Stats that a reconciliation asks for.
const (
	ByEvent  = "event_total_counts"
	ByResult = "event_processing_results"
)

// statsTime is how the edge writes times.
const statsTime = "2006-01-02T15:04:05-0700"

// Stats reads what the dataset reports between two times, hour by hour.
func (c *Client) Stats(ctx context.Context, dataset, aggregation string, from, to time.Time) ([]Stat, error) {
	var answer struct {
		Data []struct {
			Start string `json:"start_time"`
			Data  []struct {
				Value string `json:"value"`
				Count int    `json:"count"`
			} `json:"data"`
		} `json:"data"`
	}
	_, err := c.do(ctx, http.MethodGet, "/"+url.PathEscape(dataset)+"/stats", url.Values{
		"aggregation": {aggregation}, "start_time": {strconv.FormatInt(from.Unix(), 10)}, "end_time": {strconv.FormatInt(to.Unix()-1, 10)},
	}, nil, &answer)
	if err != nil {
		return nil, err
	}
	var out []Stat
	for _, bucket := range answer.Data {
		hour, err := time.Parse(statsTime, bucket.Start)
		if err != nil {
			if hour, err = time.Parse(time.RFC3339, bucket.Start); err != nil {
				continue
			}
		}
		for _, row := range bucket.Data {
			out = append(out, Stat{hour.UTC(), row.Value, row.Count})
		}
	}
	return out, nil
}
