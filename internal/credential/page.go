package credential

import (
	"html"
	"net/http"
	"strings"
)

// The pages are plain HTML put together by hand: a template engine would keep every
// exported method of the program in the binary.

const pageStyle = "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem}" +
	"button{font:inherit;padding:.5rem 1.5rem}code{background:#8882;padding:.1rem .3rem}"

// safeHeaders keep a page out of frames, caches and Referer headers. It loads and
// runs nothing.
func safeHeaders(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}

func writeHTML(w http.ResponseWriter, status int, title, body string) {
	safeHeaders(w)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">" +
		"<title>" + html.EscapeString(title) + "</title><style>" + pageStyle + "</style><h1>" + html.EscapeString(title) + "</h1>" + body)) // the reader's loss
}

func writePage(w http.ResponseWriter, status int, title, text string) {
	writeHTML(w, status, title, "<p>"+html.EscapeString(text)+"</p>")
}

// showResult is the last page of a consent.
func showResult(w http.ResponseWriter, server string, err error) {
	if err != nil {
		writePage(w, http.StatusBadRequest, "Not connected", "The server "+server+" is not connected. "+why(err))
		return
	}
	writePage(w, http.StatusOK, "Connected", "The server "+server+" is connected. You can close this window and go on in your client.")
}

// askPage is what a person sees before they are sent to the authorization server.
type askPage struct {
	server, caller, host string
	scopes               []string
	ticket, proof        string
}

func writeAsk(w http.ResponseWriter, p askPage) {
	code := func(s string) string { return "<code>" + html.EscapeString(s) + "</code>" }
	var b strings.Builder
	b.WriteString("<p>Sluice wants to use the server " + code(p.server) + " with your account there, for calls of " + code(p.caller) + ".</p>")
	b.WriteString("<p>You will sign in at " + code(p.host) + ".")
	if len(p.scopes) > 0 {
		b.WriteString(" Sluice will ask for: ")
		for i, s := range p.scopes {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(code(s))
		}
		b.WriteByte('.')
	}
	b.WriteString("</p><p><strong>Go on only if you are " + code(p.caller) + " and tried to use this server just now.</strong> " +
		"If somebody sent you this link, close the page: your account would become theirs to use.</p>")
	b.WriteString(`<form method="post"><input type="hidden" name="ticket" value="` + html.EscapeString(p.ticket) +
		`"><input type="hidden" name="proof" value="` + html.EscapeString(p.proof) + `"><button>Continue</button></form>`)
	writeHTML(w, http.StatusOK, "Connect "+p.server, b.String())
}
