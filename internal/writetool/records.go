package writetool

import (
	"context"
	"strconv"

	"sluice/internal/graphtool/tool"
	"sluice/internal/writeback"
)

const set = "conversions"

var (
	dataset  = tool.ID("dataset_id", "AdsPixel", "Dataset (pixel) that gets the events.").Opt().Local()
	pixel    = tool.ID("pixel_id", "AdsPixel", "Older name of dataset_id.").Opt().Local()
	outcomes = tool.Strings("outcomes", "Stored outcomes to send, such as payment_received, closed_won, appointment_booked.").Max(20).Local()
	from     = tool.Date("window_start", "First day, in the profile's time zone.").Local()
	to       = tool.Date("window_end", "Last day, included. Left out, the first day only.").Local()
	testCode = tool.Text("test_event_code", "Of dry_run: code from Events Manager. It makes the dry run a live test: at most 25 events really go to Meta, which counts them.").Max(40).Local()
	live     = tool.Bool("acknowledge_live_test", "Your word that events of a live test count at Meta.").Local()
	rejectOK = tool.Bool("accept_rejects", "Confirm although more than 20 % of the rows were rejected.").Local()
	first    = tool.Bool("first_upload", "Your word that nobody has ever uploaded events to this dataset before; asked for by first_upload_required.").Local()
	sample   = tool.Int("sample_size", "Masked sample events to show.").Min(1).Max(20).Is(3).Local()
	filter   = tool.Enum("attribution_filter", "all has_meta_touch", "has_meta_touch keeps outcomes with a recorded contact with Meta's advertising.").Is("all").Local()
	named    = tool.Text("source", "Instead of outcomes: a source that the server's sluice.yaml names.").Max(100).Local()
	mapped   = tool.Text("mapping", "Of a source: its mapping, as YAML or JSON.").Max(65536).Local()
)

