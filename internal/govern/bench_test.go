package govern_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"sluice/internal/govern"
	"sluice/internal/registry"
	"sluice/internal/secret"
	"sluice/internal/tenant"
)

// large is a directory of ten thousand grants.
func large(t testing.TB) *govern.Directory {
	t.Helper()
	keys, err := secret.OpenKeyring(filepath.Join(t.TempDir(), "master.key"), true)
	if err != nil {
		t.Fatal(err)
	}
	n := &nowhere{revision: 1}
	for i := range 10_000 {
		n.grants = append(n.grants, registry.Grant{
			ID: fmt.Sprintf("grt_%026d", i), Workspace: tenant.Default, Server: "srv_1", Name: fmt.Sprint("g", i), MAC: make([]byte, 32),
			ExpiresAt: time.Now().Add(time.Hour),
		})
	}
	d, err := govern.OpenDirectory(context.Background(), govern.DirectoryOptions{Store: n, Keys: keys, Workspace: tenant.Default})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestLookingUpAllocatesNothing(t *testing.T) {
	d := large(t)
	id := fmt.Sprintf("grt_%026d", 42)
	if n := testing.AllocsPerRun(100, func() {
		if d.Lookup(id, "crm") == nil {
			t.Fatal("the grant is not there")
		}
	}); n != 0 {
		t.Errorf("%g allocations a lookup", n)
	}
}

func BenchmarkLookup(b *testing.B) {
	d := large(b)
	id := fmt.Sprintf("grt_%026d", 42)
	b.ReportAllocs()
	for b.Loop() {
		d.Lookup(id, "crm")
	}
}

func BenchmarkResolve(b *testing.B) {
	d := large(b)
	token := "slg_" + fmt.Sprintf("%026d", 42) + "_" + fmt.Sprintf("%043d", 0)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = d.Resolve(token, "crm")
	}
}
