package mapping

import (
	"slices"
	"strings"

	"sluice/capi"
	"sluice/internal/suggest"
)

// userRule fills one customer-information key; several expressions are several
// values of one person.
type userRule struct {
	field  capi.Field
	values []*expression
}

// readableNames are further names of keys, for people who write the document.
var readableNames = map[string]capi.Field{
	"first_name": capi.FieldFirstName, "last_name": capi.FieldLastName,
	"birth_date": capi.FieldBirthDate, "gender": capi.FieldGender,
	"city": capi.FieldCity, "state": capi.FieldState, "postcode": capi.FieldZip,
}

func fieldNamed(name string) (capi.Field, bool) {
	if f, ok := readableNames[name]; ok {
		return f, true
	}
	f, ok := capi.ParseField(name)
	return f, ok
}

// userNames lists every name of a key, for did-you-mean.
func userNames() []string {
	var names []string
	for _, f := range capi.Fields() {
		names = append(names, f.String())
	}
	for n := range readableNames {
		names = append(names, n)
	}
	names = append(names, "email", "phone", "zip")
	slices.Sort(names)
	return names
}

// user decodes `user:`, `hashed:` and `default_country:`.
func (d *decoder) user(m *Mapping, c cursor, keys map[string]cursor) {
	m.encoder.Hashed = map[capi.Field]capi.HashMode{}
	mode := capi.HashAuto
	if h := keys["hashed"]; h.present() {
		mode = d.hashMode(h)
	}
	if mode != capi.HashAuto {
		for _, f := range capi.Fields() {
			if f.Hashed() {
				m.encoder.Hashed[f] = mode
			}
		}
	}
	if v := keys["default_country"]; v.present() {
		if s, ok := d.text(v, "default_country"); ok {
			n, err := capi.Normalize(capi.FieldCountry, s, "", capi.NormalizeOptions{})
			if err != nil || n.AlreadyHashed {
				d.fault(v, "use a code such as GB", "country %q is not known", clip(s))
			}
			m.encoder.DefaultCountry = strings.ToUpper(n.Value)
		}
	}
	if c.kind != objectNode {
		d.fault(c, "write `user: {em: email, ph: phone}`", "user: expected keys with columns, found %s", c.said())
		return
	}
	for _, k := range c.members {
		f, ok := fieldNamed(k.key)
		if !ok {
			fix := "see the list of keys in the documentation of `user`"
			if near := suggest.Closest(k.key, userNames()); near != "" {
				fix = "did you mean \"" + near + "\"?"
			}
			d.keyFault(c, k, fix, "customer key %q is not known", clip(k.key))
			continue
		}
		if slices.ContainsFunc(m.user, func(r userRule) bool { return r.field == f }) {
			d.keyFault(c, k, "list several columns under one of them: ["+"a, b]", "key %q is given by another name already", clip(k.key))
			continue
		}
		m.user = append(m.user, d.userRule(m, c.at(k), f))
	}
	if len(m.user) == 0 {
		d.fault(c, "map at least one, for example `em: email`", "no customer key is mapped")
	}
}

func (d *decoder) userRule(m *Mapping, c cursor, f capi.Field) userRule {
	r := userRule{field: f}
	list := []cursor{c}
	if c.kind == listNode {
		list = list[:0]
		for i := range c.items {
			list = append(list, c.item(i))
		}
		if len(list) == 0 {
			d.fault(c, "name at least one column", "the list is empty")
		}
		if len(list) > 1 && !isList(f) {
			d.fault(c, "keep one column", "%s takes one value", f)
		}
	}
	said := false
	for _, item := range list {
		extra := []string{}
		if f.Hashed() {
			extra = append(extra, "hashed")
		}
		if f == capi.FieldExternalID {
			extra = append(extra, "as")
		}
		e, keys := d.expression(item, "user."+f.String(), bareColumn, extra...)
		if e == nil {
			continue
		}
		e.personal, e.idLike = true, idLike(f)
		r.values = append(r.values, e)
		if h, ok := keys["hashed"]; ok {
			mode := d.hashMode(h)
			if said && m.encoder.Hashed[f] != mode {
				d.fault(h, "map one of them, or set `hashed: auto`", "the columns of %s differ in `hashed`", f)
			}
			m.encoder.Hashed[f], said = mode, true
		}
		if a, ok := keys["as"]; ok {
			s, _ := d.choice(a, "as", capi.ExternalIDSHA256.String(), capi.ExternalIDSHA256Lower.String(), capi.ExternalIDRaw.String())
			for _, mode := range []capi.ExternalIDMode{capi.ExternalIDSHA256, capi.ExternalIDSHA256Lower, capi.ExternalIDRaw} {
				if mode.String() == s {
					m.encoder.ExternalID = mode
				}
			}
		}
	}
	return r
}

