package world

import (
	"strings"
	"testing"
	"time"

	"sluice/internal/graphspec"
)

// TestBehavioursAndFieldsAreOfTheRecords finds a behaviour of an operation that graphspec
// does not know, which nobody could call, and a worked-out field that nobody could ask for.
func TestBehavioursAndFieldsAreOfTheRecords(t *testing.T) {
	t.Parallel()
	for name := range allBehaviours() {
		verb, rest, _ := strings.Cut(name, " ")
		kind, edge, dot := strings.Cut(rest, ".")
		node := graphspec.Lookup(kind)
		if !dot || node == nil || node.Op(verb, edge) == nil {
			t.Errorf("the behaviour %q has no operation", name)
		}
	}
	for name := range allFields() {
		kind, field, _ := strings.Cut(name, ".")
		node := graphspec.Lookup(kind)
		if node == nil {
			t.Errorf("the field %q is of no node type", name)
			continue
		}
		if _, ok := node.Field(field); !ok {
			t.Errorf("%s has no field %s", kind, field)
		}
	}
}

// TestTheWorldIsTheSameEveryTime makes it twice: ids, order and contents must not depend
// on maps or on the hour.
func TestTheWorldIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }
	a, b := New(now), New(now)
	if len(a.objects) != len(b.objects) || a.next != b.next {
		t.Fatalf("%d and %d objects, %d and %d next", len(a.objects), len(b.objects), a.next, b.next)
	}
	for id, o := range a.objects {
		other := b.objects[id]
		if other == nil || other.Kind != o.Kind || other.Owner != o.Owner || text(map[string]any(other.Attrs)) != text(map[string]any(o.Attrs)) {
			t.Errorf("%s %s differs", o.Kind, id)
		}
	}
	for k, list := range a.edges {
		if strings.Join(list, " ") != strings.Join(b.edges[k], " ") {
			t.Errorf("the edge %s of %s differs", k.edge, k.from)
		}
	}
}
