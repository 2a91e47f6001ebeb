package graphtool

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
)

// instagramPublishing is how Instagram's containers are called
// (instagram-platform/content-publishing).
var instagramPublishing = publishing{
	User: "ig_account_id", On: "IGUser", Make: "media", Publish: "media_publish", Container: "IGContainer", Media: "IGMedia",
	Status: "status_code", Reason: "status", Show: "id,permalink,media_type,media_product_type,timestamp",
	Resume: "meta_publish_instagram_container",
	Advice: map[string]string{
		"2207003": "Meta's download timed out: serve the file faster, or smaller, and publish again.",
		"2207026": "The video's format isn't taken: MP4 or MOV, H.264 or HEVC, AAC sound, 23 to 60 frames a second, at most 300 MB.",
		"2207052": "Meta could not fetch the address: it must answer with the file itself, over https, to anybody.",
		"2207053": "The upload failed at Meta's side: publish again from the start.",
		"2207050": "The account is restricted: a person has to sign in to the Instagram app and do what it asks.",
	},
}

// instagramPost publishes on Instagram. It is a containerFlow that refuses first what
// Meta would refuse after the upload, and what it would not do at all.
type instagramPost struct {
	containerFlow
	// Media names the argument with the address of a picture or video, and Type the one
	// that says which of both it is; empty where the argument is the parameter.
	Media, Type string
	// File names the argument with a local video, which is uploaded in place of an address.
	File string
}

// Calls documents the course.
func (f instagramPost) Calls() []tool.Call {
	list := f.containerFlow.Calls()
	if f.File != "" {
		list = append(list, tool.Call{Verb: "POST", On: "IGContainer", Edge: "ig-api-upload", Note: "the bytes of a local file, on the upload host"})
	}
	return list
}

// Run publishes, or with publish=false stops at the container.
func (f instagramPost) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	if err := instagramRules(e); err != nil {
		return nil, err
	}
	flow := f.containerFlow
	flow.Fixed = maps.Clone(f.Fixed)
	if f.Media != "" {
		name := "image_url"
		if e.Args.Str(f.Type) == "VIDEO" {
			name = "video_url"
		}
		flow.Fixed[name] = e.Args.Str(f.Media)
	}
	if n := len(e.Args.List(f.Items)) + len(e.Args.List(f.Children)); f.Items != "" && (n < 2 || n > 10) {
		return nil, tool.Bad(f.Items, fmt.Sprintf("with %s there are %d", f.Children, n), "a carousel has 2 to 10 parts")
	}
	if f.File != "" && e.Args.Has(f.File) {
		file, err := e.Open(f.File, strings.Fields(videoTypes)...)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		flow.Fixed["upload_type"] = "resumable"
		flow.Upload = func(ctx context.Context, e *tool.Env, container string, _ map[string]any) error {
			_, err := e.Upload(ctx, tool.Target{On: "IGContainer", ID: container, Edge: "ig-api-upload"}, "", file)
			return err
		}
	}
	flow.Stop = !e.Args.Bool("publish")
	answer, err := flow.Run(ctx, e)
	if made, ok := answerData(answer); err == nil && flow.Stop && ok {
		made["container_id"] = made["id"]
		delete(made, "id")
		e.Notice("Nothing is published yet: meta_publish_instagram_container publishes this container within 24 hours.")
	}
	return answer, err
}

func answerData(a *tool.Answer) (map[string]any, bool) {
	if a == nil {
		return nil, false
	}
	m, ok := a.Data.(map[string]any)
	return m, ok
}

// Words that Instagram counts in a caption.
var (
	captionTag     = regexp.MustCompile(`(?:^|[^\p{L}\p{N}_&])#[\p{L}\p{N}_]+`)
	captionMention = regexp.MustCompile(`(?:^|[^\p{L}\p{N}_.])@[A-Za-z0-9_.]+`)
)

// instagramRules are the bounds of a post that Meta checks late, or not at all.
func instagramRules(e *tool.Env) error {
	if e.Args.Has("scheduled_publish_time") {
		return fault.New(fault.Unsupported, "scheduled_publish_time: Meta's API can't schedule Instagram posts; publishing takes the container and nothing else").
			WithFix("Leave it out to publish now. Or make the container with publish=false, and call meta_publish_instagram_container at the time, within 24 hours.")
	}
	caption := e.Args.Str("caption")
	if n := len(captionTag.FindAllString(caption, -1)); n > 30 {
		return tool.Bad("caption", fmt.Sprintf("it has %d hashtags", n), "Instagram takes 30")
	}
	if n := len(captionMention.FindAllString(caption, -1)); n > 20 {
		return tool.Bad("caption", fmt.Sprintf("it mentions %d accounts", n), "Instagram takes 20")
	}
	return nil
}

// instagramPart is one part of a carousel as the parameters of its container.
func instagramPart(item map[string]any) (map[string]any, error) {
	form := map[string]any{"is_carousel_item": true}
	address, _ := item["url"].(string)
	switch item["type"] {
	case "VIDEO":
		if _, has := item["alt_text"]; has {
			return nil, tool.Bad("items.alt_text", "a video has none", "leave it out for items of type VIDEO")
		}
		form["media_type"] = "VIDEO"
		form["video_url"] = address
	default:
		form["image_url"] = address
	}
	for _, name := range []string{"alt_text", "user_tags", "product_tags"} {
		if v, ok := item[name]; ok {
			form[name] = v
		}
	}
	return form, nil
}
