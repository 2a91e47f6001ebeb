package cli

import (
	"encoding/json"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sluice/capi"
	"sluice/internal/fault"
)

// payloadFlags describe one event.
type payloadFlags struct {
	event, at, source, id, url, order string
	value, currency, country          string
	contents                          []string
	user                              map[string]*[]string
	dataset, testCode, check          string
	noUA                              bool
}

func (c *command) payloadCommand() *cobra.Command {
	p := payloadFlags{user: map[string]*[]string{}}
	cmd := &cobra.Command{
		Use:     "payload",
		Short:   "Build, explain and check one event by hand; prints its JSON and a curl command",
		GroupID: groupTools,
		Long: "Builds one event from flags (or from answers, on a terminal without flags), says what became of every\n" +
			"value, and prints the JSON and a curl command that leaves the token to a variable. With --check, reads\n" +
			"a payload somebody else built (a request, a list, one event, or a legacy offline upload) and lists what is\n" +
			"wrong. The judge is what Sluice would send itself, which is stricter than Meta in places: Meta takes\n" +
			"eur for EUR, for example.",
		Example: "  sluice payload --event Purchase --source physical_store --em anna@example.com --value 12.50 --currency EUR --order-id 1001\n" +
			"  sluice payload --check request.json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if p.check != "" {
				return c.checkPayload(&p)
			}
			asks := c.interactive()
			cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) { asks = asks && !f.Changed })
			if asks {
				if err := c.askPayload(cmd.Context(), &p); err != nil {
					return err
				}
			} else {
				c.noteEvent(p.event, misspelt(p.event))
			}
			return c.buildPayload(&p)
		},
	}
	f := cmd.Flags()
	f.StringVar(&p.event, "event", "Purchase", "event name")
	f.StringVar(&p.at, "time", "now", "when it happened: RFC 3339, Unix seconds, or now")
	f.StringVar(&p.source, "source", string(capi.Website), "action source")
	f.StringVar(&p.id, "event-id", "", "event id (default: derived from --order-id)")
	f.StringVar(&p.url, "url", "", "event_source_url, for website events")
	f.StringVar(&p.order, "order-id", "", "order id")
	f.StringVar(&p.value, "value", "", "amount, for example 12.50")
	f.StringVar(&p.currency, "currency", "", "ISO 4217 currency")
	f.StringVar(&p.country, "default-country", "", "ISO country that completes national phone numbers")
	f.StringArrayVar(&p.contents, "content", nil, "order line as ID, ID:QUANTITY or ID:QUANTITY:PRICE; may be repeated")
	f.StringVar(&p.dataset, "dataset", demoDataset, "dataset id for the curl command")
	f.StringVar(&p.testCode, "test-event-code", "", "adds test_event_code; Meta counts such events as real ones")
	f.StringVar(&p.check, "check", "", "check this payload file (- for stdin) instead of building one")
	f.BoolVar(&p.noUA, "allow-missing-ua", false, "accept a website event without client_user_agent")
	for _, field := range capi.Fields() {
		if !field.Legacy() {
			name := strings.ReplaceAll(field.String(), "_", "-")
			p.user[field.String()] = f.StringArray(name, nil, "user_data."+field.String())
		}
	}
	return cmd
}

// payloadJSON is the document of `payload --json`.
type payloadJSON struct {
	Event   json.RawMessage `json:"event,omitempty"`
	Request json.RawMessage `json:"request,omitempty"`
	Curl    string          `json:"curl,omitempty"`
	Tier    string          `json:"tier,omitempty"`
	Faults  []capi.Fault    `json:"faults"`
	OK      bool            `json:"ok"`
}

func (c *command) buildPayload(p *payloadFlags) error {
	ev, err := c.payloadEvent(p)
	if err != nil {
		return err
	}
	enc, err := capi.NewEncoder(capi.Options{Now: c.Now, DefaultCountry: p.country, AllowMissingUserAgent: p.noUA})
	if err != nil {
		return fault.New(fault.Usage, "%v", err)
	}
	data, report := enc.Append(nil, ev)
	doc := payloadJSON{Faults: tidy(report.Faults), OK: !report.Refused()}
	if doc.OK {
		doc.Event, doc.Tier = data, capi.ChannelTier(report.Keys, ev.ActionSource).String()
		request := append([]byte(`{"data":[`), data...)
		request = append(request, ']')
		if p.testCode != "" {
			code, err := json.Marshal(p.testCode)
			if err != nil {
				return err
			}
			request = append(append(request, `,"test_event_code":`...), code...)
		}
		doc.Request = append(request, '}')
		doc.Curl = curlFor(p.dataset, doc.Request)
	}
	if err := c.print(doc, func(w io.Writer) { c.writePayload(w, &doc, ev) }); err != nil {
		return err
	}
	if !doc.OK {
		return reported{fault.New(fault.PayloadInvalid, "the event would be refused")}
	}
	return nil
}