func (w *tools) threeSteps() *tool.Tool {
	return &tool.Tool{
		Name: "send_meta_conversions", Title: "Send conversions to Meta", Set: set, Core: true,
		Category: tool.Financial, Severity: tool.High, Irreversible: true, Repeat: true,
		Does: "Sends stored business outcomes (orders, payments, leads, appointments) to Meta's Conversions API in three steps: preview, dry_run, confirm.",
		Use: "Use it for sales that were recorded outside Meta, many at a time. For one event use meta_send_offline_event or meta_send_conversion_event; " +
			"for single steps with more options the wb_ tools.",
		Note: "preview sends nothing and gives plan_id and plan_hash; dry_run checks the exact requests offline; confirm needs plan_id, plan_hash and idempotency_key, " +
			"sends each event once and answers with counts. Repeating a confirm with its key sends nothing more. Refused while write-back is off.",
		Args: []tool.Arg{
			tool.Enum("mode", "preview dry_run confirm", "Step to do.").Req().Local(),
			profile, pixel, dataset, outcomes, from, to, testCode, planID, planHash, key, live, rejectOK, first,
		},
		Out: tool.Out{Members: planMembers + " level ok:bool findings:json rules:map run_id status replayed:bool reasons:map events_received:int fbtrace_ids:list<string> audit_seq:int messages:list<string>", Heading: "Conversions"},
		Cases: []tool.Case{
			{
				Name: "preview", Args: `{"mode":"preview","dataset_id":"1000000000000001","outcomes":["payment_received"],"window_start":"${yesterday}","window_end":"${today}"}`,
				Asks: []string{}, Has: []string{"data.plan_id", "data.plan_hash", "data.counts.planned=2", "data.value.GBP=15.5", "data.samples.length=2"}, Shows: []string{"Nothing was sent", "15.5"},
			},
			{
				Name: "three steps",
				Before: []tool.Prior{
					{Tool: "send_meta_conversions", Args: `{"mode":"preview","dataset_id":"1000000000000001","outcomes":["payment_received"],"window_start":"${yesterday}","window_end":"${today}"}`, Save: "plan=plan_id hash=plan_hash"},
					{Tool: "send_meta_conversions", Args: `{"mode":"dry_run","plan_id":"${plan}"}`},
				},
				Args: `{"mode":"confirm","plan_id":"${plan}","plan_hash":"${hash}","idempotency_key":"case-1","accept_rejects":true}`,
				Has:  []string{"data.counts.delivered=2", "data.replayed=false", "data.audit_seq"},
			},
			{
				Name: "confirmed twice",
				Before: []tool.Prior{
					{Tool: "send_meta_conversions", Args: `{"mode":"preview","dataset_id":"1000000000000001","outcomes":["payment_received"],"window_start":"${yesterday}","window_end":"${today}"}`, Save: "plan=plan_id hash=plan_hash"},
					{Tool: "wb_confirm", Args: `{"plan_id":"${plan}","plan_hash":"${hash}","idempotency_key":"case-1","accept_rejects":true}`},
				},
				Args: `{"mode":"confirm","plan_id":"${plan}","plan_hash":"${hash}","idempotency_key":"case-1","accept_rejects":true}`,
				Asks: []string{}, Has: []string{"data.replayed=true", "data.counts.delivered=2"},
			},
			{Name: "confirm without a plan", Args: `{"mode":"confirm","idempotency_key":"case-1"}`, Asks: []string{}, Error: "plan_required", Says: []string{"preview"}},
			{
				Name: "write-back is off", Token: "write-back off", Args: `{"mode":"preview","dataset_id":"1000000000000001","outcomes":["payment_received"]}`,
				Asks: []string{}, Error: "writeback_disabled", Says: []string{"--write-back"},
			},
			{Name: "unknown mode", Args: `{"mode":"send"}`, Error: "argument_invalid"},
		},
		Run: func(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
			mode := e.Args.Str("mode")
			need := plans
			if mode == "confirm" {
				need = looks // the confirm asks for the rest, after it has looked for a finished key
				need.Scope = sends.Scope
			}
			s, err := w.session(ctx, e, need)
			if err != nil {
				return nil, err
			}
			switch mode {
			case "confirm":
				return confirmed(ctx, s, e)
			case "dry_run":
				plan := e.Args.Str("plan_id")
				if plan == "" {
					v, err := w.planOf(ctx, s, e)
					if err != nil {
						return nil, err
					}
					plan = v.ID
				}
				r, err := rehearse(ctx, s, e, plan)
				if err != nil {
					return nil, err
				}
				return rehearsalAnswer(r)
			}
			v, err := w.planOf(ctx, s, e)
			if err != nil {
				return nil, err
			}
			return planAnswer(v, "call again with mode dry_run and plan_id "+v.ID+", then confirm")
		},
	}
}

func (w *tools) preview() *tool.Tool {
	return &tool.Tool{
		Name: "wb_preview", Title: "Preview conversions", Set: set, Core: true, Category: tool.Read, Severity: tool.Low,
		Does: "Plans which stored outcomes, or rows of a configured source, would go to a dataset, and shows counts, value, match quality, rejects and masked samples.",
		Use:  "Use it before wb_dry_run and wb_confirm, or to see what is missing in the data. Not for sending: it never does.",
		Note: "The plan can be confirmed for 24 hours. rows = planned + held + rejected + skipped + expired, always.",
		Args: []tool.Arg{profile, dataset, pixel, outcomes, from, to, filter, named, mapped, sample},
		Out:  tool.Out{Members: planMembers, Heading: "Plan {plan_id}"},
		Cases: []tool.Case{
			{Name: "stored payments", Args: `{"dataset_id":"1000000000000001","outcomes":["payment_received"],"window_start":"${yesterday}","window_end":"${today}"}`, Asks: []string{}, Has: []string{"data.counts.planned=2", "data.tiers"}},
			{Name: "no dataset", Args: `{"outcomes":["payment_received"]}`, Error: "argument_invalid", Says: []string{"dataset_id"}},
			{Name: "no such source", Args: `{"dataset_id":"1000000000000001","source":"till","mapping":"version: 1"}`, Error: "mapping_invalid"},
		},
		Run: func(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
			s, err := w.session(ctx, e, plans)
			if err != nil {
				return nil, err
			}
			v, err := w.planOf(ctx, s, e)
			if err != nil {
				return nil, err
			}
			return planAnswer(v, "wb_dry_run with plan_id "+v.ID)
		},
	}
}

