package app

import (
	"context"
	"time"

	"sluice/internal/config"
	"sluice/internal/fault"
	"sluice/internal/source"
	"sluice/internal/writeback"
)

// Source opens the inputs of a command: files, directories, patterns and standard
// input, or one named source of the configuration. A file that has the name of a
// source is written ./name.
func (a *App) Source(ctx context.Context, s *writeback.Service, inputs []string, o source.Options) (source.Reader, error) {
	named := 0
	for _, in := range inputs {
		if _, ok := a.Config.Sources[in]; ok {
			named++
		}
	}
	switch {
	case named == 0:
		return source.Open(ctx, inputs, o)
	case len(inputs) > 1:
		return nil, fault.New(fault.Usage, "a named source is read alone").WithFix("read it and the other inputs one after the other")
	}
	name := inputs[0]
	c := a.Config.Sources[name]
	if c.Type == config.SourceCommand {
		if err := a.Config.MayRun(name); err != nil {
			return nil, err
		}
		return source.OpenCommand(ctx, source.Command{
			Name: name, Argv: c.Command, Env: a.Config.Environ(&c), Dir: c.Dir, MinRows: c.MinRows, Counted: c.Counted, Timeout: duration(c.Timeout),
		}, o)
	}
	dsn := a.Config.Env(c.DSNEnv)
	if dsn == "" {
		return nil, fault.New(fault.Usage, "source %s: the environment variable %s is not set", name, c.DSNEnv).
			WithFix("set it to the address of the database, postgres://user@host/database")
	}
	return source.OpenQuery(ctx, source.Query{
		Name: name, DSN: dsn, SQL: c.Query, Cursor: c.Cursor, Key: c.Key, Overlap: c.Overlap, Timeout: duration(c.StatementTimeout), Page: c.Page,
		Cursors: s.SourceCursors(),
	}, o)
}

// Ack moves the cursor of a source, once what was read from it is owned.
func Ack(ctx context.Context, r source.Reader) error {
	if a, ok := r.(source.Acker); ok {
		return a.Ack(ctx)
	}
	return nil
}

// duration reads a checked setting; empty is 0.
func duration(text string) time.Duration {
	d, _ := time.ParseDuration(text)
	return d
}
