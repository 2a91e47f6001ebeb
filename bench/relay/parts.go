package main

import (
	"context"
	"net/http"

	"sluice/internal/app"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpserve"
)

// parts is the relay without the command around it, with an interceptor that lets
// every call pass. The era is found out when it is 0.
func parts(target string, force mcpwire.Era) (http.Handler, error) {
	up, err := app.Upstream(app.UpstreamSpec{Name: "bench", URL: target, Era: force, Interceptor: pass})
	if err != nil {
		return nil, err
	}
	return httpserve.New(httpserve.Options{Upstream: up, Server: "bench"}), nil
}

func pass(ctx context.Context, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
	return next(ctx, c, out)
}
