package app

import (
	"context"
	"time"

	"sluice/internal/config"
	"sluice/internal/doctor"
	"sluice/internal/graph"
	"sluice/internal/graphtool"
	"sluice/internal/sandbox"
	"sluice/internal/writetool"
)

// Patient is this configuration as the doctor looks at it.
func Patient(ctx context.Context, c *config.Config) (*doctor.Patient, error) {
	api, err := MetaGraph(c, nil)
	if err != nil {
		return nil, err
	}
	p := &doctor.Patient{Graph: api, Dataset: c.Dataset, Now: time.Now}
	for _, t := range graphtool.All() {
		p.Tools = append(p.Tools, doctor.Tool{Set: t.Set, Scopes: t.AllScopes()})
	}
	for _, t := range writetool.Records() {
		p.Tools = append(p.Tools, doctor.Tool{Set: t.Set, Scopes: t.AllScopes()})
	}
	if _, err := c.ThreadsAccessToken(ctx); err != nil && api.Remote() {
		p.Threads = err
	}
	token, err := c.AccessToken(ctx)
	if err != nil {
		if api.Remote() {
			p.NoToken = err
			return p, nil
		}
		token = sandbox.Token
	}
	p.Client, err = graph.New(graph.Options{Base: c.GraphURL, Version: api.Version(), Token: token, AppSecret: c.AppSecret()})
	return p, err
}
