package graphspec_test

import (
	"strings"
	"testing"

	"sluice/internal/graphspec"
)

// Every code and subcode of the reference has a class of its own.
func TestMatch(t *testing.T) {
	t.Parallel()
	type numbers struct{ code, subcode int }
	want := map[graphspec.Class][]numbers{
		graphspec.ClassTransient:  {{1, 0}, {2, 0}, {1, 99}, {2, 1504043}, {-2, 2490547}},
		graphspec.ClassPermission: {{3, 0}, {10, 0}, {200, 0}, {210, 0}, {278, 0}, {299, 0}, {294, 0}},
		graphspec.ClassAppRate:    {{4, 0}, {4, 1504022}, {4, 1504039}, {341, 0}},
		graphspec.ClassUserRate:   {{17, 0}, {32, 0}},
		graphspec.ClassAssetRate: {
			{17, 2446079}, {613, 0}, {613, 1487742}, {613, 5044001}, {613, 1996}, {80000, 0}, {80001, 0}, {80002, 0}, {80003, 0}, {80004, 0},
			{80005, 0}, {80006, 0}, {80008, 0}, {80009, 0}, {80014, 0},
		},
		graphspec.ClassWindow:    {{10, 2018278}, {10, 2534022}, {551, 0}, {100, 2018278}},
		graphspec.ClassInput:     {{100, 0}, {100, 33}, {100, 12345678}, {100, 1885553}, {100, 1885621}, {803, 0}, {1609005, 0}, {3001, 1504028}, {2, 1504041}, {2, 1504042}, {9004, 0}, {2500, 0}},
		graphspec.ClassTooBig:    {{100, 1487534}, {100, 1504018}, {2, 1504038}},
		graphspec.ClassPolicy:    {{100, 1713230}, {368, 0}},
		graphspec.ClassAuth:      {{102, 0}, {190, 0}, {190, 458}, {190, 459}, {190, 460}, {190, 463}, {190, 464}, {190, 467}, {190, 492}, {190, 7}},
		graphspec.ClassDuplicate: {{506, 0}},
		graphspec.ClassVersion:   {{2635, 0}},
		graphspec.ClassNotReady:  {{9007, 2207027}, {24, 4279009}},
		graphspec.ClassGone:      {{12, 0}},
	}
	for class, list := range want {
		for _, n := range list {
			row := graphspec.Match(n.code, n.subcode)
			if row == nil || row.Class != class {
				t.Errorf("%d/%d is %+v, want %s", n.code, n.subcode, row, class)
			}
		}
	}
	if row := graphspec.Match(77777, 0); row != nil {
		t.Errorf("an unknown code is %+v", row)
	}
	if row := graphspec.Match(77777, 33333); row != nil {
		t.Errorf("an unknown subcode is %+v", row)
	}
}

func TestErrorRowsAreComplete(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, r := range graphspec.ErrorRows {
		if names[r.Name] {
			t.Errorf("two rows are named %s", r.Name)
		}
		names[r.Name] = true
		if r.Name == "" || r.HTTP < 400 || r.HTTP > 599 || r.Code == 0 || r.Type == "" || r.Message == "" || r.Class == "" || r.Advice == "" || r.Evidence == "" {
			t.Errorf("%s lacks something: %+v", r.Name, r)
		}
		if !strings.HasSuffix(r.Advice, ".") {
			t.Errorf("%s: the advice is no sentence: %q", r.Name, r.Advice)
		}
		if graphspec.ErrorNamed(r.Name).Code != r.Code {
			t.Errorf("%s is not found by its name", r.Name)
		}
	}
}

// A subcode that stands under several codes must mean the same everywhere, because a
// subcode beats the code.
func TestSubcodesAreNotAmbiguous(t *testing.T) {
	t.Parallel()
	meaning := map[int]graphspec.ErrorRow{}
	for _, r := range graphspec.ErrorRows {
		if r.Subcode == 0 {
			continue
		}
		if other, twice := meaning[r.Subcode]; twice && other.Class != r.Class {
			t.Errorf("subcode %d is %s in %s and %s in %s", r.Subcode, other.Class, other.Name, r.Class, r.Name)
		}
		meaning[r.Subcode] = r
	}
}