func (d *decoder) hashMode(c cursor) capi.HashMode {
	s, _ := d.choice(c, "hashed", "auto", "no", "yes", "true", "false")
	switch s {
	case "no", "false":
		return capi.HashNo
	case "yes", "true":
		return capi.HashYes
	}
	return capi.HashAuto
}

// idLike keys hold numbers that a spreadsheet may have taken for amounts.
func idLike(f capi.Field) bool {
	switch f {
	case capi.FieldPhone, capi.FieldExternalID, capi.FieldZip, capi.FieldLeadID, capi.FieldFBLoginID, capi.FieldSubscriptionID,
		capi.FieldPageID, capi.FieldPageScopedUserID, capi.FieldIGAccountID, capi.FieldIGSID:
		return true
	}
	return false
}

// isList reports whether Meta takes several values of a key.
func isList(f capi.Field) bool {
	var u capi.UserData
	list, _ := userSlot(&u, f)
	return list != nil
}

// userSlot returns where the values of a key belong: a list or a single text. Both
// are nil for the legacy keys.
func userSlot(u *capi.UserData, f capi.Field) (list *[]string, one *string) {
	switch f {
	case capi.FieldEmail:
		return &u.Email, nil
	case capi.FieldPhone:
		return &u.Phone, nil
	case capi.FieldFirstName:
		return &u.FirstName, nil
	case capi.FieldLastName:
		return &u.LastName, nil
	case capi.FieldBirthDate:
		return &u.BirthDate, nil
	case capi.FieldGender:
		return &u.Gender, nil
	case capi.FieldCity:
		return &u.City, nil
	case capi.FieldState:
		return &u.State, nil
	case capi.FieldZip:
		return &u.Zip, nil
	case capi.FieldCountry:
		return &u.Country, nil
	case capi.FieldExternalID:
		return &u.ExternalID, nil
	case capi.FieldClientIPAddress:
		return nil, &u.ClientIPAddress
	case capi.FieldClientUserAgent:
		return nil, &u.ClientUserAgent
	case capi.FieldFBC:
		return nil, &u.FBC
	case capi.FieldFBP:
		return nil, &u.FBP
	case capi.FieldSubscriptionID:
		return nil, &u.SubscriptionID
	case capi.FieldAnonID:
		return nil, &u.AnonID
	case capi.FieldMadID:
		return nil, &u.MadID
	case capi.FieldLeadID:
		return nil, &u.LeadID
	case capi.FieldFBLoginID:
		return nil, &u.FBLoginID
	case capi.FieldPageID:
		return nil, &u.PageID
	case capi.FieldPageScopedUserID:
		return nil, &u.PageScopedUserID
	case capi.FieldCTWAClid:
		return nil, &u.CTWAClid
	case capi.FieldIGAccountID:
		return nil, &u.IGAccountID
	case capi.FieldIGSID:
		return nil, &u.IGSID
	case capi.FieldInstagramBusinessAccountID:
		return nil, &u.InstagramBusinessAccountID
	case capi.FieldWhatsAppBusinessAccountID:
		return nil, &u.WhatsAppBusinessAccountID
	case capi.FieldPartnerID:
		return nil, &u.PartnerID
	case capi.FieldPartnerName:
		return nil, &u.PartnerName
	}
	return nil, nil
}
