package capi

// Add adds a value of a field: lists grow, single values are replaced. A field
// nobody knows is ignored.
func (u *UserData) Add(f Field, value string) {
	switch {
	case u.list(f) != nil:
		list := u.list(f)
		*list = append(*list, value)
	case u.single(f) != nil:
		*u.single(f) = value
	case f.Legacy():
		if u.Legacy == nil {
			u.Legacy = map[string]string{}
		}
		u.Legacy[f.String()] = value
	}
}

// Values returns the values of a field, none for an absent one.
func (u *UserData) Values(f Field) []string {
	if list := u.list(f); list != nil {
		return *list
	}
	if single := u.single(f); single != nil && *single != "" {
		return []string{*single}
	}
	if value := u.Legacy[f.String()]; f.Legacy() && value != "" {
		return []string{value}
	}
	return nil
}

// list returns where a field that takes several values is kept.
func (u *UserData) list(f Field) *[]string {
	switch f {
	case FieldEmail:
		return &u.Email
	case FieldPhone:
		return &u.Phone
	case FieldFirstName:
		return &u.FirstName
	case FieldLastName:
		return &u.LastName
	case FieldBirthDate:
		return &u.BirthDate
	case FieldGender:
		return &u.Gender
	case FieldCity:
		return &u.City
	case FieldState:
		return &u.State
	case FieldZip:
		return &u.Zip
	case FieldCountry:
		return &u.Country
	case FieldExternalID:
		return &u.ExternalID
	default:
		return nil
	}
}

// single returns where a field of one value is kept.
func (u *UserData) single(f Field) *string {
	switch f {
	case FieldClientIPAddress:
		return &u.ClientIPAddress
	case FieldClientUserAgent:
		return &u.ClientUserAgent
	case FieldFBC:
		return &u.FBC
	case FieldFBP:
		return &u.FBP
	case FieldSubscriptionID:
		return &u.SubscriptionID
	case FieldAnonID:
		return &u.AnonID
	case FieldMadID:
		return &u.MadID
	case FieldLeadID:
		return &u.LeadID
	case FieldFBLoginID:
		return &u.FBLoginID
	case FieldPageID:
		return &u.PageID
	case FieldPageScopedUserID:
		return &u.PageScopedUserID
	case FieldCTWAClid:
		return &u.CTWAClid
	case FieldIGAccountID:
		return &u.IGAccountID
	case FieldIGSID:
		return &u.IGSID
	case FieldInstagramBusinessAccountID:
		return &u.InstagramBusinessAccountID
	case FieldWhatsAppBusinessAccountID:
		return &u.WhatsAppBusinessAccountID
	case FieldPartnerID:
		return &u.PartnerID
	case FieldPartnerName:
		return &u.PartnerName
	default:
		return nil
	}
}
