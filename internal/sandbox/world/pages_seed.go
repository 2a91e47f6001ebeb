package world

import (
	"fmt"
	"time"
)

// visitor is the id of the n-th person who knows the Page.
func visitor(n int) string { return fmt.Sprintf("40100000000%05d", n) }

var customers = []string{"One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"}

// ago makes an object older.
func (o *Object) ago(d time.Duration) *Object { o.Made = o.Made.Add(-d); return o }

func seedPages(w *World) {
	page := w.AddAs(PageID, "Page", nil, Attrs{
		"about": "Tea, cups and everything for a break", "description": "A small invented shop that sells tea and cups.",
		"fan_count": 1240, "followers_count": 1312, "website": "https://example.com/shop", "phone": "+442079460000",
		"emails": []any{"shop@example.com"}, "username": "sandboxshop", "verification_status": "not_verified", "is_published": true,
		"category_list": []any{map[string]any{"id": "2200", "name": "Retail company"}}, "single_line_address": "1 Example Street, London",
		"location":            map[string]any{"street": "1 Example Street", "city": "London", "country": "United Kingdom", "zip": "EC1A 1AA", "latitude": 51.5, "longitude": -0.1},
		"hours":               map[string]any{"mon_1_open": "09:00", "mon_1_close": "17:00", "tue_1_open": "09:00", "tue_1_close": "17:00"},
		"overall_star_rating": 4.5, "rating_count": 2, "talking_about_count": 37, "were_here_count": 12, "new_like_count": 3,
		"tasks": []any{"ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MANAGE", "MESSAGING", "MODERATE"}, "promotion_eligible": true,
		"connected_instagram_account": Ref(InstagramID), "subscribed_fields": []string{"feed"}, "temporary_status": "OPERATING_AS_USUAL",
	})
	for i, name := range customers {
		w.AddAs(visitor(i+1), "Profile", nil, Attrs{"name": "Customer " + name, "link": "https://www.facebook.com/" + visitor(i+1), "profile_type": "user"})
	}
	w.Link(page, "blocked", w.Get(visitor(9)))
	seedPageAlbums(w, page)
	seedPagePosts(w, page)
	seedPageVideos(w, page)
	seedPageParts(w, page)
}

func seedPageAlbums(w *World, page *Object) {
	for i, a := range []struct{ name, kind string }{{"Timeline photos", "wall"}, {"Profile pictures", "profile"}, {"Cups of the year", "normal"}} {
		album := w.AddAs(fmt.Sprintf("46000000000%05d", i+1), "Album", page, Attrs{"name": a.name, "type": a.kind, "description": "", "from": Ref(page.ID), "privacy": "everyone"})
		w.Link(page, "albums", album.ago(200*24*time.Hour))
	}
	for i, p := range []struct{ album, caption string }{
		{profileAlbum, ""}, {"4600000000000003", "A blue cup"}, {"4600000000000003", "A cup with dots"}, {timelineAlbum, "The new oolong"},
	} {
		id := fmt.Sprintf("44000000000%05d", i+1)
		w.addPhoto(id, page, p.album, "https://scontent.example.com/"+id+".jpg", p.caption).ago(time.Duration(90-i) * 24 * time.Hour)
	}
	tagged := w.addPhoto("4400000000000005", page, "", "https://scontent.example.com/4400000000000005.jpg", "My favourite shop").ago(20 * 24 * time.Hour)
	tagged.Attrs["elsewhere"], tagged.Attrs["from"] = true, Ref(visitor(4))
	delete(tagged.Attrs, "album")
}

// seedPost adds a post with a documented id.
func seedPost(w *World, page *Object, n int, age time.Duration, from string, attrs Attrs) *Object {
	attrs["from"] = Ref(from)
	post := w.AddAs(fmt.Sprintf("%s_41000000000%05d", page.ID, n), "PagePost", page, attrs)
	w.Link(page, "feed", post)
	return post.ago(age)
}

