package graphtool

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
)

// publishing is how one platform publishes through containers: a container is made
// from the media and the text, Meta takes the media in, and a last call publishes it.
// Threads and Instagram differ in names only.
type publishing struct {
	User      string // argument that names the account
	On        string // its node type
	Make      string // edge that makes containers
	Publish   string // edge that publishes one
	Container string // node type of a container
	Media     string // node type of what gets published
	Status    string // field with IN_PROGRESS, FINISHED, PUBLISHED, ERROR or EXPIRED
	Reason    string // field that says why
	Show      string // fields that are read of what was published
	Resume    string // tool that carries on with a container
	// Advice is what to do about a reason, by a text that the reason holds.
	Advice map[string]string
}

// containerFlow publishes one post. To use it:
//
//   - a post: containerFlow{publishing: threadsPublishing, Fixed: map[string]string{"media_type": "IMAGE"}};
//     every argument that is not Local goes into the container;
//   - a carousel: Items names the argument with the list, Item makes the parameters of
//     one child; the children are made in the order of the list. Children names an
//     argument with children that exist, which come before those of Items;
//   - Adjust changes the parameters of the container before it is made;
//   - Upload puts bytes into a container that was made for them (or into a child);
//   - From names the argument with a container that exists: wait and publish only;
//   - Stop ends with the container, nothing is published;
//   - Auto names the boolean argument that lets Meta publish with the first call.
//
// The answer is what Show lists of the post, with container_id, and child_container_ids
// of a carousel. Where Meta needs longer than patience, the fault not_ready names the
// container and the tool Resume. A container that fails is a fault with Meta's reason;
// nothing was published then, and the fault says which containers exist.
type containerFlow struct {
	publishing
	Fixed    map[string]string
	Items    string
	Item     func(item map[string]any) (map[string]any, error)
	Children string
	Adjust   func(e *tool.Env, form map[string]any) error
	Upload   func(ctx context.Context, e *tool.Env, container string, item map[string]any) error
	From     string
	Stop     bool
	Auto     string
	PageOf   string // argument that names the Page, where its token is used
}

// Calls documents the course.
func (f containerFlow) Calls() []tool.Call {
	var list []tool.Call
	if f.From == "" {
		if f.Items != "" {
			list = append(list, tool.Call{Verb: "POST", On: f.On, Edge: f.Make, Note: "one per item"})
		}
		note := "makes the container"
		if f.Auto != "" {
			note += "; with " + f.Auto + " it is published with this call"
		}
		list = append(list, tool.Call{Verb: "POST", On: f.On, Edge: f.Make, Note: note})
	}
	if f.Stop {
		return list
	}
	return append(list,
		tool.Call{Verb: "GET", On: f.Container, Note: "until it is FINISHED, for up to 5 minutes"},
		tool.Call{Verb: "POST", On: f.On, Edge: f.Publish},
		tool.Call{Verb: "GET", On: f.Media, Note: "address of the post"})
}

// Run publishes.
func (f containerFlow) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	r := &containerRun{containerFlow: f, env: e, user: e.Args.Str(f.User), page: e.Args.Str(f.PageOf)}
	container, published, err := r.container(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case published:
		return r.answer(ctx, container, ""), nil
	case f.Stop:
		return &tool.Answer{Data: r.tell(map[string]any{"id": container})}, nil
	}
	if err := r.await(ctx, container); err != nil {
		return nil, r.explain(err)
	}
	id, err := r.publish(ctx, container)
	if err != nil {
		return nil, r.explain(err)
	}
	return r.answer(ctx, id, container), nil
}

// containerRun is one run of a containerFlow.
type containerRun struct {
	containerFlow
	env        *tool.Env
	user, page string
	made       []string // children, in order
	child      bool     // what is waited for is one of them
	waited     time.Duration
}

func (r *containerRun) at(verb, on, id, edge string) tool.Target {
	return tool.Target{Verb: verb, On: on, ID: id, Edge: edge, Page: r.page}
}

