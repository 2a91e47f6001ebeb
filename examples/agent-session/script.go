package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// What the sandbox's world has; GET /_emulator/ lists it.
const (
	account   = "act_3000000000000001"
	page      = "4000000000000001"
	instagram = "5000000000000001"
	dataset   = "1000000000000001"
	autumn    = "3100000000000001"   // a campaign that has run for a while
	waiting   = "4310000000000001"   // wrote an hour ago
	lost      = "4310000000000003"   // wrote ten days ago
	thread    = "t_4300000000000001" // of the one who waits
)

type arguments map[string]any

// play is the session. After the first answer that is not the expected one nothing more
// is asked.
func (a *agent) play(ctx context.Context) error {
	for _, scene := range []struct {
		title string
		plays func(context.Context)
	}{
		{"A campaign: the policy and the server each have a limit for its budget", a.campaign},
		{"A creative: files come from one folder", a.creative},
		{"Results, as a picture", a.results},
		{"Messages: who wrote within a day may be answered", a.messages},
		{"A post on Instagram", a.post},
		{"What can't be undone", a.deletion},
		{"Store sales: preview, dry run, confirm; a person agrees to the last", a.sales},
	} {
		fmt.Fprintf(a.out, "\n%s\n", scene.title)
		if scene.plays(ctx); a.err != nil {
			return a.err
		}
	}
	return nil
}

func (a *agent) campaign(ctx context.Context) {
	of := func(budget int) arguments {
		return arguments{"ad_account_id": account, "name": "Cups for winter", "objective": "OUTCOME_SALES", "daily_budget": budget}
	}
	a.refused(ctx, "denied", "meta_create_campaign", of(25000))
	a.refused(ctx, "budget_ceiling", "meta_create_campaign", of(8000))
	made := a.done(ctx, "meta_create_campaign", of(3000), "campaign {data.id}")
	seen := a.done(ctx, "meta_get_campaign", arguments{"campaign_id": made.text("data.id")}, "{data.name}: {data.status}, {data.daily_budget} pence a day")
	a.check(seen.text("data.status") == "PAUSED", "the new campaign is %s", seen.text("data.status"))
	a.refused(ctx, "limit_exceeded", "meta_create_campaign", of(2000))
}

func (a *agent) creative(ctx context.Context) {
	a.refused(ctx, "upload_refused", "meta_upload_ad_image", arguments{"ad_account_id": account, "image_path": "../server/state/master.key"})
	picture := a.done(ctx, "meta_upload_ad_image", arguments{"ad_account_id": account, "image_path": "autumn.png"}, "picture {data.hash}, {data.width}×{data.height}")
	a.done(ctx, "meta_create_ad_creative", arguments{
		"ad_account_id": account, "page_id": page, "name": "Cups for winter", "image_hash": picture.text("data.hash"),
		"link_url": "https://shop.example.com/cups", "title": "Cups for winter", "body": "They keep tea warm for an hour.",
	}, "creative {data.id}")
}

func (a *agent) results(ctx context.Context) {
	rows := a.done(ctx, "meta_get_campaign_insights", arguments{
		"campaign_id": autumn, "date_preset": "last_7d", "time_increment": "1", "fields": []string{"spend", "clicks"},
	}, "{data.0.date_start} to {data.6.date_start}, {data.0.spend} to {data.6.spend} {data.0.account_currency} a day")
	var days []string
	var spend, clicks []any
	for _, row := range rows.list("data") {
		day := answer{data: row}
		days = append(days, day.text("date_start"))
		spend, clicks = append(spend, day.number("spend")), append(clicks, day.number("clicks"))
	}
	a.check(len(days) == 7, "%d days came for a week", len(days))
	chart := a.done(ctx, "meta_generate_chart", arguments{
		"chart_type": "line", "title": "Autumn sale, by day", "labels": days,
		"datasets": []any{arguments{"label": "Spend (GBP)", "data": spend}, arguments{"label": "Clicks", "data": clicks}},
	}, "a picture of {picture} in the answer")
	a.check(chart.picture != "", "no picture came")
}

func (a *agent) messages(ctx context.Context) {
	read := a.done(ctx, "meta_get_conversation_messages", arguments{"page_id": page, "conversation_id": thread},
		"{data.0.from.name}: “{data.0.message}” (untrusted: {untrusted_fields})")
	a.check(read.text("untrusted_fields") != "", "the customer's words are not marked")
	a.done(ctx, "meta_send_page_message", arguments{"page_id": page, "recipient_id": waiting, "message": "It left this morning."}, "sent: {data.window.why}")
	a.refused(ctx, "window_closed", "meta_send_page_message", arguments{"page_id": page, "recipient_id": lost, "message": "We do now!"})
}

func (a *agent) post(ctx context.Context) {
	of := func(name string) arguments {
		return arguments{"url": "https://shop.example.com/pictures/" + name, "type": "IMAGE"}
	}
	a.done(ctx, "meta_publish_instagram_carousel", arguments{
		"ig_account_id": instagram, "caption": "Cups for winter", "items": []any{of("blue.jpg"), of("white.jpg")},
	}, "post {data.id} of {data.child_container_ids.length} pictures")
}

func (a *agent) deletion(ctx context.Context) {
	a.refused(ctx, "denied", "meta_delete_campaign", arguments{"campaign_id": autumn})
}

func (a *agent) sales(ctx context.Context) {
	today := time.Now().UTC()
	plan := a.done(ctx, "send_meta_conversions", arguments{
		"mode": "preview", "dataset_id": dataset, "outcomes": []string{"payment_received"},
		"window_start": today.AddDate(0, 0, -6).Format(time.DateOnly), "window_end": today.Format(time.DateOnly),
	}, "{data.counts.rows} rows: {data.counts.planned} planned (GBP {data.value.GBP}), {data.counts.rejected} rejected, {data.counts.skipped} skipped")
	a.done(ctx, "send_meta_conversions", arguments{"mode": "dry_run", "plan_id": plan.text("data.plan_id")}, "{data.events_received} events, {data.bytes} bytes, level {data.level}")
	confirm := arguments{
		"mode": "confirm", "plan_id": plan.text("data.plan_id"), "plan_hash": plan.text("data.plan_hash"), "idempotency_key": "winter-1",
	}
	parked := a.refused(ctx, "approval_pending", "send_meta_conversions", confirm)
	a.decide(ctx, "approve", parked.approval)
	a.done(ctx, "send_meta_conversions", confirm, "{data.counts.delivered} delivered, {data.requests} request")

	// One yes is one call: the third waits for another, and gets a no.
	parked = a.refused(ctx, "approval_pending", "send_meta_conversions", confirm)
	a.decide(ctx, "reject", parked.approval, "--reason", "It was sent already.")
}

// decide is what a person does, in a process of its own.
func (a *agent) decide(ctx context.Context, decision, approval string, flags ...string) {
	if a.err != nil {
		return
	}
	args := append([]string{"approvals", decision, approval}, flags...)
	out, err := a.sluice(ctx, a.gate, args...)
	if a.err = err; err != nil {
		return
	}
	first, _, _ := strings.Cut(out, "\n")
	fmt.Fprintf(a.out, "     a person: %s\n", strings.TrimSpace(first))
}
