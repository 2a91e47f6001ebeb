package approve

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"strings"
)

// The pages are plain HTML put together by hand: a template engine would keep every
// exported method of the program in the binary.

const style = ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:8vh auto;padding:0 1rem}" +
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{opacity:.7}dd{margin:0;overflow-wrap:anywhere}" +
	"pre{background:#8882;padding:.7rem;overflow:auto;max-height:60vh;white-space:pre-wrap;overflow-wrap:anywhere}code{background:#8882;padding:.1rem .3rem}" +
	"label{display:block;margin:.8rem 0 .2rem}input{font:inherit;width:100%;box-sizing:border-box;padding:.4rem}" +
	"button{font:inherit;padding:.5rem 1.5rem;margin:1rem .5rem 0 0}ins{text-decoration:none;font-weight:600}del{opacity:.7}"

// stylePolicy allows this style and nothing else: the page loads and runs nothing, and
// its forms lead nowhere but here.
var stylePolicy = func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
}()

// body is a page under construction.
type body struct{ strings.Builder }

func escape(s string) string { return html.EscapeString(printable(s)) }

func (b *body) text(s string) { b.WriteString("<p>" + escape(s) + "</p>") }

func (b *body) row(name, value string) {
	if value != "" {
		b.WriteString("<dt>" + escape(name) + "</dt><dd>" + escape(value) + "</dd>")
	}
}

func (b *body) stub(s *Stub) {
	b.WriteString("<dl>")
	b.row("Approval", s.ID)
	b.row("Tool", s.Tool)
	b.row("State", string(s.State))
	b.row("Until", clock(s.Expires))
	b.WriteString("</dl>")
}

// shownArguments is how much of them a page shows, in bytes.
const shownArguments = 64 << 10

func (b *body) item(i *Item) {
	grant := i.GrantName
	if grant == "" {
		grant = i.Grant
	}
	b.WriteString("<dl>")
	b.row("Approval", i.ID)
	b.row("State", i.State)
	b.row("Grant", grant)
	b.row("Server", i.Server)
	b.row("Tool", i.Tool)
	b.row("Risk", i.Risk)
	b.row("Why it waits", i.Message)
	b.row("Rule", i.Rule)
	b.row("Until", clock(i.ExpiresAt))
	b.row("Decided by", i.Decider)
	b.row("Reason", i.Reason)
	for _, h := range i.Limits {
		room := "room for it"
		if !h.Fits {
			room = "no room for it now"
		}
		b.row("Limit", h.Rule+": "+h.Used+" of "+h.Max+" used, the call takes "+h.Needs+": "+room)
	}
	b.WriteString("</dl>")
	switch {
	case len(i.Arguments) > 0:
		text, left := Pretty(i.Arguments, shownArguments)
		b.WriteString("<h2>Arguments</h2><pre>" + html.EscapeString(text) + "</pre>")
		if left > 0 {
			b.text("They are longer than this page shows. Decide with the command line, which shows all of them.")
		}
	case i.Withheld == "role":
		b.text("Arguments are shown to those who may decide. This call has: " + strings.Join(i.ArgKeys, ", "))
	case i.Withheld == "unreadable":
		b.text("The arguments can't be read here.")
	}
	if c := i.Compared; c != nil {
		b.WriteString("<h2>Compared with the last approved call</h2>")
		b.WriteString("<p>" + escape(c.With) + ", " + escape(clock(c.At)) + "</p>")
		if !c.Values {
			b.text("Only the names of arguments are compared: values are not kept for this server.")
		}
		if len(c.Changes) == 0 {
			b.text("No difference.")
			return
		}
		b.WriteString("<ul>")
		for _, ch := range c.Changes {
			b.WriteString("<li>" + escape(ch.Kind) + " <code>" + escape(ch.Path) + "</code>")
			if len(ch.Was) > 0 {
				b.WriteString(" <del>" + escape(clip(string(ch.Was))) + "</del>")
			}
			if len(ch.Is) > 0 {
				b.WriteString(" <ins>" + escape(clip(string(ch.Is))) + "</ins>")
			}
			b.WriteString("</li>")
		}
		b.WriteString("</ul>")
	}
}

// clip shortens a value in a list; the whole stands among the arguments.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func (b *body) decide(id string) {
	b.WriteString("<h2>Decide</h2><p>On the machine that holds the state directory:</p><pre>sluice approvals show " + escape(id) +
		"\nsluice approvals approve " + escape(id) + " --reason TEXT\nsluice approvals reject " + escape(id) + " --reason TEXT</pre>" +
		"<p>Or here, with an API token of yours:</p><form method=\"post\">" +
		"<label for=\"token\">API token</label><input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"off\" required>" +
		"<label for=\"reason\">Reason (needed to deny)</label><input id=\"reason\" name=\"reason\" maxlength=\"500\" autocomplete=\"off\">" +
		"<button name=\"do\" value=\"show\">Show the arguments</button><button name=\"do\" value=\"approve\">Approve</button>" +
		"<button name=\"do\" value=\"deny\">Deny</button></form>")
}

func (b *body) write(w http.ResponseWriter, status int, title string) {
	h := w.Header()
	h.Set("Content-Security-Policy", stylePolicy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	// Not no-referrer: with it a browser sends `Origin: null` with our own form.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">" +
		"<title>" + escape(title) + "</title><style>" + style + "</style><h1>" + escape(title) + "</h1>" + b.String())) // the reader's loss
}

func problem(w http.ResponseWriter, status int, text string) {
	var b body
	b.text(text)
	b.write(w, status, "This did not work")
}