// container makes the container, or takes the one that was named. published says that
// Meta published with the same call, and that the id is the post's.
func (r *containerRun) container(ctx context.Context) (id string, published bool, err error) {
	if r.From != "" {
		return r.env.Args.Str(r.From), false, nil
	}
	form, err := r.env.Params(r.User, r.PageOf, r.Items, r.Children)
	if err != nil {
		return "", false, err
	}
	for name, value := range r.Fixed {
		form[name] = value
	}
	if r.Adjust != nil {
		if err := r.Adjust(r.env, form); err != nil {
			return "", false, err
		}
	}
	if r.Items != "" {
		if err := r.children(ctx); err != nil {
			return "", false, err
		}
		form["children"] = strings.Join(r.made, ",")
	}
	published = r.Auto != "" && r.env.Args.Bool(r.Auto)
	if id, err = r.make(ctx, form, !published); err != nil {
		if f, ok := fault.As(err); ok && f.Code == fault.CallUnknown && published {
			with := *f
			err = (&with).WithFix("Look at the account's newest posts before you publish again: it may have been published.")
		}
		return "", false, r.explain(err)
	}
	if r.Upload != nil && r.Items == "" {
		if err := r.Upload(ctx, r.env, id, nil); err != nil {
			return "", false, r.explain(named(err, "container_id", id))
		}
	}
	return id, published, nil
}

// children makes the containers of a carousel's items, in order, and waits until each is
// ready: a parent that is made before that fails.
func (r *containerRun) children(ctx context.Context) error {
	items := r.env.Args.List(r.Items)
	r.made = r.env.Args.Strings(r.Children)
	r.child = true
	defer func() { r.child = false }()
	for i, v := range items {
		item, _ := v.(map[string]any)
		form, err := r.Item(item)
		if err != nil {
			return err
		}
		r.env.Progress(float64(i), float64(len(items)), fmt.Sprintf("item %d of %d", i+1, len(items)))
		id, err := r.make(ctx, form, true)
		if err == nil {
			r.made = append(r.made, id)
			if r.Upload != nil {
				err = r.Upload(ctx, r.env, id, item)
			}
		}
		if err != nil {
			return r.explain(prefixed(err, "item %d of %d: ", i+1, len(items)))
		}
	}
	for i, id := range r.made {
		if err := r.await(ctx, id); err != nil {
			return r.explain(prefixed(err, "item %d of %d: ", i+1, len(r.made)))
		}
	}
	return nil
}

// make makes one container. Doing it twice leaves a container that expires, and no post.
func (r *containerRun) make(ctx context.Context, form map[string]any, repeat bool) (string, error) {
	at := r.at("POST", r.On, r.user, r.Make)
	at.Repeat = repeat
	answer, err := r.env.Ask(ctx, at, form)
	if err != nil {
		return "", err
	}
	id := text(answer, "id")
	if id == "" {
		return "", fault.New(fault.MetaRefused, "Meta made no container: the answer has no id")
	}
	return id, nil
}

// answer reads what was published. It is published whether or not that works.
func (r *containerRun) answer(ctx context.Context, id, container string) *tool.Answer {
	data := map[string]any{"id": id}
	read, err := r.env.Ask(ctx, r.at("GET", r.Media, id, ""), map[string]any{"fields": r.Show})
	if err != nil {
		r.env.Notice("It is published; its address could not be read just now.")
	}
	maps.Copy(data, read)
	if container != "" {
		data["container_id"] = container
	}
	return &tool.Answer{Data: r.tell(data)}
}

func (r *containerRun) tell(data map[string]any) map[string]any {
	if len(r.made) > 0 {
		list := make([]any, 0, len(r.made))
		for _, id := range r.made {
			list = append(list, id)
		}
		data["child_container_ids"] = list
	}
	return data
}

// explain adds to a failure which children were made before it, so that the next call
// can go on with them.
func (r *containerRun) explain(err error) error {
	f, ok := fault.As(err)
	if len(r.made) == 0 || !ok || f.Details["child_container_ids"] != nil {
		return err
	}
	if f.Code == fault.DoneAlready || f.Code == fault.CallUnknown {
		return err // it was published, or may have been: its parts are of no more use
	}
	with := *f
	with.Message += fmt.Sprintf("; nothing was published, child_container_ids made so far: %s", strings.Join(r.made, ", "))
	return named(&with, "child_container_ids", r.made)
}

// named adds a detail to a fault.
func named(err error, key string, value any) error {
	if f, ok := fault.As(err); ok {
		with := *f
		with.Details = maps.Clone(f.Details)
		return (&with).With(key, value)
	}
	return err
}

// prefixed puts words before a fault's message.
func prefixed(err error, format string, args ...any) error {
	if f, ok := fault.As(err); ok {
		with := *f
		with.Message = fmt.Sprintf(format, args...) + f.Message
		return &with
	}
	return err
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