func (w *tools) dryRun() *tool.Tool {
	return &tool.Tool{
		Name: "wb_dry_run", Title: "Rehearse a plan", Set: set, Core: true, Category: tool.Write, Severity: tool.Medium, Irreversible: true, Repeat: true,
		Does: "Builds the exact requests of a plan and has them judged, without sending the plan.",
		Use:  "Use it after wb_preview and before wb_confirm. Level offline (default) leaves the machine in no way.",
		Note: "sandbox posts to a local sandbox; test_dataset posts synthetic people to a dataset for tests; live_test posts at most 25 real events with test_event_code, and Meta counts those: of the levels only this one can't be taken back.",
		Args: []tool.Arg{
			profile, planID.Req(), tool.Enum("level", "offline sandbox test_dataset live_test", "How real it is.").Local(), testCode, live,
			tool.ID("test_dataset", "AdsPixel", "Of level test_dataset: the dataset for tests.").Opt().Local(),
		},
		Out: tool.Out{Members: rehearsalMembers, Heading: "Dry run of {plan_id}"},
		Cases: []tool.Case{
			{
				Name: "offline", Before: []tool.Prior{{Tool: "wb_preview", Args: `{"dataset_id":"1000000000000001","outcomes":["payment_received"],"window_start":"${yesterday}","window_end":"${today}"}`, Save: "plan=plan_id"}},
				Args: `{"plan_id":"${plan}"}`, Asks: []string{}, Has: []string{"data.ok=true", "data.level=offline", "data.events=2"},
			},
			{
				Name: "live test of store sales", Before: []tool.Prior{{Tool: "wb_preview", Args: `{"dataset_id":"1000000000000001","outcomes":["payment_received"],"window_start":"${yesterday}","window_end":"${today}"}`, Save: "plan=plan_id"}},
				Args: `{"plan_id":"${plan}","test_event_code":"TEST1","acknowledge_live_test":true}`, Error: "live_test_unsupported",
			},
			{Name: "no such plan", Args: `{"plan_id":"pl_nothing"}`, Error: "plan_not_found"},
		},
		Run: func(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
			need := plans
			if e.Args.Str("level") != "" && e.Args.Str("level") != "offline" || e.Args.Has("test_event_code") {
				need = sends
			}
			s, err := w.session(ctx, e, need)
			if err != nil {
				return nil, err
			}
			r, err := rehearse(ctx, s, e, e.Args.Str("plan_id"))
			if err != nil {
				return nil, err
			}
			return rehearsalAnswer(r)
		},
	}
}

