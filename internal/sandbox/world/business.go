package world

var businessBehaviours = map[string]Behaviour{}

var businessFields = map[string]fieldOf{}

// seedBusiness adds what the business owns and who works there. The documented objects
// are those of seedCore.
func seedBusiness(w *World) {
	b := w.Get(BusinessID)
	b.Attrs["vertical"], b.Attrs["link"] = "RETAIL", "https://example.com/"
	for edge, ids := range map[string][]string{
		"owned_pages": {PageID}, "owned_ad_accounts": {AdAccountID}, "owned_instagram_accounts": {InstagramID}, "owned_product_catalogs": {CatalogID},
	} {
		for _, id := range ids {
			w.Link(b, edge, w.Get(id))
		}
	}
	for _, u := range []struct{ id, name, role, title, twoFactor string }{
		{"2100000000000001", "Colleague One", "ADMIN", "Owner", "mandatory"},
		{"2100000000000002", "Colleague Two", "EMPLOYEE", "Marketing", "not_set"},
	} {
		w.Link(b, "business_users", w.AddAs(u.id, "BusinessUser", b, Attrs{
			"name": u.name, "role": u.role, "title": u.title, "two_fac_status": u.twoFactor, "business": Ref(b.ID),
			"email": u.id + "@example.com",
		}))
	}
	w.Link(b, "system_users", w.AddAs("2200000000000001", "SystemUser", b, Attrs{"name": "Sandbox integration", "created_by": Ref(SystemUserID)}))
}
