package cli

import "sluice/capi"

// payloadFixes is advice for somebody who builds payloads, where that of the
// catalogue speaks of the columns and keys of a mapping.
var payloadFixes = map[string]string{
	capi.CodeTooLong:                   "check what is written under this key",
	capi.CodeDoubleHashed:              "hash the plain value once",
	capi.CodeNotHashed:                 "write the SHA-256 of the normalised value, 64 lower-case hex digits; `sluice normalize` computes it",
	capi.CodeInvalidEmail:              "write one address per value",
	capi.CodePhoneNoDigits:             "write it as +<country code>…",
	capi.CodePhoneMissingCountryCode:   "write it as +<country code>…, or name the country",
	capi.CodePhoneAssumedInternational: "write it as +<country code>…, or name the country",
	capi.CodeDOBOutOfRange:             "check the date",
	capi.CodeZipInvalid:                "check the postal code and its country",
	capi.CodeNotNumeric:                "write digits only",
	capi.CodeNoIdentifiers:             "add at least em, ph or external_id to user_data",
	capi.CodeMissingEventTime:          "set event_time, in Unix seconds",
	capi.CodeFutureTime:                "check the clock and the time zone",
	capi.CodeOfflineOver7Days:          "send weekly or more often",
	capi.CodeMissingOrderID:            "set custom_data.order_id",
	capi.CodeMissingEventSourceURL:     "set event_source_url, or another action_source if it did not happen on a website",
	capi.CodeMissingUserAgent:          "set user_data.client_user_agent, or pass --allow-missing-ua",
	capi.CodeMissingValue:              "set custom_data.value",
	capi.CodeMissingCurrency:           "set custom_data.currency",
	capi.CodeZeroValue:                 "check the amount",
	capi.CodeNumberTooLarge:            "check the number",
	capi.CodeMissingQuantity:           "set the quantity",
	capi.CodeBadCurrency:               "write three upper-case letters, like EUR",
	capi.CodeUnknownKey:                "remove it, or move it into custom_data if it says something about the sale",
	capi.CodeWrongType:                 "texts in quotes, numbers without, lists in brackets",
	capi.CodeInvalidUTF8:               "write the payload as UTF-8",
	capi.CodeBadText:                   "write the payload as UTF-8",
}

// payloadFix returns the advice on a code for a payload, the catalogue's own where
// there is no other.
func payloadFix(code, fix string) string {
	if own, ok := payloadFixes[code]; ok {
		return own
	}
	return fix
}

// codeInfo returns what the catalogue says about a code.
func codeInfo(code string) capi.CodeInfo {
	for _, info := range capi.Codes() {
		if info.Code == code {
			return info
		}
	}
	return capi.CodeInfo{Code: code}
}