func (w *tools) confirm() *tool.Tool {
	return &tool.Tool{
		Name: "wb_confirm", Title: "Confirm a plan", Set: set, Core: true, Category: tool.Financial, Severity: tool.High, Irreversible: true, Repeat: true,
		Does: "Sends a plan to Meta's Conversions API, each event once, from the ledger.",
		Use:  "Use it only after wb_preview, and best after wb_dry_run, with the plan_id and plan_hash that the preview gave.",
		Note: "Sent conversions train ads and can't be recalled. The same idempotency_key again answers from the ledger and sends nothing. approval_required parks it for a person; call again once they agreed.",
		Args: []tool.Arg{profile, planID.Req(), planHash.Req(), key.Req(), rejectOK, first},
		Out:  tool.Out{Members: receiptMembers, Heading: "Run {run_id}"},
		Cases: []tool.Case{
			{
				Name: "sends", Before: []tool.Prior{{Tool: "wb_preview", Args: `{"dataset_id":"1000000000000001","outcomes":["payment_received"],"window_start":"${yesterday}","window_end":"${today}"}`, Save: "plan=plan_id hash=plan_hash"}},
				Args: `{"plan_id":"${plan}","plan_hash":"${hash}","idempotency_key":"case-2","accept_rejects":true}`, Has: []string{"data.counts.delivered=2", "data.status=finished"},
			},
			{
				Name: "another hash", Before: []tool.Prior{{Tool: "wb_preview", Args: `{"dataset_id":"1000000000000001","outcomes":["payment_received"],"window_start":"${yesterday}","window_end":"${today}"}`, Save: "plan=plan_id"}},
				Args: `{"plan_id":"${plan}","plan_hash":"0000","idempotency_key":"case-2"}`, Error: "plan_hash_mismatch",
			},
			{
				Name: "too many rejects", Before: []tool.Prior{{Tool: "wb_preview", Args: `{"dataset_id":"1000000000000001","outcomes":["payment_received"],"window_start":"${yesterday}","window_end":"${today}"}`, Save: "plan=plan_id hash=plan_hash"}},
				Args: `{"plan_id":"${plan}","plan_hash":"${hash}","idempotency_key":"case-3"}`, Asks: []string{}, Error: "reject_threshold", Says: []string{"wb_rejects", "accept_rejects"},
			},
			{Name: "no key", Args: `{"plan_id":"pl_1","plan_hash":"0000"}`, Error: "argument_invalid"},
		},
		Run: func(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
			need := looks
			need.Scope = sends.Scope
			s, err := w.session(ctx, e, need)
			if err != nil {
				return nil, err
			}
			return confirmed(ctx, s, e)
		},
	}
}

func (w *tools) status() *tool.Tool {
	return &tool.Tool{
		Name: "wb_run_status", Title: "Show a run", Set: set, Core: true, Category: tool.Read, Severity: tool.Low,
		Does: "Shows what became of a plan or run: state, counts of events by state, error.",
		Use:  "Use it after a confirm that took long, or to list the latest runs (without plan_id). For single rows use wb_rejects.",
		Args: []tool.Arg{profile, tool.Text("plan_id", "Plan or run. Left out, the latest ones are listed.").Max(100).Local(), tool.Int("limit", "How many to list.").Min(1).Max(100).Is(10).Local()},
		Out:  tool.Out{Members: "runs:json", Heading: "Runs"},
		Cases: []tool.Case{
			{Name: "the latest", Args: `{}`, Asks: []string{}, Has: []string{"data.runs"}},
			{Name: "no such run", Args: `{"plan_id":"pl_nothing"}`, Error: "plan_not_found"},
		},
		Run: func(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
			s, err := w.session(ctx, e, looks)
			if err != nil {
				return nil, err
			}
			var rows []writeback.RunRow
			if plan := e.Args.Str("plan_id"); plan != "" {
				if of, err := s.Service.PlanOfRun(ctx, plan); err == nil {
					plan = of
				}
				if err := s.ownsPlan(ctx, plan); err != nil {
					return nil, err
				}
				row, err := s.Service.RunOf(ctx, plan)
				if err != nil {
					return nil, err
				}
				rows = append(rows, row)
			} else if rows, err = s.Service.Browse(ctx, "", int(e.Args.Int("limit"))); err != nil {
				return nil, err
			}
			m, err := asMap(map[string]any{"runs": rows})
			return &tool.Answer{Data: m}, err
		},
	}
}

