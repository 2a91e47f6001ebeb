package policytool

import "testing"

func TestToolsAreJudgedByWhatTheyDo(t *testing.T) {
	t.Parallel()
	yes := true
	for _, c := range []struct {
		tool Tool
		want Kind
	}{
		{Tool{Name: "get_file_contents"}, Read},
		{Tool{Name: "list_charges"}, Read},
		{Tool{Name: "slack_list_channels"}, Read},
		{Tool{Name: "browser_take_screenshot"}, Read},
		{Tool{Name: "tf_plan"}, Read},
		{Tool{Name: "fetch_container_logs"}, Read},
		{Tool{Name: "d1_databases_list"}, Read},
		{Tool{Name: "job_run_status"}, Read},
		{Tool{Name: "create_issue"}, Write},
		{Tool{Name: "notion-update-page"}, Write},
		{Tool{Name: "meta_send_offline_event"}, Write},
		{Tool{Name: "remove_label"}, Write},
		{Tool{Name: "cancel_meeting"}, Write},
		{Tool{Name: "create_call"}, Write},
		{Tool{Name: "git_checkout"}, Write},
		{Tool{Name: "manage_notification_subscription"}, Write},
		{Tool{Name: "execute_sql"}, Execute},
		{Tool{Name: "actions_run_trigger"}, Execute},
		{Tool{Name: "cancel_workflow"}, Execute},
		{Tool{Name: "stop_container"}, Execute},
		{Tool{Name: "search_rows", Parameters: []string{"limit", "sql"}}, Execute},
		{Tool{Name: "create_refund"}, Financial},
		{Tool{Name: "refundInvoice"}, Financial},
		{Tool{Name: "cancel_subscription"}, Financial},
		{Tool{Name: "place_order"}, Financial},
		{Tool{Name: "finalize_invoice"}, Financial},
		{Tool{Name: "send_gift", Parameters: []string{"amount", "currency"}}, Financial},
		{Tool{Name: "delete_branch"}, Destructive},
		{Tool{Name: "d1_database_delete"}, Destructive},
		{Tool{Name: "drop-collection"}, Destructive},
		{Tool{Name: "manage_resource", Description: "Creates, updates or deletes a resource"}, Destructive},
		{Tool{Name: "widget", Description: "Deletes a widget"}, Destructive},
		{Tool{Name: "widget"}, Write},
		// What a server says of itself can only make a tool graver.
		{Tool{Name: "delete_branch", ReadOnlyHint: &yes}, Destructive},
		{Tool{Name: "get_page", DestructiveHint: &yes}, Write},
		{Tool{Name: "create_campaign", Declared: Financial}, Financial},
		{Tool{Name: "delete_branch", Declared: Read}, Destructive},
		{Tool{Name: "get_page", Declared: "Harmless"}, Read},
	} {
		if got := Classify(c.tool); got.Kind != c.want || got.Why == "" {
			t.Errorf("%s %v: %s (%s), want %s", c.tool.Name, c.tool.Parameters, got.Kind, got.Why, c.want)
		}
	}
}

func TestADefinitionThatSaysTooLittleIsToBeReviewed(t *testing.T) {
	t.Parallel()
	yes := true
	for _, tool := range []Tool{{Name: "widget"}, {Name: "widget", Description: "Reads a widget"}, {Name: "delete_page", ReadOnlyHint: &yes}, {Name: "get_page", DestructiveHint: &yes}, {Name: "!!"}} {
		if !Classify(tool).Review {
			t.Errorf("%s passes without a look", tool.Name)
		}
	}
	if Classify(Tool{Name: "get_page"}).Review {
		t.Error("get_page needs a look")
	}
}

func TestADefinitionMaySayItsRisk(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Kind{
		`{"name":"create_campaign","_meta":{"sluice/risk":{"category":"Financial","severity":"high"}}}`: Financial,
		`{"name":"create_campaign","_meta":{"sluice/risk":"Financial"}}`:                                Write,
		`{"name":"create_campaign"}`: Write,
	} {
		tool, err := ReadTool([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := Classify(tool).Kind; got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
