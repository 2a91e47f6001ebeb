package graphspec

// insightErrors are the refusals of reports, metrics and the ad library.
var insightErrors = []ErrorRow{
	row("insights_field", 400, 100, 0, ClassInput, Reported, "(#100) {field} is not valid for fields param. please check the documentation of ads insights for all valid values", "Leave out the field that is named."),
	row("insights_range_reversed", 400, 100, 1487542, ClassInput, Known, "(#100) Invalid parameter: the start date has to be before the end date", "Swap since and until."),
	row("insights_range_old", 400, 3018, 0, ClassInput, Known, "(#3018) The start date of the time range cannot be beyond 37 months from the current date", "Ask for at most the last 37 months."),
	row("page_metric", 400, 100, 0, ClassInput, Documented, "(#100) The value must be a valid insights metric", "Leave out the metric that was retired."),
	row("page_period", 400, 100, 0, ClassInput, Known, "(#100) The metric {metric} does not have the period {period}", "Ask for the metric with another period."),
	row("page_range", 400, 100, 0, ClassInput, Known, "(#100) There cannot be more than 93 days (8035200 s) between since and until", "Ask for at most 90 days in one call."),
	row("archive_identity", 400, 10, 2332002, ClassPermission, Known, "(#10) Application does not have permission for this action", "The owner of the app has to confirm their identity and accept the terms of the Ad Library API."),
}
