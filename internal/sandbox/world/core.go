package world

import (
	"strconv"
	"strings"
)

// The documented ids (rulings 36). Each part adds fields and objects to them in its own
// seed.
const (
	BusinessID   = "2000000000000001"
	AdAccountID  = "act_3000000000000001"
	PageID       = "4000000000000001"
	InstagramID  = "5000000000000001"
	ThreadsID    = "6000000000000001"
	CatalogID    = "7000000000000001"
	DatasetID    = "1000000000000001"
	AppID        = "8000000000000001"
	SystemUserID = "9000000000000001"
)

// seedCore makes the documented objects, with what every part needs of them.
func seedCore(w *World) {
	user := w.AddAs(SystemUserID, "User", nil, Attrs{"name": "Sandbox system user"})
	business := w.AddAs(BusinessID, "Business", nil, Attrs{
		"name": "Sandbox business", "primary_page": Ref(PageID), "verification_status": "verified", "timezone_id": 1,
	})
	page := w.AddAs(PageID, "Page", nil, Attrs{
		"name": "Sandbox shop", "category": "Retail company", "link": "https://www.facebook.com/" + PageID,
		"instagram_business_account": Ref(InstagramID), "business": Ref(BusinessID),
		"tasks": []any{"ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE"},
	})
	account := w.AddAs(AdAccountID, "AdAccount", business, Attrs{
		"account_id": strings.TrimPrefix(AdAccountID, "act_"), "name": "Sandbox ad account", "account_status": 1, "currency": "GBP",
		"timezone_name": "Europe/London", "business": Ref(BusinessID), "balance": "0", "amount_spent": "0", "spend_cap": "0",
	})
	w.AddAs(InstagramID, "IGUser", page, Attrs{"name": "Sandbox shop", "username": "sandbox_shop"})
	w.AddAs(ThreadsID, "ThreadsUser", nil, Attrs{"name": "Sandbox shop", "username": "sandbox_shop"})
	w.AddAs(CatalogID, "ProductCatalog", business, Attrs{"name": "Sandbox catalog", "business": Ref(BusinessID), "vertical": "commerce"})
	w.AddAs(AppID, "Application", nil, Attrs{"name": "Sandbox app", "link": "https://example.com/", "namespace": "sandbox"})
	w.Link(user, "accounts", page)
	w.Link(user, "adaccounts", account)
	w.Link(user, "businesses", business)
	w.Link(business, "owned_pages", page)
	w.Link(business, "owned_ad_accounts", account)
}

var coreFields = map[string]fieldOf{
	// The token of a Page comes only to who works for it.
	"Page.access_token": func(c *Call, o *Object) any {
		if c.Token == nil || c.Token.PageToken == nil {
			return nil
		}
		if text := c.Token.PageToken(o.ID); text != "" {
			return text
		}
		return nil
	},
}

var coreBehaviours = map[string]Behaviour{
	"POST Application.uploads": startUpload,
	"POST UploadSession.":      continueUpload,
}

// startUpload opens a resumable upload (graph-api/guides/upload).
func startUpload(c *Call) (any, *Error) {
	size, err := c.Int("file_length", 0)
	if err != nil {
		return nil, err
	}
	if kind := c.Param("file_type"); kind != "" && !strings.Contains(" application/pdf image/jpeg image/jpg image/png video/mp4 ", " "+kind+" ") {
		return nil, Bad("Param file_type must be one of {application/pdf, image/jpeg, image/jpg, image/png, video/mp4}")
	}
	o := c.World.AddAs("upload:"+c.World.NextID(), "UploadSession", c.On, Attrs{
		"file_name": c.Param("file_name"), "file_type": c.Param("file_type"), "file_length": size, "file_offset": int64(0),
	})
	return ID(o), nil
}

// continueUpload takes bytes from file_offset on, and gives the handle once all of them
// are there.
func continueUpload(c *Call) (any, *Error) {
	have, _ := c.On.Attrs["file_offset"].(int64)
	offset, bad := strconv.ParseInt(c.Header["file_offset"], 10, 64)
	if bad != nil || offset != have {
		return nil, Fail("upload_offset", "have", strconv.FormatInt(have, 10))
	}
	have += int64(len(c.Files[""]))
	c.On.Attrs["file_offset"] = have
	if size, _ := c.On.Attrs["file_length"].(int64); size > 0 && have < size {
		return map[string]any{"id": c.On.ID, "file_offset": have}, nil
	}
	handle := "handle:" + strings.TrimPrefix(c.On.ID, "upload:")
	c.On.Attrs["h"] = handle
	return map[string]any{"h": handle}, nil
}

// Uploaded reports whether a handle is of a finished upload, and its session.
func (w *World) Uploaded(handle string) *Object {
	o := w.Get("upload:" + strings.TrimPrefix(handle, "handle:"))
	if o == nil || o.Str("h") != handle {
		return nil
	}
	return o
}

// Receive takes what the upload host is sent for the object: a file_url, or bytes with
// offset and file_size. whole says that all of it is there.
func (c *Call) Receive() (whole bool, refused *Error) {
	if address := c.Header["file_url"]; address != "" {
		c.On.Attrs["received_from"] = address
		return true, nil
	}
	have, _ := c.On.Attrs["received"].(int64)
	size, err := strconv.ParseInt(c.Header["file_size"], 10, 64)
	if err != nil || size < 1 {
		return false, Bad("The header file_size is required")
	}
	if offset, err := strconv.ParseInt(c.Header["offset"], 10, 64); err != nil || offset != have {
		return false, Fail("upload_offset", "have", strconv.FormatInt(have, 10))
	}
	have += int64(len(c.Files[""]))
	c.On.Attrs["received"] = have
	if have > size {
		return false, Bad("The body is longer than file_size")
	}
	return have == size, nil
}