// curlFor is a command that a shell runs as it stands: JSON in single quotes, with
// the quote itself escaped, and the token left to a variable.
func curlFor(dataset string, request []byte) string {
	quoted := strings.ReplaceAll(string(request), "'", `'\''`)
	return "curl -X POST 'https://graph.facebook.com/v26.0/" + dataset + "/events' \\\n" +
		"  -H \"Authorization: Bearer $META_ACCESS_TOKEN\" \\\n" +
		"  -H 'Content-Type: application/json' \\\n" +
		"  -d '" + quoted + "'"
}

func (c *command) payloadEvent(p *payloadFlags) (*capi.Event, error) {
	ev := &capi.Event{EventName: p.event, ActionSource: capi.ActionSource(p.source), EventID: p.id, EventSourceURL: p.url}
	if ev.EventID == "" {
		ev.EventID = p.order
	}
	ev.CustomData.OrderID, ev.CustomData.Currency = p.order, p.currency
	var err error
	if ev.EventTime, err = c.payloadTime(p.at); err != nil {
		return nil, err
	}
	if p.value != "" {
		if ev.CustomData.Value, err = payloadAmount("--value", p.value); err != nil {
			return nil, err
		}
	}
	for _, text := range p.contents {
		content, err := payloadContent(text)
		if err != nil {
			return nil, err
		}
		ev.CustomData.Contents = append(ev.CustomData.Contents, content)
	}
	for name, values := range p.user {
		field, _ := capi.ParseField(name)
		for _, v := range *values {
			ev.UserData.Add(field, v)
		}
	}
	return ev, nil
}

func (c *command) payloadTime(text string) (int64, error) {
	if text == "now" {
		return c.clock().Unix(), nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, fault.New(fault.Usage, "the time is neither RFC 3339, Unix seconds nor now").WithFix("for example 2026-11-20T18:30:00+01:00")
	}
	return t.Unix(), nil
}

func payloadAmount(flag, text string) (capi.Optional[capi.Decimal], error) {
	d, err := capi.ParseDecimal(text)
	if err != nil {
		f := fault.New(fault.Usage, "%s is not an amount", flag).WithFix("write it as 12.50, with at most four decimals")
		if strings.Contains(text, ",") {
			f = f.WithFix("write a decimal point and no separators: 1234.50, not 1.234,50 or 1,234.50")
		}
		return capi.Optional[capi.Decimal]{}, f
	}
	return capi.Some(d), nil
}

func payloadContent(text string) (capi.Content, error) {
	parts := strings.Split(text, ":")
	content := capi.Content{ID: parts[0]}
	bad := fault.New(fault.Usage, "--content is not ID, ID:QUANTITY or ID:QUANTITY:PRICE")
	if len(parts) > 3 {
		return content, bad
	}
	if len(parts) > 1 {
		n, err := strconv.ParseInt(parts[1], 10, 64)
		if err != nil {
			return content, bad
		}
		content.Quantity = capi.Some(n)
	}
	if len(parts) > 2 {
		price, err := payloadAmount("--content", parts[2])
		if err != nil {
			return content, err
		}
		content.ItemPrice = price
	}
	return content, nil
}

func (c *command) writePayload(w io.Writer, doc *payloadJSON, ev *capi.Event) {
	c.writeFaults(w, doc.Faults)
	if !doc.OK {
		return
	}
	line(w, "%s %s from %s, match %s", c.good("valid:"), ev.EventName, ev.ActionSource, doc.Tier)
	var pretty strings.Builder
	enc := json.NewEncoder(&pretty)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if enc.Encode(doc.Event) == nil {
		line(w, "\n%s", pretty.String())
	}
	line(w, "%s", doc.Curl)
}

// writeFaults explains what is wrong, what was dropped, and what to know.
func (c *command) writeFaults(w io.Writer, faults []capi.Fault) {
	for _, f := range faults {
		word := map[capi.Effect]string{capi.Warn: c.notice("note"), capi.Drop: c.notice("dropped"), capi.Refuse: c.bad("refused")}[f.Effect]
		line(w, "%s %s %s: %s; %s", word, f.Code, f.Path, f.Message, f.Fix)
	}
}

// maxPayload bounds a payload file.
const maxPayload = 4 << 20

func (c *command) readPayload(path string) ([]byte, error) {
	in := c.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fault.New(fault.SourceUnavailable, "%s can't be opened", path).Wrap(err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxPayload+1))
	if err != nil {
		return nil, fault.New(fault.SourceUnavailable, "%s can't be read", path).Wrap(err)
	}
	if len(text) > maxPayload {
		return nil, fault.New(fault.SourceInvalid, "%s is larger than %d MiB", path, maxPayload>>20)
	}
	return text, nil
}