func (w *tools) rejects() *tool.Tool {
	return &tool.Tool{
		Name: "wb_rejects", Title: "List rejected rows", Set: set, Core: true, Category: tool.Read, Severity: tool.Low,
		Does: "Lists the rows of a plan that were not sent: where they stand, the code, a masked value, and how to mend them.",
		Use:  "Use it after a preview or confirm that counted rejects. Not for skipped or expired rows, which a plan only counts (wb_run_status).",
		Args: []tool.Arg{
			profile, planID.Req(), tool.Text("code", "Only this code, such as invalid_phone.").Max(60).Local(),
			tool.Int("limit", "How many.").Min(1).Max(200).Is(25).Local(), tool.Text("after", "next_after of the answer before.").Max(20).Local(),
		},
		Out: tool.Out{Members: "rejects:json next_after", Heading: "Rejected rows of {plan_id}"},
		Cases: []tool.Case{
			{
				Name: "of a plan", Before: []tool.Prior{{Tool: "wb_preview", Args: `{"dataset_id":"1000000000000001","outcomes":["payment_received"],"window_start":"${yesterday}","window_end":"${today}"}`, Save: "plan=plan_id"}},
				Args: `{"plan_id":"${plan}"}`, Asks: []string{}, Has: []string{"data.rejects"},
			},
			{Name: "a wrong cursor", Args: `{"plan_id":"pl_1","after":"x"}`, Error: "argument_invalid"},
		},
		Run: func(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
			s, err := w.session(ctx, e, looks)
			if err != nil {
				return nil, err
			}
			after, err := strconv.ParseInt("0"+e.Args.Str("after"), 10, 64)
			if err != nil {
				return nil, tool.Bad("after", "it is no cursor", "use next_after of the answer before")
			}
			if err := s.ownsPlan(ctx, e.Args.Str("plan_id")); err != nil {
				return nil, err
			}
			limit := int(e.Args.Int("limit"))
			rows, err := s.Service.RejectPage(ctx, e.Args.Str("plan_id"), e.Args.Str("code"), after, limit)
			if err != nil {
				return nil, err
			}
			list := []any{}
			for i := range rows {
				r := &rows[i]
				row := map[string]any{"file": r.File, "line": r.Line, "stage": r.Stage, "code": r.Code, "field": r.Field, "masked": r.Masked, "hint": r.Hint}
				if r.Meta.Code != 0 {
					row["graph"] = r.Meta
				}
				list = append(list, row)
			}
			m, err := asMap(map[string]any{"rejects": list})
			if err == nil && len(rows) == limit {
				m["next_after"] = strconv.FormatInt(rows[limit-1].Seq, 10)
			}
			return &tool.Answer{Data: m}, err
		},
	}
}

func (w *tools) circuit() *tool.Tool {
	return &tool.Tool{
		Name: "wb_circuit", Title: "Show the circuit breaker", Set: set, Category: tool.Read, Severity: tool.Low,
		Does: "Shows whether sending is stopped for a while because confirms kept failing, per profile, and until when.",
		Use:  "Use it when wb_confirm answers circuit_open. An agent can't reset it: a person does, with `sluice circuit reset`.",
		Args: []tool.Arg{profile},
		Out:  tool.Out{Members: "circuits:json", Heading: "Circuit breaker"},
		Cases: []tool.Case{
			{Name: "closed", Args: `{}`, Asks: []string{}, Has: []string{"data.circuits"}},
			{Name: "an argument too much", Args: `{"reset":true}`, Error: "argument_invalid"},
		},
		Run: func(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
			s, err := w.session(ctx, e, looks)
			if err != nil {
				return nil, err
			}
			list, err := s.Service.Circuits(ctx)
			if err != nil {
				return nil, err
			}
			m, err := asMap(map[string]any{"circuits": list})
			return &tool.Answer{Data: m}, err
		},
	}
}

func (w *tools) audit() *tool.Tool {
	return &tool.Tool{
		Name: "wb_audit_verify", Title: "Verify the audit log", Set: set, Category: tool.Read, Severity: tool.Low,
		Does: "Verifies the audit log of the workspace: every chain, and every signed checkpoint over them.",
		Use:  "Use it to show that what was sent is recorded and nothing was changed since. For what became of one plan use wb_run_status; for one record `sluice audit prove` on the command line.",
		Out:  tool.Out{Members: "verification:json", Heading: "Audit log"},
		Cases: []tool.Case{
			{Name: "intact", Args: `{}`, Asks: []string{}, Has: []string{"data.verification.ok=true"}},
			{Name: "an argument too much", Args: `{"chain":"x"}`, Error: "argument_invalid"},
		},
		Run: func(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
			s, err := w.session(ctx, e, looks)
			if err != nil {
				return nil, err
			}
			v, err := s.Service.VerifyAudit(ctx)
			if err != nil {
				return nil, err
			}
			m, err := asMap(map[string]any{"verification": v})
			return &tool.Answer{Data: m}, err
		},
	}
}
