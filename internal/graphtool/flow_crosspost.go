package graphtool

import (
	"context"

	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
)

// crossFlow publishes the same on a Page and on the Instagram account beside it. What
// fails most often comes first, while nothing is public yet: Instagram takes the medium
// in, then the Page publishes, then Instagram.
type crossFlow struct{}

var crossReel = videoFlow{Edge: "video_reels", Address: "video_url", Page: "page_id", Takes: map[string]string{"message": "description"}}

// Calls documents the course.
func (crossFlow) Calls() []tool.Call {
	list := []tool.Call{
		{Verb: "POST", On: "IGUser", Edge: "media", Note: "with a picture or video"},
		{Verb: "GET", On: "IGContainer", Note: "until it is FINISHED, for up to 5 minutes"},
		{Verb: "POST", On: "Page", Edge: "photos", Note: "with a picture"},
		{Verb: "POST", On: "Page", Edge: "feed", Note: "of text alone"},
	}
	list = append(list, crossReel.Calls()...)
	return append(list,
		tool.Call{Verb: "POST", On: "IGUser", Edge: "media_publish"},
		tool.Call{Verb: "GET", On: "IGMedia", Note: "address of the post"})
}

// Run publishes on both.
func (crossFlow) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	ig := &containerRun{containerFlow: containerFlow{publishing: instagramPublishing}, env: e, user: e.Args.Str("ig_account_id")}
	container, err := crossContainer(ctx, e, ig)
	if err != nil {
		err = prefixed(err, "nothing was published; Instagram: ")
		if late, ok := fault.As(err); ok && late.Code == fault.NotReady {
			return nil, late.WithFix("In some minutes publish the container with meta_publish_instagram_container, and on the Page with meta_create_photo_post or meta_publish_page_reel.")
		}
		return nil, err
	}
	page, err := crossPage(ctx, e)
	if err != nil {
		return nil, crossStopped(err, container)
	}
	if container == "" {
		e.Notice("Instagram has no posts of text alone: it was published on the Page only. Give image_url or video_url for both.")
		return &tool.Answer{Data: map[string]any{"page": page, "instagram": map[string]any{"status": "skipped"}}}, nil
	}
	id, err := ig.publish(ctx, container)
	if fault.CodeOf(err) == fault.DoneAlready && err != nil {
		e.Notice("Instagram published it, although no answer came: it is among the account's newest posts.")
		return &tool.Answer{Data: map[string]any{"page": page, "instagram": map[string]any{"status": "published", "container_id": container}}}, nil
	}
	if err != nil {
		where := "it is on the Page (%s) but not on Instagram: "
		if fault.CodeOf(err) == fault.CallUnknown {
			where = "it is on the Page (%s); whether on Instagram is not known: "
		}
		err = named(named(prefixed(err, where, text(page, "id")), "page_post_id", text(page, "id")), "container_id", container)
		if f, ok := fault.As(err); ok {
			return nil, f.WithFix("Don't post again: call meta_publish_instagram_container with creation_id %s within 24 hours.", container)
		}
		return nil, err
	}
	posted, _ := ig.answer(ctx, id, container).Data.(map[string]any)
	posted["status"] = "published"
	return &tool.Answer{Data: map[string]any{"page": page, "instagram": posted}}, nil
}

// crossStopped is the fault where the Page's part did not go through, or may have: then
// nobody should begin again without a look.
func crossStopped(err error, container string) error {
	f, ok := fault.As(err)
	if !ok || f.Code != fault.CallUnknown {
		return named(prefixed(err, "nothing was published; Page: "), "container_id", container)
	}
	with := *f
	if container == "" {
		return prefixed((&with).WithFix("Look whether it is there (meta_get_published_posts) before you post it again."), "it may be on the Page: ")
	}
	with.Fix = "Look whether it is on the Page (meta_get_published_posts; a reel: meta_get_page_videos) before you post it there again. " +
		"For Instagram call meta_publish_instagram_container with container " + container + " within 24 hours."
	return named(prefixed(&with, "it may be on the Page, and is not on Instagram: "), "container_id", container)
}

// crossContainer makes Instagram's container and waits until it is finished.
func crossContainer(ctx context.Context, e *tool.Env, ig *containerRun) (string, error) {
	form := map[string]any{"caption": e.Args.Str("message")}
	switch {
	case e.Args.Has("image_url"):
		form["image_url"] = e.Args.Str("image_url")
	case e.Args.Has("video_url"):
		form["video_url"], form["media_type"], form["share_to_feed"] = e.Args.Str("video_url"), "REELS", true
	default:
		return "", nil
	}
	e.Progress(0, 3, "Instagram is taking in the medium")
	id, err := ig.make(ctx, form, true)
	if err != nil {
		return "", err
	}
	return id, ig.await(ctx, id)
}

// crossPage publishes on the Page. A reel that Meta is still processing counts as done:
// it will be published without anybody's doing.
func crossPage(ctx context.Context, e *tool.Env) (map[string]any, error) {
	e.Progress(1, 3, "publishing on the Page")
	page := e.Args.Str("page_id")
	if e.Args.Has("video_url") {
		data, err := crossReel.publish(ctx, e)
		if f, ok := fault.As(err); ok && f.Code == fault.NotReady {
			e.Notice("Meta is still processing the Page's reel; it will be published when that is done. Look at it with meta_get_page_video.")
			return map[string]any{"status": "processing", "id": f.Details["video_id"]}, nil
		}
		if err != nil {
			return nil, err
		}
		data["status"] = "published"
		return data, nil
	}
	target, params := tool.Target{Verb: "POST", On: "Page", ID: page, Edge: "feed"}, map[string]any{"message": e.Args.Str("message")}
	if e.Args.Has("image_url") {
		target.Edge, params["url"] = "photos", e.Args.Str("image_url")
	}
	made, err := e.Ask(ctx, target, params)
	if err != nil {
		return nil, err
	}
	return map[string]any{"status": "published", "id": orElse(text(made, "post_id"), text(made, "id"))}, nil
}
