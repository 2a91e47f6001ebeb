package capi_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/capi"
)

func TestCookies(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1554763741205)
	tests := []struct {
		name, in string
		fbc, fbp *capi.Cookie
	}{
		{name: "click", in: "fb.1.1554763741205.IwAR2F4-dbP0l7Mn1IawQQ_x", fbc: &capi.Cookie{SubdomainIndex: 1, Created: at, Payload: "IwAR2F4-dbP0l7Mn1IawQQ_x"}},
		{name: "browser", in: "fb.2.1554763741205.1098115397", fbc: &capi.Cookie{SubdomainIndex: 2, Created: at, Payload: "1098115397"},
			fbp: &capi.Cookie{SubdomainIndex: 2, Created: at, Payload: "1098115397"}},
		{name: "appendix", in: "fb.0.1554763741205.1098115397.ABcDEFGh", fbc: &capi.Cookie{Created: at, Payload: "1098115397", Appendix: "ABcDEFGh"},
			fbp: &capi.Cookie{Created: at, Payload: "1098115397", Appendix: "ABcDEFGh"}},
		{name: "old appendix", in: "fb.0.1554763741205.1.Bg", fbc: &capi.Cookie{Created: at, Payload: "1", Appendix: "Bg"}, fbp: &capi.Cookie{Created: at, Payload: "1", Appendix: "Bg"}},
		{name: "no appendix", in: "fb.0.1554763741205.1.XX"},
		{name: "bad appendix", in: "fb.0.1554763741205.1.ABcDEF+h"},
		{name: "seconds", in: "fb.1.1554763741.IwAR0"},
		{name: "bare click id", in: "IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB"},
		{name: "no payload", in: "fb.1.1554763741205."},
		{name: "blank payload", in: "fb.1.1554763741205.a b"},
		{name: "invisible character", in: "fb.1.1554763741205.a\u200bb"},
		{name: "two-digit index", in: "fb.11.1554763741205.x"},
		{name: "other prefix", in: "fc.1.1554763741205.x"},
		{name: "nothing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for kind, parse := range map[string]struct {
				parse func(string) (capi.Cookie, error)
				want  *capi.Cookie
				code  string
			}{
				"fbc": {capi.ParseFBC, tt.fbc, capi.CodeFBCInvalid},
				"fbp": {capi.ParseFBP, tt.fbp, capi.CodeFBPInvalid},
			} {
				got, err := parse.parse(tt.in)
				if parse.want == nil {
					if capi.CodeOf(err) != parse.code {
						t.Errorf("%s: got %+v, %v", kind, got, err)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", kind, err)
				} else if diff := cmp.Diff(*parse.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", kind, diff)
				} else if got.String() != tt.in {
					t.Errorf("%s: written as %s", kind, got)
				}
			}
		})
	}
}

func TestBuildCookies(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1554763741205)
	if got, err := capi.BuildFBC("IwAR0", at); err != nil || got != "fb.1.1554763741205.IwAR0" {
		t.Errorf("fbc %s, %v", got, err)
	}
	if got, err := capi.BuildFBP(at, 1098115397); err != nil || got != "fb.1.1554763741205.1098115397" {
		t.Errorf("fbp %s, %v", got, err)
	}
	for name, clid := range map[string]string{"nothing": "", "points": "a.b", "points like an appendix": "a.AQ", "blanks": "a b", "a hash": digest} {
		if got, err := capi.BuildFBC(clid, at); err == nil {
			t.Errorf("%s: built %s", name, got)
		}
	}
	if got, err := capi.BuildFBC("IwAR0", time.Unix(0, 0)); err == nil {
		t.Errorf("a time without thirteen digits built %s", got)
	}
	if got, err := capi.BuildFBP(time.Unix(0, 0), 1); err == nil {
		t.Errorf("a time without thirteen digits built %s", got)
	}
}

func TestKeepFBC(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1795262400000)
	const stored = "fb.1.1554763741205.IwAR0"
	for name, tt := range map[string]struct{ stored, url, want string }{
		"no click":         {stored, "https://shop.example.com/", stored},
		"same click":       {stored, "https://shop.example.com/?fbclid=IwAR0", stored},
		"another click":    {stored, "https://shop.example.com/?a=1&fbclid=IwAR1", "fb.1.1795262400000.IwAR1"},
		"case matters":     {stored, "https://shop.example.com/?fbclid=iwar0", "fb.1.1795262400000.iwar0"},
		"first click":      {"", "https://shop.example.com/?fbclid=IwAR0", "fb.1.1795262400000.IwAR0"},
		"decoded once":     {"", "https://shop.example.com/?fbclid=Iw%2DAR", "fb.1.1795262400000.Iw-AR"},
		"unreadable store": {"x", "https://shop.example.com/?fbclid=IwAR0", "fb.1.1795262400000.IwAR0"},
		"no URL":           {stored, "https://%zz", stored},
	} {
		got, err := capi.KeepFBC(tt.stored, capi.FBClidOf(tt.url), now)
		if err != nil || got != tt.want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, tt.want)
		}
	}
}

func TestAppSecretProof(t *testing.T) {
	t.Parallel()
	// Computed with openssl dgst -sha256 -hmac.
	const want = "e941110e3d2bfe82621f0e3e1434730d7305d106c5f68c87165d0b27a4611a4a"
	if got := capi.AppSecretProof("secret", "token"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
