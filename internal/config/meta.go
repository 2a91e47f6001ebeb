package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"sluice/internal/fault"
	"sluice/internal/graphspec"
)

// Meta is the MCP server for Meta's platform: `sluice mcp`, and servers with
// `builtin: meta`.
type Meta struct {
	// Sets are the tools that there are: pages, ads.read … or all. Empty: all can be
	// called, and the list shows the most used ones that the token may use.
	Sets []string `yaml:"sets"`
	// UploadDir is the one folder that local files are taken from and charts are saved in.
	UploadDir string `yaml:"upload_dir"`
	MaxUpload int64  `yaml:"max_upload"` // bytes of one file
	// Ceilings are the most that a budget may be set to, by ad account; "*" is for every
	// other. Amounts are in the minor unit of the currency.
	Ceilings map[string]MetaCeiling `yaml:"ceilings"`
	// Leads is "masked" (default), or "clear": personal data of leads comes out.
	Leads string `yaml:"leads"`
	// Page is whose token is used where neither the call nor the object's id says it.
	Page string `yaml:"page"`
	// AppID belongs to META_APP_SECRET; META_APP_ID in the environment wins.
	AppID string `yaml:"app_id"`
}

// MetaCeiling is a limit of budgets. Budgets of a kind that it does not name are refused.
type MetaCeiling struct {
	Daily    int64  `yaml:"daily"`
	Lifetime int64  `yaml:"lifetime"`
	Currency string `yaml:"currency"`
}

func (m *Meta) check() error {
	var all []string
	say := func(key, format string, args ...any) {
		all = append(all, "meta."+key+": "+fmt.Sprintf(format, args...))
	}
	if m.UploadDir != "" && !filepath.IsAbs(m.UploadDir) {
		say("upload_dir", "an absolute path")
	}
	if m.MaxUpload < 0 {
		say("max_upload", "a number of bytes")
	}
	if !slices.Contains([]string{"", "masked", "clear"}, m.Leads) {
		say("leads", "masked or clear")
	}
	for _, account := range sorted(m.Ceilings) {
		c := m.Ceilings[account]
		if _, ok := graphspec.AdAccount.Parse(account); account != "*" && !ok {
			say("ceilings."+account, "an ad account is act_ and digits; * is every other")
		}
		if c.Daily < 0 || c.Lifetime < 0 || c.Daily == 0 && c.Lifetime == 0 {
			say("ceilings."+account, "name daily or lifetime, in the minor unit of the currency")
		}
		if c.Currency != "" && (len(c.Currency) != 3 || strings.ToUpper(c.Currency) != c.Currency) {
			say("ceilings."+account+".currency", "a currency code such as GBP")
		}
	}
	for key, id := range map[string]string{"page": m.Page, "app_id": m.AppID} {
		if _, ok := graphspec.Digits.Parse(id); id != "" && !ok {
			say(key, "an id is digits")
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	return fault.New(fault.Usage, "%s", strings.Join(all, "; ")).WithFix("see docs/meta.md")
}
