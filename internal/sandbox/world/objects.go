package world

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// World is the objects and their edges. It is not safe for concurrent use.
type World struct {
	objects map[string]*Object
	edges   map[edgeKey][]string
	next    int64
	now     func() time.Time
	planned []plan

	behaviours map[string]Behaviour
	fields     map[string]fieldOf

	// Computed works out fields of datasets, whose events the sandbox keeps; nil: none.
	Computed func(o *Object, name string) any
}

type edgeKey struct{ from, edge string }

// New makes the documented world.
func New(now func() time.Time) *World {
	w := &World{objects: map[string]*Object{}, edges: map[edgeKey][]string{}, next: seedID, now: now, behaviours: allBehaviours(), fields: allFields()}
	for _, seed := range seeds() {
		seed(w)
	}
	w.next = firstID
	return w
}

// firstID is the id of the first object that a request makes, whatever the seeds made.
// Those of the seeds without a documented id begin at seedID.
const (
	firstID = 120_000_000_000_001
	seedID  = 110_000_000_000_001
)

// Now is the sandbox's clock.
func (w *World) Now() time.Time { return w.now() }

// Get finds an object, nil when there is none.
func (w *World) Get(id string) *Object { return w.objects[id] }

// Add makes an object with the next id.
func (w *World) Add(kind string, owner *Object, attrs Attrs) *Object {
	id := strconv.FormatInt(w.next, 10)
	w.next++
	return w.AddAs(id, kind, owner, attrs)
}

// AddAs makes an object with an id of its own, as composites (Page_post) and seeds need.
// Where it exists already, as the documented objects of seedCore do, it gets further
// fields.
func (w *World) AddAs(id, kind string, owner *Object, attrs Attrs) *Object {
	o := w.objects[id]
	if o == nil || o.Kind != kind {
		o = &Object{ID: id, Kind: kind, Attrs: Attrs{}, Made: w.Now()}
	}
	maps.Copy(o.Attrs, attrs)
	if owner != nil {
		o.Owner = owner.ID
	}
	w.objects[id] = o
	return o
}

// NextID takes the next number, for composite ids.
func (w *World) NextID() string {
	id := strconv.FormatInt(w.next, 10)
	w.next++
	return id
}

// Link puts an object on an edge of another, once, newest last.
func (w *World) Link(from *Object, edge string, to *Object) {
	k := edgeKey{from.ID, edge}
	if !slices.Contains(w.edges[k], to.ID) {
		w.edges[k] = append(w.edges[k], to.ID)
	}
}

// Unlink takes it off.
func (w *World) Unlink(from *Object, edge string, to *Object) bool {
	k := edgeKey{from.ID, edge}
	i := slices.Index(w.edges[k], to.ID)
	if i < 0 {
		return false
	}
	w.edges[k] = slices.Delete(w.edges[k], i, i+1)
	return true
}

// Linked are the objects of an edge, newest first as most edges list them.
func (w *World) Linked(from *Object, edge string) []*Object {
	var list []*Object
	for _, id := range slices.Backward(w.edges[edgeKey{from.ID, edge}]) {
		if o := w.objects[id]; o != nil {
			list = append(list, o)
		}
	}
	return list
}

// Remove takes an object out of the world, and off every edge.
func (w *World) Remove(o *Object) {
	delete(w.objects, o.ID)
	maps.DeleteFunc(w.edges, func(k edgeKey, _ []string) bool { return k.from == o.ID })
}

// All are the objects of a kind, by id.
func (w *World) All(kind string) []*Object {
	var list []*Object
	for _, o := range w.objects {
		if o.Kind == kind {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b *Object) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// Above finds the nearest owner of a kind, the object itself included; nil without one.
func (w *World) Above(o *Object, kind string) *Object {
	for range 16 {
		if o == nil || o.Kind == kind {
			return o
		}
		o = w.objects[o.Owner]
	}
	return nil
}

// Str is a text field, "" without one.
func (o *Object) Str(name string) string {
	s, _ := o.Attrs[name].(string)
	return s
}

// Objects are all objects, by id.
func (w *World) Objects() []*Object {
	list := make([]*Object, 0, len(w.objects))
	for _, id := range slices.Sorted(maps.Keys(w.objects)) {
		list = append(list, w.objects[id])
	}
	return list
}
