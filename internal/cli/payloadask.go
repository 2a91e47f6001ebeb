package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"sluice/capi"
	"sluice/internal/fault"
	"sluice/internal/suggest"
)

// actionSources are the places an event can have happened, as Meta spells them.
func actionSources() []string {
	all := []capi.ActionSource{
		capi.Website, capi.App, capi.PhysicalStore, capi.PhoneCall, capi.Chat, capi.EmailSource,
		capi.SystemGenerated, capi.BusinessMessaging, capi.Other,
	}
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = string(s)
	}
	return names
}

// question is one thing to ask: into holds the default and takes the answer, which
// judge turns into its final form, or says what is wrong with.
type question struct {
	text  string
	into  *string
	judge func(answer string) (string, error)
}

// askPayload asks for the few things an event needs.
func (c *command) askPayload(ctx context.Context, p *payloadFlags) error {
	p.source = string(capi.PhysicalStore)
	questions := []question{
		{"Event name?", &p.event, c.judgeEventName},
		{"Where did it happen (" + strings.Join(actionSources(), ", ") + ")?", &p.source, judgeSource},
		{"When (RFC 3339, Unix seconds, now)?", &p.at, func(s string) (string, error) { _, err := c.payloadTime(s); return s, err }},
		{"Order id?", &p.order, nil},
		{"Amount?", &p.value, func(s string) (string, error) { _, err := payloadAmount("the answer", s); return s, err }},
		{"Currency?", &p.currency, judgeCurrency},
		{"Country of the customer (for phones)?", &p.country, judgeCountry},
	}
	if err := c.askAll(ctx, questions); err != nil {
		return err
	}
	if p.source == string(capi.Website) {
		if err := c.askAll(ctx, []question{{"Page URL?", &p.url, nil}}); err != nil {
			return err
		}
	}
	for _, q := range []struct {
		text  string
		field capi.Field
	}{
		{"E-mail?", capi.FieldEmail}, {"Phone?", capi.FieldPhone}, {"First name?", capi.FieldFirstName},
		{"Last name?", capi.FieldLastName}, {"Your own customer id?", capi.FieldExternalID},
	} {
		var v string
		judge := func(s string) (string, error) { return s, c.judgeUser(q.field, s, p.country) }
		if err := c.askAll(ctx, []question{{q.text, &v, judge}}); err != nil {
			return err
		}
		if v != "" {
			into := p.user[q.field.String()]
			*into = append(*into, v)
		}
	}
	return nil
}

// askAll asks each question until its answer will do. No answer keeps the default.
func (c *command) askAll(ctx context.Context, questions []question) error {
	for _, q := range questions {
		for {
			_, _ = fmt.Fprintf(c.Stderr, "%s [%s] ", q.text, *q.into)
			answer, err := c.readLine(ctx)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if errors.Is(err, io.EOF) {
				return fault.New(fault.Usage, "the answers ended before the event was complete").
					WithFix("answer every question, or give the values as flags: see `sluice payload --help`")
			}
			if err != nil {
				return fault.New(fault.Usage, "the answer can't be read").Wrap(err)
			}
			if answer == "" {
				break
			}
			if q.judge != nil {
				if answer, err = q.judge(answer); err != nil {
					c.sayAgain(err)
					continue
				}
			}
			*q.into = answer
			break
		}
	}
	return nil
}

// sayAgain tells a person why an answer will not do.
func (c *command) sayAgain(err error) {
	text := err.Error()
	if f, ok := fault.As(err); ok && f.Fix != "" {
		text += "; " + f.Fix
	}
	line(c.Stderr, "  %s", text)
}

func (c *command) judgeEventName(name string) (string, error) {
	near := capi.NearMiss(name)
	if near == "" {
		near = misspelt(name)
	}
	c.noteEvent(name, near)
	return name, nil
}

// noteEvent says when a name is nearly one of Meta's. Any name is allowed, and that
// is the trap: a misspelt Purchase is a custom event that no campaign looks for.
func (c *command) noteEvent(name, near string) {
	if near != "" {
		line(c.Stderr, "note: %s is not one of Meta's standard events; did you mean %s?", shown(name), near)
	}
}

// misspelt returns the standard event that a name is a slip or two away from. Where
// only case or spacing differ the encoder's own warning says so, and it returns "".
func misspelt(name string) string {
	if _, ok := capi.StandardEvent(name); ok || capi.NearMiss(name) != "" {
		return ""
	}
	var names []string
	for _, e := range capi.StandardEvents() {
		names = append(names, e.Name)
	}
	return suggest.Closest(name, names)
}

func judgeSource(s string) (string, error) {
	s = strings.ToLower(strings.Join(strings.Fields(s), "_"))
	names := actionSources()
	if slices.Contains(names, s) {
		return s, nil
	}
	f := fault.New(fault.Usage, "that is none of Meta's action sources")
	if near := suggest.Closest(s, names); near != "" {
		return "", f.WithFix("did you mean %s?", near)
	}
	return "", f.WithFix("one of %s", strings.Join(names, ", "))
}

func judgeCurrency(s string) (string, error) {
	s = strings.ToUpper(s)
	if _, ok := capi.CurrencyDecimals(s); !ok {
		return "", fault.New(fault.Usage, "that is not an ISO 4217 currency in use").WithFix("write three letters, like EUR")
	}
	return s, nil
}

func judgeCountry(s string) (string, error) {
	if _, err := capi.NewEncoder(capi.Options{DefaultCountry: s}); err != nil {
		return "", fault.New(fault.Usage, "that is not a country").WithFix("write the ISO 3166-1 alpha-2 code, like GB")
	}
	return s, nil
}

// judgeUser says whether a value would be kept under its key.
func (c *command) judgeUser(f capi.Field, value, country string) error {
	_, err := capi.Normalize(f, value, country, capi.NormalizeOptions{Now: func() time.Time { return c.clock() }})
	if err == nil {
		return nil
	}
	info := codeInfo(capi.CodeOf(err))
	return fault.New(fault.Usage, "%s", info.Message).WithFix("%s", payloadFix(info.Code, info.Fix))
}
