package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/config"
	"sluice/internal/fault"
)

func TestADatabaseIsNamedByTheEnvironmentOrTheFile(t *testing.T) {
	t.Parallel()
	path := file(t, "sluice.yaml", "database_url: postgres://sluice@db.example.com/sluice\nmaster_key_file: /keys/master.key\n")
	c, err := config.Load(path, nil)
	if err != nil || c.DatabaseURL != "postgres://sluice@db.example.com/sluice" || c.MasterKeyFile != "/keys/master.key" {
		t.Errorf("%+v %v", c, err)
	}
	c, err = config.Load(path, []string{"SLUICE_DATABASE_URL=postgres://a:b@other.example.com/x"})
	if err != nil || c.DatabaseURL != "postgres://a:b@other.example.com/x" {
		t.Errorf("%+v %v", c, err)
	}
	for _, url := range []string{"postgres://a:hunter2@db.example.com/x", "postgres://db.example.com/x?password=hunter2"} {
		_, err := config.Load(file(t, "sluice.yaml", "database_url: "+url+"\n"), nil)
		if fault.CodeOf(err) != fault.Usage || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s in a file: %v", url, err)
		}
	}
}

// A file that somebody left in a directory must not take the ledger elsewhere.
func TestAnUnaskedFileNamesOnlyADatabaseOfThisMachine(t *testing.T) {
	for text, ok := range map[string]bool{
		"postgres://localhost/sluice":                                    true,
		"postgres://127.0.0.1:5432/sluice":                               true,
		"postgresql:///sluice?host=/var/run/postgresql":                  true,
		"postgres://db.example.com/sluice":                               false,
		"postgres://localhost/sluice?host=db.example.com":                false,
		"postgres://localhost/sluice?hostaddr=203.0.113.1":               false,
		"postgres://localhost,db.example.com/sluice":                     false,
		"postgres:///sluice":                                             false, // PGHOST decides
		"host=localhost dbname=sluice":                                   false,
		"postgres://localhost/sluice\nmaster_key_file: /keys/master.key": false,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "sluice.yaml"), []byte("database_url: "+text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Chdir(dir)
		_, err := config.Load("", nil)
		if ok && err != nil || !ok && fault.CodeOf(err) != fault.Usage {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := config.Load("sluice.yaml", nil); err != nil {
			t.Errorf("%s, named: %v", text, err)
		}
	}
}