func seedPagePosts(w *World, page *Object) {
	const day = 24 * time.Hour
	seedPost(w, page, 5, 30*day, visitor(5), Attrs{"message": "Do you ship to Ireland?", "status_type": "wall_post"})
	seedPost(w, page, 4, 21*day, visitor(3), Attrs{"message": "Lovely shop, thank you!", "status_type": "wall_post"})
	seedPost(w, page, 6, 14*day, visitor(4), Attrs{"message": "Having tea with Sandbox shop", "status_type": "mobile_status_update", "elsewhere": true})
	seedPost(w, page, 3, 10*day, page.ID, Attrs{"message": "We are open on Saturday as well.", "status_type": "mobile_status_update", "by_app": true})
	photo := w.Get("4400000000000004")
	seedPost(w, page, 2, 5*day, page.ID, Attrs{
		"message": "The new oolong is here.", "status_type": "added_photos", "by_app": true, "full_picture": photo.Attrs["source"],
		"attachments": []map[string]any{photoAttachment(photo)}, "shares": map[string]any{"count": 1},
	})
	first := seedPost(w, page, 1, 2*day, page.ID, Attrs{
		"message": "How do you like your tea?", "status_type": "shared_story", "by_app": true, "shares": map[string]any{"count": 2},
		"attachments": []map[string]any{{"title": "Tea, a short guide", "description": "From leaf to cup", "type": "share", "url": "https://example.com/tea"}},
	})
	for i, kind := range []string{"LIKE", "LIKE", "LOVE", "WOW"} {
		w.react(first, w.Get(visitor(i+1)), kind)
	}
	comment := func(n int, age time.Duration, on *Object, from, text string) *Object {
		return w.addComment(fmt.Sprintf("%s_42000000000%05d", page.ID, n), on, from, text).ago(age)
	}
	one := comment(1, 40*time.Hour, first, visitor(1), "With milk, please")
	comment(3, 30*time.Hour, one, page.ID, "A classic!")
	comment(2, 20*time.Hour, first, visitor(2), "Green, and not too hot")
	w.react(one, w.Get(visitor(2)), "LIKE")
}

func seedPageVideos(w *World, page *Object) {
	video := w.addVideo("4500000000000001", page, "How to pour", "Slowly, from high up").ago(40 * 24 * time.Hour)
	for name, v := range map[string]any{
		"uploaded": video.Made, "finished": video.Made, "processed": video.Made, "publish_time": video.Made, "state": "PUBLISHED", "unpublished": false, "views": 812, "bytes": 4 << 20,
	} {
		video.Attrs[name] = v
	}
	w.addLive("4510000000000002", page, Attrs{"title": "Opening day", "status": "VOD", "from": Ref(page.ID), "live_views": 0, "total_views": "95"}).ago(60 * 24 * time.Hour)
	w.addLive("4510000000000001", page, Attrs{
		"title": "Christmas tasting", "status": "SCHEDULED_UNPUBLISHED", "from": Ref(page.ID), "live_views": 0, "planned_start_time": w.Now().Add(20 * 24 * time.Hour).UTC(),
	})
}

func seedPageParts(w *World, page *Object) {
	const day = 24 * time.Hour
	add := func(edge, id, kind string, attrs Attrs) *Object {
		o := w.AddAs(id, kind, page, attrs)
		w.Link(page, edge, o)
		return o
	}
	place := map[string]any{"name": "Sandbox shop", "location": page.Attrs["location"]}
	for i, e := range []struct {
		name string
		in   time.Duration
	}{{"Opening party", -60 * day}, {"Tea tasting", 20 * day}} {
		id := fmt.Sprintf("45200000000%05d", i+1)
		add("events", id, "Event", Attrs{
			"name": e.name, "description": "Come and drink tea with us.", "start_time": w.Now().Add(e.in).UTC(), "end_time": w.Now().Add(e.in + 2*time.Hour).UTC(),
			"place": place, "attending_count": 14, "interested_count": 52, "is_canceled": false, "timezone": "Europe/London",
		})
	}
	add("ratings", "4530000000000001", "Recommendation", Attrs{
		"reviewer": Ref(visitor(6)), "rating": 4, "has_rating": true, "review_text": "Good tea, small shop", "has_review": true,
	}).ago(700 * day)
	add("ratings", "4530000000000002", "Recommendation", Attrs{
		"reviewer": Ref(visitor(7)), "recommendation_type": "positive", "has_rating": false, "review_text": "The best cups in town", "has_review": true,
	}).ago(25 * day)
	for i, name := range []string{"Videos", "Photos", "About"} {
		add("tabs", fmt.Sprintf("%s_tab_%d", page.ID, i+1), "Tab", Attrs{
			"name": name, "position": 3 - i, "is_permanent": name == "About", "is_non_connection_landing_tab": false, "link": "https://www.facebook.com/" + page.ID,
		})
	}
	add("call_to_actions", "4540000000000001", "PageCallToAction", Attrs{"type": "SHOP_NOW", "status": "ACTIVE", "web_url": "https://example.com/shop", "web_destination_type": "WEBSITE"})
	for i, town := range []string{"Leeds", "Bath"} {
		add("locations", fmt.Sprintf("40000000000000%02d", 12-i), "Page", Attrs{
			"name": "Sandbox shop " + town, "store_number": 2 - i, "category": "Retail company", "is_permanently_closed": false,
			"location": map[string]any{"street": "2 Example Road", "city": town, "country": "United Kingdom", "zip": "EX1 1PL", "latitude": 53.8, "longitude": -1.5},
		})
	}
}
