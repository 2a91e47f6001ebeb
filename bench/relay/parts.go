package main

import (
	"context"
	"net/http"

	"sluice/internal/gateway"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/era"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpdial"
	"sluice/internal/mcpwire/httpserve"
)

// parts is the relay without the command around it: the packages that a call passes
// through, with an interceptor that lets every call pass. The era is found out when
// it is 0.
func parts(target string, force mcpwire.Era) (http.Handler, error) {
	up, err := httpdial.New(httpdial.Options{URL: target, Server: "bench"})
	if err != nil {
		return nil, err
	}
	pass := func(ctx context.Context, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
		return next(ctx, c, out)
	}
	relay := gateway.Intercept(era.New(up, era.Options{Server: "bench", Force: force}), pass)
	return httpserve.New(httpserve.Options{Upstream: relay, Server: "bench"}), nil
}
