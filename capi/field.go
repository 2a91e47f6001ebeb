package capi

import "strings"

// Field is a customer-information key: a key of user_data. Fields are numbered in
// the order of their wire names, so that walking them upwards is the order RFC
// 8785 wants.
type Field uint8

// The customer-information keys.
const (
	FieldAnonID Field = iota
	FieldAppUserID
	FieldClientIPAddress
	FieldClientUserAgent
	FieldCountry
	FieldCity
	FieldCTWAClid
	FieldBirthDate
	FieldBirthDay
	FieldBirthMonth
	FieldBirthYear
	FieldEmail
	FieldExternalID
	FieldFirstName5
	FieldLastName5
	FieldFBLoginID
	FieldFBC
	FieldFBP
	FieldFirstInitial
	FieldFirstName
	FieldGender
	FieldIGAccountID
	FieldIGSID
	FieldInstagramBusinessAccountID
	FieldLeadID
	FieldLastName
	FieldMadID
	FieldPageID
	FieldPageScopedUserID
	FieldPartnerID
	FieldPartnerName
	FieldPhone
	FieldState
	FieldSubscriptionID
	FieldWhatsAppBusinessAccountID
	FieldZip

	numFields
)

var fieldNames = [numFields]string{
	FieldAnonID:                     "anon_id",
	FieldAppUserID:                  "app_user_id",
	FieldClientIPAddress:            "client_ip_address",
	FieldClientUserAgent:            "client_user_agent",
	FieldCountry:                    "country",
	FieldCity:                       "ct",
	FieldCTWAClid:                   "ctwa_clid",
	FieldBirthDate:                  "db",
	FieldBirthDay:                   "dobd",
	FieldBirthMonth:                 "dobm",
	FieldBirthYear:                  "doby",
	FieldEmail:                      "em",
	FieldExternalID:                 "external_id",
	FieldFirstName5:                 "f5first",
	FieldLastName5:                  "f5last",
	FieldFBLoginID:                  "fb_login_id",
	FieldFBC:                        "fbc",
	FieldFBP:                        "fbp",
	FieldFirstInitial:               "fi",
	FieldFirstName:                  "fn",
	FieldGender:                     "ge",
	FieldIGAccountID:                "ig_account_id",
	FieldIGSID:                      "ig_sid",
	FieldInstagramBusinessAccountID: "instagram_business_account_id",
	FieldLeadID:                     "lead_id",
	FieldLastName:                   "ln",
	FieldMadID:                      "madid",
	FieldPageID:                     "page_id",
	FieldPageScopedUserID:           "page_scoped_user_id",
	FieldPartnerID:                  "partner_id",
	FieldPartnerName:                "partner_name",
	FieldPhone:                      "ph",
	FieldState:                      "st",
	FieldSubscriptionID:             "subscription_id",
	FieldWhatsAppBusinessAccountID:  "whatsapp_business_account_id",
	FieldZip:                        "zp",
}

// fieldAliases are the names of Meta's retired offline API, which its offline
// page still prints. They are read, never written.
var fieldAliases = map[string]Field{
	"email":     FieldEmail,
	"phone":     FieldPhone,
	"gen":       FieldGender,
	"zip":       FieldZip,
	"extern_id": FieldExternalID,
}

// hashedFields are the keys whose values travel as SHA-256.
const hashedFields = KeySet(1)<<FieldEmail | 1<<FieldPhone | 1<<FieldFirstName | 1<<FieldLastName |
	1<<FieldBirthDate | 1<<FieldGender | 1<<FieldCity | 1<<FieldState | 1<<FieldZip |
	1<<FieldCountry | 1<<FieldExternalID

// legacyFields are the keys only SDKs know. They are passed through when they are
// hashed, and never made.
const legacyFields = KeySet(1)<<FieldAppUserID | 1<<FieldBirthDay | 1<<FieldBirthMonth | 1<<FieldBirthYear |
	1<<FieldFirstName5 | 1<<FieldLastName5 | 1<<FieldFirstInitial

// String returns the wire name: em, ph, external_id.
func (f Field) String() string {
	if f < numFields {
		return fieldNames[f]
	}
	return "unknown"
}

// Hashed reports whether the field's values are hashed before they are sent.
// external_id is, unless Options.ExternalID says otherwise.
func (f Field) Hashed() bool { return hashedFields.Has(f) }

// Legacy reports whether the field is one that only Meta's SDKs know.
func (f Field) Legacy() bool { return legacyFields.Has(f) }

var fieldsByName = func() map[string]Field {
	m := make(map[string]Field, int(numFields)+len(fieldAliases))
	for f, name := range fieldNames {
		m[name] = Field(f)
	}
	for name, f := range fieldAliases {
		m[name] = f
	}
	return m
}()

// ParseField returns the field with a wire name, or with one of the old names
// email, phone, gen, zip and extern_id.
func ParseField(name string) (Field, bool) {
	f, ok := fieldsByName[name]
	return f, ok
}

// Fields returns every field in the order of the wire names.
func Fields() []Field {
	all := make([]Field, numFields)
	for i := range all {
		all[i] = Field(i)
	}
	return all
}

// fieldPath returns the JSON path of a field's value; a negative index means the
// value is not in a list.
func fieldPath(f Field, index int) string {
	var b strings.Builder
	b.WriteString("user_data.")
	b.WriteString(f.String())
	appendIndex(&b, index)
	return b.String()
}
